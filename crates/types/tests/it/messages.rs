// SPDX-License-Identifier: Apache-2.0
//! EIP-712 messages under the domains of the two contracts.

use alloy_primitives::{Address, B256, U256, aliases::U48, keccak256};
use serde_json::{Value, json};
use subrosa_types::{
    abi::{
        AttestationAnswer, AttestationStatement, ContractStatement, Entry, EpochAcknowledgement,
        Outcome, Query, QueryReply, SignedResults, SignerAdmission,
    },
    eip712::{oracle_domain, registry_domain, signing_hash},
    result::{Head, pack_result, result_hash},
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
        let hashes = (0..=3 * index).map(|_| draw.word()).collect();
        let message = signed(&mut draw, hashes);
        let hash = signing_hash(&message, &oracle_domain(chain_id, oracle));
        signed_json(chain_id, oracle, &message, hash)
    })
}

/// What the signature of a batch of one contract's entries is over, from what the oracle is sent.
pub(crate) fn fulfillments() -> Value {
    let mut draw = Draw::new("fulfillment");
    cases(|index| {
        let (chain_id, oracle) = place(&mut draw);
        let contract = draw.word();
        let start = Head {
            seq: draw.bits(40),
            commitment: draw.commitment(),
        };
        let first_digest = draw.digest();
        let (mut head, mut digest) = (start, first_digest);
        let mut items = Vec::new();
        let mut result_hashes = Vec::new();
        for position in 0..=index {
            let entry = Entry {
                contractId: contract,
                seq: U48::from(head.seq),
                previousDigest: digest,
                context: draw.word(),
                inputHash: draw.word(),
                execution: draw.uint(),
                settlement: draw.uint(),
                payment: draw.uint(),
            };
            let output = draw.bytes(40 * position);
            let sealed = draw.bytes(33 * index);
            let outcome = Outcome {
                status: 1 + (position % 3) as u8,
                outputHash: keccak256(&output),
                sealedOutputHash: keccak256(&sealed),
                fuelBucket: draw.between(0, 64) as u8,
            };
            let commitment = draw.commitment();
            digest = entry.digest(chain_id, oracle);
            result_hashes.push(result_hash(
                digest,
                outcome.hash(),
                head.commitment,
                commitment,
            ));
            let length = output.len() as u32;
            let result = pack_result(commitment, outcome.status, outcome.fuelBucket, length);
            items.push(json!({
                "executionHash": entry.execution_hash(), "settlement": word(entry.settlement),
                "payment": word(entry.payment), "result": word(result),
                "data": alloy_primitives::Bytes::from([output, sealed].concat()),
            }));
            head = Head {
                seq: head.seq + 1,
                commitment,
            };
        }
        let message = signed(&mut draw, result_hashes);
        let hash = signing_hash(&message, &oracle_domain(chain_id, oracle));
        let mut case = signed_json(chain_id, oracle, &message, hash);
        case["group"] = json!({
            "contractId": contract, "start": word(start.pack()),
            "previousDigest": first_digest, "items": items,
        });
        case
    })
}

fn signed(draw: &mut Draw, hashes: Vec<B256>) -> SignedResults {
    SignedResults {
        resultHashes: hashes,
        anchorNumber: draw.bits(48),
        anchorHash: draw.word(),
        configHash: draw.word(),
        measurementId: draw.word(),
        keyGroup: draw.bits(32) as u32,
        keyEpoch: draw.bits(32) as u32,
    }
}

fn signed_json(chain_id: u64, oracle: Address, message: &SignedResults, hash: B256) -> Value {
    let message = json!({
        "resultHashes": message.resultHashes, "anchorNumber": decimal(message.anchorNumber),
        "anchorHash": message.anchorHash, "configHash": message.configHash,
        "measurementId": message.measurementId, "keyGroup": decimal(message.keyGroup),
        "keyEpoch": decimal(message.keyEpoch),
    });
    typed(chain_id, oracle, message, hash)
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
