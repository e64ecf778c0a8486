// SPDX-License-Identifier: Apache-2.0
//! Receipts: a sound one passes every check, and no altered one does.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolValue;
use serde_json::{Value, json};
use subrosa_client::{
    Check,
    receipt::{ReceiptTrust, verify},
};
use subrosa_crypto::{Signer, compact};
use subrosa_evidence::{DEVELOPMENT_ROOT_ID, INTEL_SGX_ROOT_ID};
use subrosa_types::{
    abi::{CosignedResults, Entry, Outcome, SignedResults, SignerAdmission},
    eip712,
    entry::{EntryKind, Execution, FinalityClass, Payment, Settlement},
    result::result_hash,
    rpc::{Receipt, ReceiptSignature},
};

const CHAIN_ID: u64 = 31_337;
const ENTRY_TIME: u64 = 1_780_272_000;
const CONFIG: B256 = B256::repeat_byte(0xcf);
const MEASUREMENT: B256 = B256::repeat_byte(0x3e);

fn key(byte: u8) -> Signer {
    Signer::from_seed(&[byte; 32]).unwrap()
}

fn trust() -> ReceiptTrust {
    ReceiptTrust {
        chain_id: CHAIN_ID,
        oracle: Address::repeat_byte(4),
        registry: Address::repeat_byte(5),
        config_hash: CONFIG,
        start_hash: B256::repeat_byte(0x57),
        verifiers: vec![Address::repeat_byte(0xaa), key(2).address()],
        measurements: vec![MEASUREMENT],
        roots: vec![INTEL_SGX_ROOT_ID],
        development: false,
        fulfilled_at: None,
    }
}

/// The parts of a receipt before they are hashed and signed.
struct Parts {
    execution: Execution,
    entry: Entry,
    input: Bytes,
    outcome: Outcome,
    output: Bytes,
    sealed: Bytes,
    results: SignedResults,
    admission: SignerAdmission,
}

fn parts() -> Parts {
    let execution = Execution {
        kind: EntryKind::Call,
        flags: 1,
        fuel_limit: 1_000_000,
        code_version: 0,
        runtime_generation: 1,
        finality_class: FinalityClass::Signers,
        block_number: 100,
        block_timestamp: ENTRY_TIME,
        output_limit: 1_024,
    };
    let input = Bytes::from_static(b"envelope");
    let (output, sealed) = (Bytes::from_static(b"output"), Bytes::from_static(b"sealed"));
    Parts {
        execution,
        entry: Entry {
            contractId: B256::repeat_byte(0xc0),
            previousDigest: B256::repeat_byte(0xd1),
            context: B256::repeat_byte(0xc1),
            inputHash: keccak256(&input),
            execution: U256::ZERO,
            settlement: Settlement {
                requester: Address::repeat_byte(9),
                callback_gas_limit: 50_000,
                flags: 0,
                deadline: ENTRY_TIME + 60,
            }
            .pack(),
            payment: Payment {
                landing: 10,
                callback: 1,
                charge: 1,
                key_group: 1,
                key_epoch: 2,
                seq: 7,
            }
            .pack(),
            refundTo: Address::ZERO,
        },
        outcome: Outcome {
            status: 1,
            outputHash: keccak256(&output),
            sealedOutputHash: keccak256(&sealed),
            sealedLogsHash: B256::ZERO,
            fuelBucket: 17,
        },
        input,
        output,
        sealed,
        results: SignedResults {
            resultHashes: vec![B256::repeat_byte(1), B256::ZERO, B256::repeat_byte(2)],
            payee: Address::repeat_byte(0xa0),
        },
        admission: SignerAdmission {
            signer: key(1).address(),
            transferKeyHash: B256::repeat_byte(0x7f),
            measurementId: MEASUREMENT,
            configHash: CONFIG,
            startHash: B256::repeat_byte(0x57),
            rootId: INTEL_SGX_ROOT_ID,
            teeKind: 1,
            product: B256::repeat_byte(0x9d),
            machineId: B256::repeat_byte(0x4a),
            tcbStatus: 1,
            tcbEvaluation: 17,
            policyHash: B256::repeat_byte(0x90),
            evidenceHash: B256::repeat_byte(0xe1),
            challengeBlock: 50,
            challengeBlockHash: B256::repeat_byte(0xb0),
            registrant: Address::repeat_byte(8),
            notAfter: ENTRY_TIME,
        },
    }
}

impl Parts {
    /// Hashes and signs the parts as they are.
    fn sign(mut self, signer: &Signer, verifier: &Signer) -> Receipt {
        let trust = trust();
        if self.entry.execution.is_zero() {
            self.entry.execution = self.execution.pack();
        }
        let [previous, commitment] = [0x51, 0x52].map(|byte| {
            let mut word = B256::repeat_byte(byte);
            word.0[26..].fill(0);
            word
        });
        let digest = self.entry.digest(CHAIN_ID, trust.oracle);
        if let Some(hash) = self.results.resultHashes.get_mut(1) {
            *hash = result_hash(digest, self.outcome.hash(), previous, commitment);
        }
        let oracle = eip712::oracle_domain(CHAIN_ID, trust.oracle);
        let registry = eip712::registry_domain(CHAIN_ID, trust.registry);
        let (r, vs) = compact(&signer.sign(eip712::signing_hash(&self.results, &oracle)));
        let admitted = verifier.sign(eip712::signing_hash(&self.admission, &registry));
        Receipt {
            version: 2,
            chain_id: CHAIN_ID,
            oracle: trust.oracle,
            registry: trust.registry,
            entry: self.entry.abi_encode().into(),
            input: self.input,
            outcome: self.outcome.abi_encode().into(),
            output: self.output,
            sealed_output: self.sealed,
            previous_commitment: previous,
            commitment,
            signed_results: self.results.abi_encode().into(),
            signatures: vec![ReceiptSignature {
                r,
                vs,
                admission: self.admission.abi_encode().into(),
                admission_signature: admitted.as_bytes().to_vec().into(),
            }],
            transaction: Some(B256::repeat_byte(0x77)),
        }
    }
}

fn receipt() -> Receipt {
    parts().sign(&key(1), &key(2))
}

fn failures(checks: &[Check]) -> Vec<String> {
    let failed = checks.iter().filter(|check| !check.passed());
    failed.map(|check| check.id.to_string()).collect()
}

#[test]
fn a_sound_receipt_passes_every_check() {
    let checks = verify(&receipt(), &trust());
    assert_eq!(failures(&checks), [""; 0]);
    let names: Vec<_> = checks.iter().map(|check| check.id.as_ref()).collect();
    assert_eq!(
        names,
        [
            "version",
            "chain",
            "oracle",
            "registry",
            "decode.entry",
            "decode.outcome",
            "decode.results",
            "entry.execution",
            "entry.input",
            "outcome.status",
            "outcome.output",
            "outcome.sealed-output",
            "result.commitments",
            "result.listed",
            "signatures",
            "decode.admission",
            "signature.signer",
            "admission.verifier",
            "measurement",
            "config-hash",
            "start-hash",
            "root",
            "development",
            "admission.lease",
            "signatures.distinct",
        ]
    );
}

#[test]
fn deployments_have_receipts_too() {
    let mut parts = parts();
    parts.execution.kind = EntryKind::Deploy;
    parts.input = B256::repeat_byte(0x1c).to_vec().into();
    parts.entry.inputHash = B256::repeat_byte(0x1c);
    assert_eq!(
        failures(&verify(&parts.sign(&key(1), &key(2)), &trust())),
        [""; 0]
    );
}

#[test]
fn a_call_cannot_pass_its_hash_off_as_its_input() {
    let mut receipt = receipt();
    receipt.input = keccak256(b"envelope").to_vec().into();
    assert_eq!(failures(&verify(&receipt, &trust())), ["entry.input"]);
}

/// A contract with a threshold: further signers sign the list alone.
#[test]
fn a_further_signature_is_over_the_list_and_another_signer_s() {
    let trust = trust();
    let oracle = eip712::oracle_domain(CHAIN_ID, trust.oracle);
    let registry = eip712::registry_domain(CHAIN_ID, trust.registry);
    let further = |receipt: &Receipt, message: B256| {
        let mut admission = parts().admission;
        admission.signer = key(4).address();
        let (r, vs) = compact(&key(4).sign(message));
        let admitted = key(2).sign(eip712::signing_hash(&admission, &registry));
        let mut receipt = receipt.clone();
        receipt.signatures.push(ReceiptSignature {
            r,
            vs,
            admission: admission.abi_encode().into(),
            admission_signature: admitted.as_bytes().to_vec().into(),
        });
        receipt
    };
    let first = receipt();
    let results = SignedResults::abi_decode(&first.signed_results).unwrap();
    let list = CosignedResults {
        resultHashes: results.resultHashes.clone(),
    };
    let both = further(&first, eip712::signing_hash(&list, &oracle));
    assert_eq!(failures(&verify(&both, &trust)), [""; 0]);
    let with_payee = further(&first, eip712::signing_hash(&results, &oracle));
    assert_eq!(failures(&verify(&with_payee, &trust)), ["signature.signer"]);
    let mut twice = first.clone();
    twice.signatures.push(first.signatures[0].clone());
    assert_eq!(
        failures(&verify(&twice, &trust)),
        ["signature.signer", "signatures.distinct"]
    );
    let unsigned = Receipt {
        signatures: Vec::new(),
        ..first
    };
    assert_eq!(failures(&verify(&unsigned, &trust)), ["signatures"]);
}

/// Every byte of every field, one bit each: nothing but `transaction`, which is documented to be
/// a mere pointer, can change unnoticed.
#[test]
fn every_altered_byte_fails_a_check() {
    let sound = serde_json::to_value(receipt()).unwrap();
    let mut altered = 0;
    let signature = sound["signatures"][0].as_object().unwrap();
    let within = signature.iter().map(|field| (true, field));
    let fields = sound
        .as_object()
        .unwrap()
        .iter()
        .map(|field| (false, field));
    let fields = fields.filter(|(_, (name, _))| *name != "signatures");
    for (is_within, (field, value)) in fields.chain(within) {
        let mutants: Vec<Value> = match value {
            Value::Number(number) => vec![json!(number.as_u64().unwrap() ^ 1)],
            Value::String(text) => {
                let bytes = alloy_primitives::hex::decode(text).unwrap();
                let mut mutants: Vec<_> = (0..bytes.len())
                    .map(|index| {
                        let mut bytes = bytes.clone();
                        bytes[index] ^= 1 << (index % 8);
                        json!(Bytes::from(bytes))
                    })
                    .collect();
                // Lengths of hashes and addresses are fixed by their types; the rest may grow.
                if ![
                    "oracle",
                    "registry",
                    "r",
                    "vs",
                    "previousCommitment",
                    "commitment",
                ]
                .contains(&field.as_str())
                    && field != "transaction"
                {
                    mutants.push(json!(Bytes::from([bytes.as_slice(), &[0]].concat())));
                    mutants.push(json!(Bytes::from(bytes[..bytes.len() - 1].to_vec())));
                }
                mutants
            }
            other => panic!("{field} is {other}"),
        };
        for mutant in mutants {
            let mut receipt = sound.clone();
            if is_within {
                receipt["signatures"][0][field] = mutant;
            } else {
                receipt[field] = mutant;
            }
            let receipt: Receipt = serde_json::from_value(receipt).unwrap();
            let passed = verify(&receipt, &trust()).iter().all(Check::passed);
            assert_eq!(passed, field == "transaction", "{field}: {receipt:?}");
            altered += 1;
        }
    }
    assert!(altered > 1_000, "{altered}");
}

/// Soundly signed, but not by or about what is trusted.
#[test]
fn every_expectation_is_a_named_check() {
    type Spoil = fn(&mut Parts);
    let cases: [(&str, Spoil); 9] = [
        ("entry.execution", |p| p.entry.execution = U256::MAX),
        ("entry.input", |p| p.entry.inputHash = B256::ZERO),
        ("outcome.status", |p| p.outcome.status = 4),
        ("outcome.output", |p| p.outcome.outputHash = B256::ZERO),
        ("outcome.sealed-output", |p| {
            p.outcome.sealedOutputHash = B256::ZERO
        }),
        ("result.listed", |p| p.results.resultHashes.truncate(1)),
        ("start-hash", |p| p.admission.startHash = B256::ZERO),
        ("root", |p| p.admission.rootId = B256::repeat_byte(1)),
        ("admission.lease", |p| p.admission.notAfter = ENTRY_TIME - 1),
    ];
    for (check, spoil) in cases {
        let mut parts = parts();
        spoil(&mut parts);
        let checks = verify(&parts.sign(&key(1), &key(2)), &trust());
        let failed = failures(&checks);
        // An unreadable execution word also has no time to hold a lease against.
        assert_eq!(
            failed.first().map(String::as_str),
            Some(check),
            "{failed:?}"
        );
    }
    assert_eq!(
        failures(&verify(&parts().sign(&key(3), &key(2)), &trust())),
        ["signature.signer"]
    );
    assert_eq!(
        failures(&verify(&parts().sign(&key(1), &key(3)), &trust())),
        ["admission.verifier"]
    );
}

#[test]
fn trust_in_something_else_is_a_named_check() {
    type Change = fn(&mut ReceiptTrust);
    let cases: [(&str, Change); 7] = [
        ("chain", |t| t.chain_id = 1),
        ("oracle", |t| t.oracle = Address::ZERO),
        ("registry", |t| t.registry = Address::ZERO),
        ("config-hash", |t| t.config_hash = B256::ZERO),
        ("measurement", |t| t.measurements.clear()),
        ("root", |t| t.roots = vec![DEVELOPMENT_ROOT_ID]),
        ("admission.lease", |t| t.fulfilled_at = Some(ENTRY_TIME + 1)),
    ];
    for (check, change) in cases {
        let mut trust = trust();
        change(&mut trust);
        assert_eq!(failures(&verify(&receipt(), &trust)), [check]);
    }
}

#[test]
fn the_development_root_takes_consent() {
    let development = || {
        let mut parts = parts();
        parts.admission.rootId = DEVELOPMENT_ROOT_ID;
        parts.sign(&key(1), &key(2))
    };
    let listed = ReceiptTrust {
        roots: vec![DEVELOPMENT_ROOT_ID],
        ..trust()
    };
    assert_eq!(failures(&verify(&development(), &listed)), ["development"]);
    let consented = ReceiptTrust {
        development: true,
        ..listed
    };
    assert_eq!(failures(&verify(&development(), &consented)), [""; 0]);
}

#[test]
fn undecodable_parts_fail_by_name_and_stop_there() {
    let mut receipt = receipt();
    receipt.entry = Bytes::new();
    receipt.signed_results = vec![0xff; 64].into();
    let checks = verify(&receipt, &trust());
    assert_eq!(failures(&checks), ["decode.entry", "decode.results"]);
    assert!(!checks.iter().any(|check| check.id == "signature.signer"));
}
