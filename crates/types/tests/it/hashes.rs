// SPDX-License-Identifier: Apache-2.0
//! Identifiers, commitments, digests.

use alloy_primitives::{Address, B256, Bytes, U256, aliases::U48, hex};
use alloy_sol_types::SolValue;
use serde_json::{Value, json};
use subrosa_evidence::{Binding, report_data};
use subrosa_types::{
    Challenge,
    abi::{EnclaveConfig, Entry, EpochMember, EpochOpening, Outcome, Outstanding},
    config::{CONFIG_VERSION, Recovery},
    id::{self, TeeKind, start_hash},
    result,
};

use crate::{
    draw::Draw,
    vectors::cases,
    words::{decimal, word},
};

const TEES: [TeeKind; 4] = [TeeKind::Tdx, TeeKind::Sgx, TeeKind::Snp, TeeKind::Nitro];

pub(crate) fn contract_ids() -> Value {
    let mut draw = Draw::new("contract id");
    cases(|index| {
        let (chain_id, oracle, deployer) = (draw.bits(63), draw.address(), draw.address());
        let nonce = draw.bits(16) * index as u64;
        json!({
            "chainId": decimal(chain_id), "oracle": oracle, "deployer": deployer,
            "nonce": decimal(nonce),
            "contractId": id::contract_id(chain_id, oracle, deployer, nonce),
        })
    })
}

pub(crate) fn code_commitments() -> Value {
    let mut draw = Draw::new("code commitment");
    cases(|index| {
        let (salt, engine) = (draw.word(), 1 + (index % 2) as u8);
        let (code, init) = (draw.bytes(77 * index + 1), draw.bytes(32 * index));
        json!({
            "salt": salt, "engine": decimal(engine), "code": code, "init": init,
            "commitment": id::code_commitment(salt, engine, &code, &init),
        })
    })
}

pub(crate) fn entries() -> Value {
    let mut draw = Draw::new("entry");
    cases(|index| {
        let (chain_id, oracle) = (draw.bits(63), draw.address());
        let entry = entry(&mut draw, index);
        json!({
            "chainId": decimal(chain_id), "oracle": oracle, "entry": entry_json(&entry),
            "seq": decimal(entry.seq()),
            "executionHash": entry.execution_hash(), "digest": entry.digest(chain_id, oracle),
        })
    })
}

/// The first names none before it and no recipient of refunds.
pub(crate) fn entry(draw: &mut Draw, index: usize) -> Entry {
    Entry {
        contractId: draw.word(),
        previousDigest: if index == 0 {
            B256::ZERO
        } else {
            draw.digest()
        },
        context: draw.word(),
        inputHash: draw.word(),
        execution: draw.uint(),
        settlement: draw.uint(),
        payment: draw.uint(),
        refundTo: if index == 0 {
            Address::ZERO
        } else {
            draw.address()
        },
    }
}

pub(crate) fn entry_json(entry: &Entry) -> Value {
    json!({
        "contractId": entry.contractId,
        "previousDigest": entry.previousDigest, "context": entry.context,
        "inputHash": entry.inputHash, "execution": word(entry.execution),
        "settlement": word(entry.settlement), "payment": word(entry.payment),
        "refundTo": entry.refundTo,
    })
}

pub(crate) fn outcomes() -> Value {
    let mut draw = Draw::new("outcome");
    cases(|index| {
        let outcome = Outcome {
            status: 1 + (index % 3) as u8,
            outputHash: draw.word(),
            sealedOutputHash: draw.word(),
            sealedLogsHash: if index % 2 == 0 {
                B256::ZERO
            } else {
                draw.word()
            },
            fuelBucket: draw.between(0, 64) as u8,
        };
        json!({
            "status": decimal(outcome.status), "outputHash": outcome.outputHash,
            "sealedOutputHash": outcome.sealedOutputHash,
            "sealedLogsHash": outcome.sealedLogsHash,
            "fuelBucket": decimal(outcome.fuelBucket), "outcomeHash": outcome.hash(),
        })
    })
}

/// What is left to be done about an entry whose digest is given.
pub(crate) fn outstandings() -> Value {
    let mut draw = Draw::new("outstanding");
    cases(|index| {
        let digest = draw.digest();
        let outstanding = Outstanding {
            status: 1 + (index % 3) as u8,
            outputHash: draw.word(),
            held: U48::from(draw.bits(48)),
            since: U48::from(draw.bits(48)),
        };
        json!({
            "digest": digest, "status": decimal(outstanding.status),
            "outputHash": outstanding.outputHash, "held": decimal(outstanding.held),
            "since": decimal(outstanding.since), "hash": outstanding.hash(digest),
        })
    })
}

pub(crate) fn results() -> Value {
    let mut draw = Draw::new("result");
    cases(|_| {
        let (digest, outcome) = (draw.digest(), draw.word());
        let (previous, new) = (draw.commitment(), draw.commitment());
        json!({
            "digest": digest, "outcomeHash": outcome,
            "previousCommitment": previous, "newCommitment": new,
            "resultHash": result::result_hash(digest, outcome, previous, new),
        })
    })
}

pub(crate) fn epoch_records() -> Value {
    let mut draw = Draw::new("epoch record");
    cases(|index| {
        let opening = epoch_opening(&mut draw, index);
        json!({ "opening": opening_json(&opening), "record": opening.record() })
    })
}

pub(crate) fn opening_json(opening: &EpochOpening) -> Value {
    json!({
        "keyGroup": decimal(opening.keyGroup), "keyEpoch": decimal(opening.keyEpoch),
        "publicKeyHash": opening.publicKeyHash, "configHash": opening.configHash,
        "setHash": opening.setHash, "recovery": word(opening.recovery),
    })
}

pub(crate) fn epoch_opening(draw: &mut Draw, index: usize) -> EpochOpening {
    EpochOpening {
        keyGroup: draw.bits(32) as u32,
        keyEpoch: draw.bits(32) as u32,
        publicKeyHash: draw.word(),
        configHash: draw.word(),
        setHash: draw.word(),
        recovery: recovery(draw, index).pack(),
    }
}

pub(crate) fn recovery(draw: &mut Draw, index: usize) -> Recovery {
    let shares = draw.between(1, 255) as u8;
    match index % 4 {
        0 => Recovery::SealedDevelopment,
        1 => Recovery::Replicas { k: shares },
        2 => Recovery::Custodians {
            threshold: draw.between(1, shares.into()) as u8,
            shares,
        },
        _ => Recovery::Sealed,
    }
}

pub(crate) fn epoch_keys() -> Value {
    let mut draw = Draw::new("epoch key");
    cases(|_| {
        let (xwing, x25519) = (draw.bytes(1_216), draw.word());
        json!({
            "xwing": xwing, "x25519": x25519,
            "publicKeyHash": id::epoch_public_key_hash(&xwing, &x25519.0),
        })
    })
}

pub(crate) fn measurements() -> Value {
    let mut draw = Draw::new("measurement");
    cases(|index| {
        let (root, tee, hash) = (draw.word(), TEES[index % TEES.len()], draw.word());
        json!({
            "rootId": root, "teeKind": decimal(tee as u8), "measurementHash": hash,
            "measurementId": id::measurement_id(root, tee, hash),
        })
    })
}

pub(crate) fn products() -> Value {
    let mut draw = Draw::new("product");
    let named = [
        (TeeKind::Tdx, draw.bytes(6)),
        (TeeKind::Sgx, draw.bytes(6)),
        (TeeKind::Snp, Bytes::from_static(b"Genoa")),
        (TeeKind::Nitro, Bytes::new()),
    ];
    cases(|index| {
        let (tee, name) = &named[index];
        json!({
            "teeKind": decimal(*tee as u8), "name": name,
            "product": id::product_id(*tee, name),
        })
    })
}

/// Ascending, as they have to be on chain; members share measurements.
pub(crate) fn epoch_sets() -> Value {
    let mut draw = Draw::new("epoch set");
    cases(|index| {
        let shared = draw.word();
        let mut members: Vec<_> = (0..2 * index + 1)
            .map(|place| EpochMember {
                measurementId: if place <= index { shared } else { draw.word() },
                configHash: draw.word(),
            })
            .collect();
        let unsorted = id::epoch_set_hash(&members);
        members.sort_unstable_by_key(|member| (member.measurementId, member.configHash));
        assert_eq!(unsorted, id::epoch_set_hash(&members));
        json!({
            "measurementIds": members.iter().map(|m| m.measurementId).collect::<Vec<_>>(),
            "configHashes": members.iter().map(|m| m.configHash).collect::<Vec<_>>(),
            "setHash": unsorted,
        })
    })
}

pub(crate) fn configs() -> Value {
    let mut draw = Draw::new("config");
    cases(|index| {
        let mut roots: Vec<_> = (0..index).map(|_| draw.word()).collect();
        roots.sort_unstable();
        let config = EnclaveConfig {
            version: CONFIG_VERSION,
            chainId: U256::from(draw.bits(63)),
            registry: draw.address(),
            registryCodeHash: draw.word(),
            oracle: draw.address(),
            oracleCodeHash: draw.word(),
            headerTrust: 1 + index as u8,
            headerTrustParameters: draw.bytes(45 * index),
            evidenceRoots: roots,
            policyHash: draw.word(),
            keyGroup: draw.bits(32) as u32,
            recovery: recovery(&mut draw, index).pack(),
        };
        let encoded = config.abi_encode();
        assert_eq!(EnclaveConfig::decode(&encoded).as_ref(), Ok(&config));
        let fields = json!({
            "version": decimal(config.version), "chainId": decimal(config.chainId),
            "registry": config.registry, "registryCodeHash": config.registryCodeHash,
            "oracle": config.oracle, "oracleCodeHash": config.oracleCodeHash,
            "headerTrust": decimal(config.headerTrust),
            "headerTrustParameters": config.headerTrustParameters,
            "evidenceRoots": config.evidenceRoots, "policyHash": config.policyHash,
            "keyGroup": decimal(config.keyGroup), "recovery": word(config.recovery),
        });
        json!({
            "config": fields, "encoded": hex::encode_prefixed(encoded),
            "configHash": config.hash(),
        })
    })
}

pub(crate) fn reported() -> Value {
    let mut draw = Draw::new("report data");
    cases(|index| {
        let checkpoint = draw.bytes(40 * index);
        let binding = Binding {
            signer: draw.address(),
            transfer_key_hash: draw.word(),
            config_hash: draw.word(),
            start_hash: start_hash(&checkpoint),
        };
        let challenge = draw.bytes(16 * (index + 1));
        let (block_hash, registrant) = (draw.word(), draw.address());
        let for_client = report_data(&binding, &Challenge::Client(challenge.to_vec()));
        let registration = Challenge::Registration {
            block_hash,
            registrant,
        };
        json!({
            "version": decimal(CONFIG_VERSION), "signer": binding.signer,
            "transferKeyHash": binding.transfer_key_hash, "configHash": binding.config_hash,
            "checkpoint": checkpoint, "startHash": binding.start_hash,
            "challenge": challenge, "reportData": hex::encode_prefixed(for_client),
            "blockHash": block_hash, "registrant": registrant,
            "registrationReportData": hex::encode_prefixed(report_data(&binding, &registration)),
        })
    })
}
