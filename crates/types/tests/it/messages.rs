// SPDX-License-Identifier: Apache-2.0
//! EIP-712 messages under the domains of the two contracts.

use alloy_primitives::{Address, B256, U256, aliases::U48};
use serde_json::{Value, json};
use subrosa_types::{
    abi::{
        AttestationAnswer, AttestationStatement, ContractStatement, CosignedResults,
        EpochAcknowledgement, Query, QueryReply, SignedResults, SignerAdmission,
    },
    eip712::{oracle_domain, registry_domain, signing_hash},
};

use crate::{
    draw::Draw,
    hashes::{epoch_opening, opening_json},
    vectors::cases,
    words::{decimal, word},
};

/// A chain and a contract on it.
fn place(draw: &mut Draw) -> (u64, Address) {
    (draw.bits(63), draw.address())
}

pub(crate) fn signed_results() -> Value {
    let mut draw = Draw::new("signed results");
    cases(|index| {
        let (chain_id, oracle) = place(&mut draw);
        let message = SignedResults {
            resultHashes: (0..=3 * index).map(|_| draw.word()).collect(),
            payee: payee(&mut draw, index),
        };
        let hash = signing_hash(&message, &oracle_domain(chain_id, oracle));
        let fields = json!({ "resultHashes": message.resultHashes, "payee": message.payee });
        typed(chain_id, oracle, fields, hash)
    })
}

pub(crate) fn cosigned_results() -> Value {
    let mut draw = Draw::new("cosigned results");
    cases(|index| {
        let (chain_id, oracle) = place(&mut draw);
        let message = CosignedResults {
            resultHashes: (0..=3 * index).map(|_| draw.word()).collect(),
        };
        let hash = signing_hash(&message, &oracle_domain(chain_id, oracle));
        let fields = json!({ "resultHashes": message.resultHashes });
        typed(chain_id, oracle, fields, hash)
    })
}

/// Zero in the first case.
fn payee(draw: &mut Draw, index: usize) -> Address {
    if index == 0 {
        Address::ZERO
    } else {
        draw.address()
    }
}

/// A message, where it is signed for, and what is signed.
fn typed(chain_id: u64, contract: Address, message: Value, hash: B256) -> Value {
    json!({
        "chainId": decimal(chain_id), "verifyingContract": contract,
        "message": message, "hash": hash,
    })
}

pub(crate) fn signer_admissions() -> Value {
    let mut draw = Draw::new("signer admission");
    cases(|_| {
        let (chain_id, registry) = place(&mut draw);
        let message = SignerAdmission {
            signer: draw.address(),
            transferKeyHash: draw.word(),
            measurementId: draw.word(),
            configHash: draw.word(),
            startHash: draw.word(),
            rootId: draw.word(),
            teeKind: draw.bits(8) as u8,
            product: draw.word(),
            machineId: draw.word(),
            tcbStatus: draw.bits(8) as u8,
            tcbEvaluation: draw.bits(32) as u32,
            policyHash: draw.word(),
            evidenceHash: draw.word(),
            challengeBlock: draw.bits(64),
            challengeBlockHash: draw.word(),
            registrant: draw.address(),
            notAfter: draw.bits(64),
        };
        let hash = signing_hash(&message, &registry_domain(chain_id, registry));
        let message = json!({
            "signer": message.signer, "transferKeyHash": message.transferKeyHash,
            "measurementId": message.measurementId, "configHash": message.configHash, "startHash": message.startHash,
            "rootId": message.rootId, "teeKind": decimal(message.teeKind),
            "product": message.product, "machineId": message.machineId, "tcbStatus": decimal(message.tcbStatus),
            "tcbEvaluation": decimal(message.tcbEvaluation), "policyHash": message.policyHash,
            "evidenceHash": message.evidenceHash,
            "challengeBlock": decimal(message.challengeBlock),
            "challengeBlockHash": message.challengeBlockHash,
            "registrant": message.registrant, "notAfter": decimal(message.notAfter),
        });
        typed(chain_id, registry, message, hash)
    })
}

pub(crate) fn epoch_openings() -> Value {
    let mut draw = Draw::new("epoch opening");
    cases(|index| {
        let (chain_id, registry) = place(&mut draw);
        let message = epoch_opening(&mut draw, index);
        let hash = signing_hash(&message, &registry_domain(chain_id, registry));
        typed(chain_id, registry, opening_json(&message), hash)
    })
}

pub(crate) fn epoch_acknowledgements() -> Value {
    let mut draw = Draw::new("epoch acknowledgement");
    cases(|index| {
        let (chain_id, registry) = place(&mut draw);
        let message = EpochAcknowledgement {
            keyGroup: draw.bits(32) as u32,
            keyEpoch: draw.bits(32) as u32,
            record: draw.word(),
            holdsPrevious: index % 2 == 1,
        };
        let hash = signing_hash(&message, &registry_domain(chain_id, registry));
        let message = json!({
            "keyGroup": decimal(message.keyGroup), "keyEpoch": decimal(message.keyEpoch),
            "record": message.record, "holdsPrevious": message.holdsPrevious,
        });
        typed(chain_id, registry, message, hash)
    })
}

pub(crate) fn queries() -> Value {
    let mut draw = Draw::new("query");
    cases(|_| {
        let (chain_id, oracle) = place(&mut draw);
        let message = Query {
            contractId: draw.word(),
            inputHash: draw.word(),
            replyKeyHash: draw.word(),
            nonce: draw.word(),
            expiry: draw.bits(64),
        };
        let hash = signing_hash(&message, &oracle_domain(chain_id, oracle));
        let message = json!({
            "contractId": message.contractId, "inputHash": message.inputHash,
            "replyKeyHash": message.replyKeyHash, "nonce": message.nonce,
            "expiry": decimal(message.expiry),
        });
        typed(chain_id, oracle, message, hash)
    })
}

pub(crate) fn query_replies() -> Value {
    let mut draw = Draw::new("query reply");
    cases(|_| {
        let (chain_id, oracle) = place(&mut draw);
        let message = QueryReply {
            queryHash: draw.word(),
            contractId: draw.word(),
            seq: U48::from(draw.bits(48)),
            commitment: draw.commitment(),
            blockNumber: draw.bits(64),
            nonce: draw.word(),
            replyHash: draw.word(),
            configHash: draw.word(),
        };
        let hash = signing_hash(&message, &oracle_domain(chain_id, oracle));
        let message = json!({
            "queryHash": message.queryHash,
            "contractId": message.contractId, "seq": decimal(U256::from(message.seq)),
            "commitment": message.commitment, "blockNumber": decimal(message.blockNumber),
            "nonce": message.nonce,
            "replyHash": message.replyHash, "configHash": message.configHash,
        });
        typed(chain_id, oracle, message, hash)
    })
}

pub(crate) fn contract_statements() -> Value {
    let mut draw = Draw::new("contract statement");
    cases(|_| {
        let (chain_id, oracle) = place(&mut draw);
        let message = ContractStatement {
            contractId: draw.word(),
            codeCommitment: draw.word(),
            seq: U48::from(draw.bits(48)),
            commitment: draw.commitment(),
            configHash: draw.word(),
            nonce: draw.word(),
        };
        let hash = signing_hash(&message, &oracle_domain(chain_id, oracle));
        let message = json!({
            "contractId": message.contractId, "codeCommitment": message.codeCommitment,
            "seq": decimal(U256::from(message.seq)), "commitment": message.commitment,
            "configHash": message.configHash, "nonce": message.nonce,
        });
        typed(chain_id, oracle, message, hash)
    })
}

pub(crate) fn attestation_statements() -> Value {
    let mut draw = Draw::new("attestation statement");
    cases(|_| {
        let (chain_id, oracle) = place(&mut draw);
        let message = AttestationStatement {
            challengeHash: draw.word(),
            keyGroup: draw.bits(32) as u32,
            keyEpoch: draw.bits(32) as u32,
            publicKeyHash: draw.word(),
            recovery: draw.uint(),
            configHash: draw.word(),
            startHash: draw.word(),
            headerNumber: draw.bits(64),
            headerHash: draw.word(),
            headerTime: draw.bits(64),
        };
        let hash = signing_hash(&message, &oracle_domain(chain_id, oracle));
        let message = json!({
            "challengeHash": message.challengeHash, "keyGroup": decimal(message.keyGroup),
            "keyEpoch": decimal(message.keyEpoch), "publicKeyHash": message.publicKeyHash,
            "recovery": word(message.recovery), "configHash": message.configHash,
            "startHash": message.startHash, "headerNumber": decimal(message.headerNumber),
            "headerHash": message.headerHash, "headerTime": decimal(message.headerTime),
        });
        typed(chain_id, oracle, message, hash)
    })
}

pub(crate) fn attestation_answers() -> Value {
    let mut draw = Draw::new("attestation answer");
    cases(|_| {
        let (chain_id, oracle) = place(&mut draw);
        let message = AttestationAnswer {
            challengeHash: draw.word(),
            evidenceHash: draw.word(),
            statementHash: draw.word(),
            payee: draw.address(),
        };
        let hash = signing_hash(&message, &oracle_domain(chain_id, oracle));
        let message = json!({
            "challengeHash": message.challengeHash, "evidenceHash": message.evidenceHash,
            "statementHash": message.statementHash, "payee": message.payee,
        });
        typed(chain_id, oracle, message, hash)
    })
}
