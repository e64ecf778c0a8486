// SPDX-License-Identifier: Apache-2.0
//! `fixtures/protocol/vectors.json`: what this code computes, compared with what is committed.
//!
//! In the file, integers are decimal strings, packed words and hashes 32-byte hexadecimal strings.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{batches, hashes, messages, prices, words};

/// Cases of each kind.
pub(crate) const CASES: usize = 4;

#[test]
fn the_committed_vectors_are_what_this_code_computes() {
    let vectors = vectors();
    if std::env::var("UPDATE_FIXTURES").is_ok_and(|value| value == "1") {
        let json = serde_json::to_string_pretty(&vectors).unwrap();
        std::fs::write(path(), json + "\n").unwrap();
    }
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(path()).unwrap()).unwrap();
    let (committed, vectors) = (committed.as_object().unwrap(), vectors.as_object().unwrap());
    assert!(committed.keys().eq(vectors.keys()));
    for (kind, cases) in vectors {
        assert_eq!(
            &committed[kind], cases,
            "{kind}: run again with UPDATE_FIXTURES=1 if this is meant"
        );
    }
}

fn vectors() -> Value {
    json!({
        "contractId": hashes::contract_ids(),
        "codeCommitment": hashes::code_commitments(),
        "entry": hashes::entries(),
        "outcome": hashes::outcomes(),
        "result": hashes::results(),
        "outstanding": hashes::outstandings(),
        "epochRecord": hashes::epoch_records(),
        "epochKey": hashes::epoch_keys(),
        "measurement": hashes::measurements(),
        "epochSet": hashes::epoch_sets(),
        "product": hashes::products(),
        "config": hashes::configs(),
        "reportData": hashes::reported(),
        "executionWord": words::executions(),
        "settlementWord": words::settlements(),
        "paymentWord": words::payments(),
        "resultWord": words::results(),
        "headWord": words::heads(),
        "logWord": words::logs(),
        "termsWord": words::terms(),
        "decimal": prices::decimals(),
        "quote": prices::quotes(),
        "recoveryWord": words::recoveries(),
        "slot": words::slots(),
        "signedResults": messages::signed_results(),
        "cosignedResults": messages::cosigned_results(),
        "batch": batches::batches(),
        "signerAdmission": messages::signer_admissions(),
        "epochAcknowledgement": messages::epoch_acknowledgements(),
        "epochOpening": messages::epoch_openings(),
        "query": messages::queries(),
        "queryReply": messages::query_replies(),
        "contractStatement": messages::contract_statements(),
        "attestationStatement": messages::attestation_statements(),
        "attestationAnswer": messages::attestation_answers(),
    })
}

/// `CASES` values of `case`, which is told which one it makes.
pub(crate) fn cases(case: impl FnMut(usize) -> Value) -> Value {
    (0..CASES).map(case).collect()
}

fn path() -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "../../fixtures/protocol/vectors.json",
    ]
    .iter()
    .collect()
}
