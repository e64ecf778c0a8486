// SPDX-License-Identifier: Apache-2.0
//! `receipt verify`: what does not hold is refused with exit code 2, naming checks.

use alloy_primitives::{Address, B256, Bytes};
use serde_json::Value;
use subrosa_types::rpc::Receipt;

use crate::{errors::deployment, run::subrosa};

fn forged() -> Receipt {
    Receipt {
        version: 2,
        chain_id: 31_337,
        oracle: Address::repeat_byte(3),
        registry: Address::repeat_byte(1),
        entry: Bytes::new(),
        input: Bytes::new(),
        outcome: Bytes::new(),
        output: Bytes::new(),
        sealed_output: Bytes::new(),
        previous_commitment: B256::ZERO,
        commitment: B256::ZERO,
        signed_results: Bytes::new(),
        signatures: Vec::new(),
        transaction: None,
    }
}

#[test]
fn a_receipt_that_does_not_hold_is_a_refusal() {
    let (dir, deployment) = deployment();
    let file = dir.path().join("receipt.json");
    std::fs::write(&file, serde_json::to_string(&forged()).unwrap()).unwrap();
    let file = file.to_str().unwrap();
    let run = subrosa(&["receipt", "verify", file, "--deployment", &deployment]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stdout.contains("the receipt does not hold"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("development"), "{}", run.stdout);
    assert!(run.stderr.contains("decode.entry"), "{}", run.stderr);

    let run = subrosa(&[
        "receipt",
        "verify",
        file,
        "--deployment",
        &deployment,
        "--json",
    ]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    let verdict: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(verdict["holds"], false);
    let checks = verdict["checks"].as_array().unwrap();
    let failed: Vec<_> = checks
        .iter()
        .filter(|check| check["outcome"] == "failed")
        .map(|check| check["id"].as_str().unwrap())
        .collect();
    assert_eq!(failed, ["decode.entry", "decode.outcome", "decode.results"]);
}

#[test]
fn what_is_no_receipt_is_no_refusal() {
    let (dir, deployment) = deployment();
    let file = dir.path().join("receipt.json");
    std::fs::write(&file, "{}").unwrap();
    let arguments = [
        "receipt",
        "verify",
        file.to_str().unwrap(),
        "--deployment",
        &deployment,
    ];
    let error = subrosa(&arguments).failure();
    assert!(error.contains("receipt.json"), "{error}");
}
