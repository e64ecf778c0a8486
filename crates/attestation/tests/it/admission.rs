// SPDX-License-Identifier: Apache-2.0
//! Admissions: what they state, how long, and who may have signed them.

use alloy_primitives::{Address, B256, U256};
use subrosa_attestation::admission::{
    AdmissionError, AdmissionKey, Registration, admit, verify as verify_admission,
};
use subrosa_attestation::{Bound, Expectations, Measurements, Policy, Verified, appraise, verify};
use subrosa_evidence::{CheckId, report_data};
use subrosa_types::Challenge;
use subrosa_types::abi::SignerAdmission;
use subrosa_types::eip712::registry_domain;
use subrosa_types::id::{TeeKind, product_id};

use crate::fixture::{NOW, binding, expectations, forge};

const LEASE: u64 = 3600;

fn registration() -> Registration {
    Registration {
        challenge_block: 1_234,
        challenge_block_hash: B256::repeat_byte(0xb1),
        registrant: Address::repeat_byte(0x9e),
    }
}

/// Evidence that answers the registration's challenge, appraised as a verifier does.
fn bound() -> Verified<Bound> {
    let binding = binding();
    let challenge = registration().challenge();
    let evidence = forge().report_data(report_data(&binding, &challenge));
    let expectations = Expectations {
        challenge,
        measurements: Measurements::JudgedElsewhere,
        ..expectations()
    };
    appraise(&evidence.evidence(), &expectations, NOW)
        .bound
        .unwrap()
}

fn admission() -> SignerAdmission {
    admit(&bound(), &registration(), LEASE, NOW).unwrap()
}

fn key() -> AdmissionKey {
    AdmissionKey::from_bytes(&[8; 32]).unwrap()
}

#[test]
fn an_admission_states_what_was_appraised() {
    let (bound, admission) = (bound(), admission());
    assert_eq!(admission.signer, binding().signer);
    assert_eq!(admission.transferKeyHash, binding().transfer_key_hash);
    assert_eq!(admission.configHash, binding().config_hash);
    assert_eq!(admission.startHash, binding().start_hash);
    assert_eq!(admission.measurementId, bound.claims.measurement_id);
    assert_eq!(admission.rootId, bound.claims.root_id);
    assert_eq!(
        (
            admission.teeKind,
            admission.tcbStatus,
            admission.tcbEvaluation
        ),
        (1, 1, 17)
    );
    let fmspc = bound.claims.register("fmspc").unwrap();
    assert_eq!(admission.product, product_id(TeeKind::Tdx, fmspc));
    assert_eq!(admission.machineId, bound.claims.machine_id);
    assert_eq!(admission.policyHash, Policy::development().hash());
    assert_eq!(admission.evidenceHash, bound.claims.evidence_hash);
    assert_eq!(admission.challengeBlock, 1_234);
    assert_eq!(
        admission.challengeBlockHash,
        registration().challenge_block_hash
    );
    assert_eq!(admission.registrant, registration().registrant);
    assert_eq!(admission.notAfter, NOW + LEASE);
}

#[test]
fn a_lease_ends_with_the_collateral_at_the_latest() {
    let admission = admit(&bound(), &registration(), u64::MAX, NOW).unwrap();
    assert_eq!(admission.notAfter, bound().claims.collateral_expires);
}

#[test]
fn evidence_for_another_registration_admits_nobody() {
    for other in [
        Registration {
            challenge_block_hash: B256::repeat_byte(0xb2),
            ..registration()
        },
        Registration {
            registrant: Address::repeat_byte(0x9f),
            ..registration()
        },
    ] {
        assert_eq!(
            admit(&bound(), &other, LEASE, NOW),
            Err(AdmissionError::Challenge)
        );
    }
}

#[test]
fn evidence_for_a_client_admits_nobody_whatever_the_client_sent() {
    let challenge = Challenge::Client(registration().challenge().bytes());
    let evidence = forge().report_data(report_data(&binding(), &challenge));
    let for_client = Expectations {
        challenge,
        ..expectations()
    };
    let bound = verify(&evidence.evidence(), &for_client, NOW).unwrap();
    assert_eq!(
        admit(&bound, &registration(), LEASE, NOW),
        Err(AdmissionError::Challenge)
    );
    let for_registry = Expectations {
        challenge: registration().challenge(),
        ..expectations()
    };
    let error = verify(&evidence.evidence(), &for_registry, NOW).unwrap_err();
    assert_eq!(error.check(), CheckId::Challenge);
}

#[test]
fn the_signature_is_the_verifiers_over_every_field_chain_and_registry() {
    let registry = Address::repeat_byte(0x0e);
    let domain = registry_domain(31_337, registry);
    let signature = key().sign(&admission(), &domain).unwrap();
    let verifiers = [Address::ZERO, key().address()];
    assert_eq!(
        verify_admission(&admission(), &signature, &domain, &verifiers),
        Ok(key().address())
    );
    assert!(matches!(
        verify_admission(&admission(), &signature, &domain, &[Address::ZERO]),
        Err(AdmissionError::Verifier { found }) if found == key().address()
    ));
    for domain in [
        registry_domain(1, registry),
        registry_domain(31_337, Address::repeat_byte(0x0f)),
    ] {
        assert!(verify_admission(&admission(), &signature, &domain, &verifiers).is_err());
    }
    let changes: [fn(&mut SignerAdmission); 17] = [
        |a| a.signer = Address::ZERO,
        |a| a.transferKeyHash.0[0] ^= 1,
        |a| a.measurementId.0[0] ^= 1,
        |a| a.configHash.0[0] ^= 1,
        |a| a.rootId.0[0] ^= 1,
        |a| a.teeKind ^= 1,
        |a| a.machineId.0[0] ^= 1,
        |a| a.tcbStatus ^= 1,
        |a| a.tcbEvaluation ^= 1,
        |a| a.policyHash.0[0] ^= 1,
        |a| a.evidenceHash.0[0] ^= 1,
        |a| a.challengeBlock ^= 1,
        |a| a.challengeBlockHash.0[0] ^= 1,
        |a| a.registrant = Address::ZERO,
        |a| a.notAfter ^= 1,
        |a| a.product.0[0] ^= 1,
        |a| a.startHash.0[0] ^= 1,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut changed = admission();
        change(&mut changed);
        assert!(
            verify_admission(&changed, &signature, &domain, &verifiers).is_err(),
            "field {index}"
        );
    }
}

#[test]
fn malleable_and_malformed_signatures_are_refused() {
    let domain = registry_domain(31_337, Address::ZERO);
    let signature = key().sign(&admission(), &domain).unwrap();
    let verifiers = [key().address()];
    let refused = |bytes: &[u8]| {
        assert_eq!(
            verify_admission(&admission(), bytes, &domain, &verifiers),
            Err(AdmissionError::Signature)
        );
    };
    // The other form: n - s and the other v.
    let order = U256::from_str_radix(
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        16,
    )
    .unwrap();
    let mut high = signature;
    let s = U256::from_be_slice(&signature[32..64]);
    high[32..64].copy_from_slice(&(order - s).to_be_bytes::<32>());
    high[64] ^= 27 ^ 28;
    refused(&high);
    for v in [0, 1, 26, 29, 255] {
        let mut wrong = signature;
        wrong[64] = v;
        refused(&wrong);
    }
    refused(&[]);
    refused(&signature[..64]);
    refused(&[0; 65]);
}

#[test]
fn the_address_is_ethereums() {
    // The first account of the mnemonic that development chains use.
    let scalar =
        alloy_primitives::hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    let expected = alloy_primitives::address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    assert_eq!(
        AdmissionKey::from_bytes(&scalar).unwrap().address(),
        expected
    );
}
