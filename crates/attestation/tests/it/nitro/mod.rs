// SPDX-License-Identifier: Apache-2.0
//! AWS Nitro Enclaves: genuine attestation documents, and forged ones under a certificate
//! authority of the test's own.

mod faults;
mod genuine;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::keccak256;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use sha2::{Digest, Sha256};
use subrosa_attestation::{Claims, Policy, Stated, Verified, VerifyError, inspect, verify_genuine};
use subrosa_evidence::{
    AWS_NITRO_ROOT_ID, CheckId, CheckOutcome, EvidenceBundle, EvidencePart, Product,
};
use subrosa_types::id::TeeKind;

use crate::forge::nitro as forge;
use crate::forge::nitro::{Blueprint, Forged, NOW, NULL, bytes, text, uint};
use faults::FAULTS;

fn bundle(document: Vec<u8>) -> EvidenceBundle {
    EvidenceBundle::from_parts(TeeKind::Nitro, [(EvidencePart::Quote, document)]).unwrap()
}

fn judge(forged: Forged, now: u64) -> Result<Verified<Claims>, VerifyError> {
    let mut policy = Policy::strict();
    policy.pin(forged.root);
    verify_genuine(&bundle(forged.document), &policy, now)
}

/// A forged document that is sound, and the policy that accepts it.
fn sound() -> (Vec<u8>, Policy) {
    let forged = Blueprint::genuine().build();
    let mut policy = Policy::strict();
    policy.pin(forged.root);
    (forged.document, policy)
}

#[test]
fn a_sound_document_says_everything_that_is_signed() {
    let mut blueprint = Blueprint::genuine();
    blueprint.set("public_key", bytes(b"key"));
    blueprint.set("nonce", bytes(b"nonce"));
    let forged = blueprint.build();
    let root_id = forged.root.id();
    let document = forged.document.clone();
    let claims = judge(forged, NOW).unwrap();

    assert_eq!(claims.tee, TeeKind::Nitro);
    assert_eq!(claims.product, Product::Nitro);
    assert_eq!(claims.root_id, root_id);
    let measurement = [[0xc0; 48], [0xc1; 48], [0xc2; 48]].concat();
    assert_eq!(claims.measurement, measurement);
    assert_eq!(claims.measurement_hash, keccak256(&measurement));
    assert_eq!(claims.report_data[..], [0x5a; 64]);
    assert_eq!(claims.config_register, None);
    assert_eq!(
        (claims.debug, claims.migratable, claims.vmpl),
        (0, false, None)
    );
    assert_eq!((claims.tcb_status, claims.tcb_date), (None, None));
    assert_eq!((claims.firmware, claims.tcb_evaluation), (None, None));
    assert!(claims.advisories.is_empty() && claims.revocation_checked);
    assert_eq!(claims.issued, Some(NOW - 1));
    assert!(claims.machine_id.is_zero());

    let names: Vec<&str> = claims
        .registers
        .iter()
        .map(|register| register.name.as_str())
        .collect();
    let pcrs: Vec<String> = (0..16).map(|index| format!("pcr{index}")).collect();
    let others = ["module_id", "nonce", "public_key"].map(str::to_owned);
    assert_eq!(names, [pcrs, others.to_vec()].concat());
    assert_eq!(claims.register("pcr8").unwrap()[..], [0xc8; 48]);
    assert_eq!(
        claims.register("module_id").unwrap()[..],
        *b"i-0123456789abcdef0-enc0123456789abcdef"
    );
    assert_eq!(claims.register("nonce").unwrap()[..], *b"nonce");
    assert_eq!(claims.register("public_key").unwrap()[..], *b"key");

    let collateral: Vec<(&str, u64)> = claims
        .collateral
        .iter()
        .map(|piece| (piece.name.as_str(), piece.expires))
        .collect();
    let day = 24 * 3600;
    assert_eq!(
        collateral,
        [
            ("certificate", NOW + 3 * 3600),
            ("cabundle-3", NOW + day),
            ("cabundle-2", NOW + 5 * day),
            ("cabundle-1", NOW + 30 * day),
        ]
    );
    assert_eq!(claims.collateral_expires, NOW + 3 * 3600);
    // Every digest is that of some certificate in the document.
    for piece in &claims.collateral {
        let found = (0..document.len()).any(|start| {
            let Some([0x30, 0x82, high, low]) = document.get(start..start + 4) else {
                return false;
            };
            let length = 4 + usize::from(u16::from_be_bytes([*high, *low]));
            document
                .get(start..start + length)
                .is_some_and(|der| Sha256::digest(der)[..] == piece.digest[..])
        });
        assert!(found, "{}", piece.name);
    }
    // The evidence is the structure that is signed, whatever carries it.
    let payload = coset_payload(&document);
    let head = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let signed = [
        &b"\x84\x6aSignature1\x44\xa1\x01\x38\x22\x40\x59"[..],
        &head,
        &payload,
    ]
    .concat();
    assert_eq!(claims.evidence_hash, keccak256(signed));
}

fn coset_payload(document: &[u8]) -> Vec<u8> {
    use coset::CborSerializable;
    let message = coset::CoseSign1::from_slice(document).unwrap();
    message.payload.unwrap()
}

#[test]
fn the_forms_that_a_sound_document_may_have_are_accepted() {
    type Form = (&'static str, fn(&mut Blueprint));
    let forms: &[Form] = &[
        ("as it is", |_| {}),
        ("tagged", |b| b.edit_document = |d| d.insert(0, 0xd2)),
        ("map of indefinite length", |b| b.open_map = true),
        ("optional fields absent", |b| {
            for name in ["public_key", "user_data", "nonce"] {
                b.drop(name);
            }
        }),
        ("optional fields null", |b| {
            for name in ["public_key", "user_data", "nonce"] {
                b.set(name, vec![NULL]);
            }
        }),
        ("optional fields as long as they may be", |b| {
            b.set("public_key", bytes(&[1; 1024]));
            b.set("user_data", bytes(&[2; 512]));
            b.set("nonce", bytes(&[3; 512]));
        }),
        ("registers of other lengths", |b| {
            b.set_pcr(31, Some(&[7; 64]))
        }),
        ("no register but those of the image", |b| {
            let image: Vec<_> = (0..3).map(|index| (index, vec![9; 48])).collect();
            b.set("pcrs", forge::pcrs(&image));
        }),
        ("at the first second of the leaf", |b| {
            b.now = NOW - 1000;
            b.set("timestamp", uint((NOW - 1000) * 1000));
        }),
        ("at the last second of the leaf", |b| {
            b.now = NOW + 3 * 3600;
            b.set("timestamp", uint((NOW + 3 * 3600) * 1000 + 999));
        }),
        ("as old as may be", |b| {
            b.set("timestamp", uint((NOW - 300) * 1000))
        }),
        ("signed by a root alone", |b| {
            b.certificates[forge::ENCLAVE].issuer = forge::ROOT;
            b.bundle.truncate(1);
        }),
        ("module id of another form", |b| {
            b.set("module_id", text("i-0"))
        }),
    ];
    for (name, shape) in forms {
        let mut blueprint = Blueprint::genuine();
        shape(&mut blueprint);
        let result = judge(blueprint.build(), blueprint.now);
        assert!(result.is_ok(), "{name}: {result:?}");
    }
}

#[test]
fn every_named_fault_is_found_by_its_check() {
    let names: BTreeSet<&str> = FAULTS
        .iter()
        .copied()
        .flatten()
        .map(|fault| fault.0)
        .collect();
    let count = FAULTS.iter().copied().flatten().count();
    assert_eq!(names.len(), count, "a name is used twice");
    let mut checks: BTreeMap<CheckId, usize> = BTreeMap::new();
    for (name, check, stale, spoil) in FAULTS.iter().copied().flatten() {
        let mut blueprint = Blueprint::genuine();
        spoil(&mut blueprint);
        let error = match judge(blueprint.build(), blueprint.now) {
            Ok(_) => panic!("{name}: accepted"),
            Err(error) => error,
        };
        assert_eq!(error.check(), *check, "{name}: {error}");
        let found_stale = matches!(error, VerifyError::Stale { .. });
        assert_eq!(found_stale, *stale, "{name}: {error}");
        *checks.entry(*check).or_default() += 1;
    }
    println!("{count} named faults: {checks:?}");
}

#[test]
fn the_verdict_lists_the_checks_of_the_kind() {
    let (document, policy) = sound();
    let (verdict, claims) = inspect(&bundle(document.clone()), &policy, &Stated::default(), NOW);
    assert!(claims.is_ok());
    let own = [
        CheckId::EvidenceFormat,
        CheckId::NitroCertificates,
        CheckId::NitroSignature,
        CheckId::NitroPcrs,
    ];
    let first: Vec<CheckId> = verdict
        .checks
        .iter()
        .take(4)
        .map(|check| check.id)
        .collect();
    assert_eq!(first, own);
    assert!(
        own.iter()
            .all(|id| verdict.check(*id).unwrap().outcome == CheckOutcome::Passed)
    );
    let (verdict, claims) = inspect(&bundle(document), &policy, &Stated::default(), 0);
    assert!(claims.is_err());
    let outcome = |id| verdict.check(id).unwrap().outcome;
    assert_eq!(outcome(CheckId::NitroCertificates), CheckOutcome::Failed);
    assert_eq!(outcome(CheckId::NitroSignature), CheckOutcome::NotEvaluated);
}

#[test]
fn debug_evidence_is_genuine_where_a_policy_dares() {
    let mut blueprint = Blueprint::genuine();
    blueprint.set_pcr(0, Some(&[0; 48]));
    let forged = blueprint.build();
    let mut policy = Policy::strict();
    policy.pin(forged.root);
    policy.dangerous_accept_debug = true;
    let claims = verify_genuine(&bundle(forged.document), &policy, NOW).unwrap();
    assert_eq!(claims.debug, 1);
}

#[test]
fn a_root_that_is_known_and_not_accepted_fails_the_check_of_roots() {
    let (document, mut policy) = sound();
    policy.roots = BTreeSet::from([AWS_NITRO_ROOT_ID]);
    let error = verify_genuine(&bundle(document), &policy, NOW).unwrap_err();
    assert_eq!(error.check(), CheckId::Root);
}

/// The other of the two signatures that ECDSA allows, s' = n - s, says the same.
#[test]
fn the_other_form_of_the_signature_changes_no_claim() {
    // SEC 2, section 2.5.1.
    let order = hex::decode(
        "ffffffffffffffffffffffffffffffffffffffffffffffff\
         c7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    )
    .unwrap();
    let (mut document, policy) = sound();
    let original = verify_genuine(&bundle(document.clone()), &policy, NOW).unwrap();
    let at = document.len() - 48;
    let mut borrow = 0;
    for (byte, n) in document[at..].iter_mut().zip(&order).rev() {
        let difference = i16::from(*n) - i16::from(*byte) - borrow;
        borrow = i16::from(difference < 0);
        *byte = difference.rem_euclid(256) as u8;
    }
    let other = verify_genuine(&bundle(document), &policy, NOW).unwrap();
    assert_eq!(other, original);
}

/// Flips one bit in every `step` and holds each mutant to the claims of the original. Returns how
/// many each check refused, and at which bits of the document the claims stayed the same.
fn flip(
    document: &[u8],
    policy: &Policy,
    now: u64,
    step: usize,
) -> (BTreeMap<CheckId, usize>, Vec<usize>) {
    let original = verify_genuine(&bundle(document.to_vec()), policy, now).unwrap();
    let (mut refused, mut same) = (BTreeMap::new(), Vec::new());
    for (turn, position) in (0..document.len() * 8).step_by(step).enumerate() {
        // Another bit of the byte each time, so that all eight are tried.
        let position = position + turn % step.min(8);
        let mut mutant = document.to_vec();
        mutant[position / 8] ^= 0x80 >> (position % 8);
        match verify_genuine(&bundle(mutant), policy, now) {
            Err(error) => *refused.entry(error.check()).or_default() += 1,
            Ok(claims) => {
                assert_eq!(claims, original, "bit {position} changed the claims");
                same.push(position);
            }
        }
    }
    println!("refused: {refused:?}, accepted with identical claims: bits {same:?}");
    (refused, same)
}

#[test]
fn a_flipped_bit_of_a_forged_document_is_refused() {
    let (document, policy) = sound();
    let (refused, same) = flip(&document, &policy, NOW, 8);
    assert_eq!(refused.values().sum::<usize>(), document.len());
    assert_eq!(same, Vec::<usize>::new());
    // PCRs are signed: what changes them fails before they are looked at.
    for check in [
        CheckId::EvidenceFormat,
        CheckId::Root,
        CheckId::NitroCertificates,
        CheckId::NitroSignature,
    ] {
        assert!(refused.contains_key(&check), "{check}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn arbitrary_bytes_are_refused(
        document in proptest::collection::vec(any::<u8>(), 0..4096),
        now in any::<u64>(),
    ) {
        prop_assert!(verify_genuine(&bundle(document), &Policy::strict(), now).is_err());
    }

    #[test]
    fn arbitrary_payloads_of_a_sound_envelope_are_refused(
        payload in proptest::collection::vec(any::<u8>(), 0..512),
        name in proptest::sample::select(vec!["pcrs", "cabundle", "nonce", "digest", "timestamp"]),
        entries in 0u64..40,
    ) {
        // Arbitrary bytes alone rarely get past the first field.
        let payload = [forge::head(5, entries), text(name), payload].concat();
        let document = [
            &[0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0][..],
            &bytes(&payload),
            &bytes(&[1; 96]),
        ];
        let error = verify_genuine(&bundle(document.concat()), &Policy::strict(), NOW).unwrap_err();
        prop_assert_eq!(error.check(), CheckId::EvidenceFormat);
    }

    #[test]
    fn spliced_documents_are_refused_or_change_no_claim(
        cut in any::<prop::sample::Index>(),
        resume in any::<prop::sample::Index>(),
        middle in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        // One for all cases: making keys is slow.
        static SOUND: std::sync::LazyLock<(Vec<u8>, Policy)> = std::sync::LazyLock::new(sound);
        let (document, policy) = &*SOUND;
        let spliced = [
            &document[..cut.index(document.len())],
            &middle,
            &document[resume.index(document.len())..],
        ]
        .concat();
        if spliced.len() <= 32 * 1024
            && let Ok(claims) = verify_genuine(&bundle(spliced), policy, NOW)
        {
            let original = verify_genuine(&bundle(document.clone()), policy, NOW).unwrap();
            prop_assert_eq!(claims, original);
        }
    }
}
