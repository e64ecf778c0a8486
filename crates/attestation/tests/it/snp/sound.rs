// SPDX-License-Identifier: Apache-2.0
//! Evidence with nothing wrong.

use std::sync::LazyLock;

use alloy_primitives::{B256, keccak256};
use proptest::prelude::*;
use proptest::sample::Index;
use subrosa_attestation::{Firmware, VerifyError, machine_id};
use subrosa_evidence::{CheckId, EvidenceBundle, EvidencePart, Product};
use subrosa_types::id::TeeKind;

use super::{GENOA, MILAN, TURIN, policy, verify};
use crate::forge::snp::{DAY, Evidence, LIST_URI, NOW, Scenario, scope, tcb, tlv};

#[test]
fn reports_of_every_product_and_version_are_accepted() {
    for (pki, product) in [
        (&MILAN, Product::Milan),
        (&GENOA, Product::Genoa),
        (&TURIN, Product::Turin),
    ] {
        for version in [2, 3, 5] {
            let spoil = |scenario: &mut Scenario| {
                scenario.put(0, &[version]);
                if version == 2 {
                    scenario.put(0x188, &[0; 3]);
                }
            };
            for evidence in [pki.evidence(spoil), pki.vlek(spoil)] {
                let claims = verify(&evidence).unwrap().into_inner();
                assert_eq!(claims.product, product);
                assert_eq!(claims.tee, TeeKind::Snp);
                assert_eq!(claims.root_id, pki.root().id());
                assert_eq!(claims.register("cpuid").is_some(), version >= 3);
                assert_eq!(claims.register("launch_mit_vector").is_some(), version >= 5);
            }
        }
    }
}

#[test]
fn claims_are_what_the_report_says() {
    let evidence = TURIN.evidence(|_| {});
    let claims = verify(&evidence).unwrap().into_inner();
    assert_eq!(claims.measurement[..], [0x3e; 48]);
    assert_eq!(claims.measurement_hash, keccak256([0x3e; 48]));
    assert_eq!(claims.report_data[..], [0xda; 64]);
    assert_eq!((claims.debug, claims.migratable), (0, false));
    assert_eq!((claims.vmpl, claims.config_register), (Some(0), None));
    assert_eq!(
        claims.firmware,
        Some(Firmware {
            fmc: 2,
            bootloader: 4,
            tee: 1,
            snp: 24,
            microcode: 219
        })
    );
    assert!(claims.revocation_checked);
    assert_eq!(
        claims.register("reported_tcb").unwrap()[..],
        tcb(Product::Turin)
    );
    assert_eq!(
        claims.register("policy").unwrap()[..],
        [0, 0, 0, 0, 0, 3, 0, 0]
    );
    let chip = [[0xc1; 8].as_slice(), &[0; 56]].concat();
    assert_eq!(claims.register("chip_id").unwrap()[..], chip);
    assert_eq!(claims.machine_id, machine_id(claims.root_id, &chip));
    assert_eq!(claims.evidence_hash, keccak256(&evidence.report[..0x2A0]));
    let names: Vec<&str> = claims
        .collateral
        .iter()
        .map(|part| part.name.as_str())
        .collect();
    assert_eq!(names, ["vcek", "ask", "ark", "crl"]);
    assert_eq!(claims.collateral_expires, NOW + DAY);
}

#[test]
fn a_masked_chip_under_a_vlek_is_no_machine() {
    let claims = verify(&GENOA.vlek(|_| {})).unwrap().into_inner();
    let provider = b"CN=provider.example";
    assert_eq!(claims.register("csp_id").unwrap()[..], provider[..]);
    assert_eq!(claims.machine_id, B256::ZERO);
    let shown = GENOA.vlek(|scenario| scenario.put(0x1A0, &[7; 64]));
    assert_eq!(
        verify(&shown).unwrap().into_inner().machine_id,
        machine_id(claims.root_id, &[7; 64])
    );
}

#[test]
fn the_form_in_which_certificates_come_changes_nothing() {
    let evidence = GENOA.evidence(|_| {});
    let claims = verify(&evidence).unwrap();
    assert_eq!(verify(&evidence.clone().into_table()).unwrap(), claims);
    let mut reversed = evidence.clone();
    reversed.certificates.reverse();
    assert_eq!(verify(&reversed).unwrap(), claims);
    let mut both = evidence.clone().into_table();
    both.certificates.clone_from(&evidence.certificates);
    both.lists.clone_from(&evidence.lists);
    assert_eq!(verify(&both).unwrap(), claims);
    let mut rootless = evidence.clone();
    rootless.certificates.pop();
    assert_eq!(verify(&rootless).unwrap(), claims);

    let pem = |label: &str, items: &[Vec<u8>]| {
        let block = |der: &Vec<u8>| {
            let body = base64(der);
            format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
        };
        items.iter().map(block).collect::<String>().into_bytes()
    };
    let bundle = EvidenceBundle::from_parts(
        TeeKind::Snp,
        [
            (EvidencePart::Quote, evidence.report.clone()),
            (
                EvidencePart::Certificates,
                pem("CERTIFICATE", &evidence.certificates),
            ),
            (
                EvidencePart::RevocationLists,
                pem("X509 CRL", &evidence.lists),
            ),
        ],
    )
    .unwrap();
    let from_pem = subrosa_attestation::verify_genuine(&bundle, &policy(), NOW).unwrap();
    assert_eq!(from_pem, claims);
}

#[test]
fn the_certificate_of_the_key_that_signed_is_found_among_both() {
    let (chip, provider) = (GENOA.evidence(|_| {}), GENOA.vlek(|_| {}));
    let all = [chip.certificates.clone(), provider.certificates.clone()].concat();
    for mut evidence in [chip, provider] {
        let claims = verify(&evidence).unwrap();
        for _ in 0..all.len() {
            evidence.certificates.clone_from(&all);
            assert_eq!(verify(&evidence).unwrap(), claims);
        }
    }
}

#[test]
fn everything_is_in_force_up_to_its_last_second() {
    let mut evidence = GENOA.evidence(|scenario| scenario.vek_in_force = (NOW, NOW + 10));
    assert_eq!(
        verify(&evidence).unwrap().into_inner().collateral_expires,
        NOW + 10
    );
    evidence.now = NOW + 10;
    verify(&evidence).unwrap();
    evidence.now = NOW + 11;
    assert!(matches!(
        verify(&evidence),
        Err(VerifyError::Stale {
            check: CheckId::SnpCertificates,
            ..
        })
    ));
}

#[test]
fn what_is_allowed_is_no_fault() {
    // Every bit that the ABI defines beside debugging and migration; an author key; firmware that
    // the host reports lower than it is; a product name with a stepping; a wrapped hwID; a list
    // whose scope names this very place, or authorities.
    verify(&GENOA.evidence(|scenario| scenario.put(0x08, &[0xff, 0xff, 0xf3, 3]))).unwrap();
    verify(&GENOA.evidence(|scenario| {
        scenario.put(0x48, &[1]);
        scenario.put(0x110, &[1; 48]);
    }))
    .unwrap();
    verify(&GENOA.evidence(|scenario| {
        scenario.put(0x3E, &[30]);
        scenario.put(0x1E6, &[29]);
    }))
    .unwrap();
    verify(&GENOA.evidence(|scenario| {
        scenario.extensions.insert("2", tlv(0x16, b"Genoa-B1"));
        scenario.extensions.insert("4", tlv(4, &[0xc1; 64]));
    }))
    .unwrap();
    let old = GENOA.evidence(|scenario| scenario.list.as_mut().unwrap().bare = true);
    assert!(verify(&old).unwrap().revocation_checked);
    for only in [None, Some(2)] {
        let evidence = GENOA.evidence(|scenario| {
            scenario.list.as_mut().unwrap().scope = Some(scope(LIST_URI, only));
        });
        verify(&evidence).unwrap();
    }
}

#[test]
fn the_policy_may_relax_what_is_the_policys() {
    let evidence = GENOA.evidence(|scenario| {
        scenario.put(0x0A, &[0b1111]);
        scenario.put(0x30, &[3]);
        scenario.list = None;
    });
    let mut policy = policy();
    policy.dangerous_accept_debug = true;
    policy.dangerous_accept_migration = true;
    policy.maximum_vmpl = 3;
    policy.require_revocation_lists = false;
    let claims = subrosa_attestation::verify_genuine(&evidence.bundle(), &policy, NOW)
        .unwrap()
        .into_inner();
    assert_eq!((claims.debug, claims.migratable), (1, true));
    assert_eq!(claims.vmpl, Some(3));
    assert!(!claims.revocation_checked);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is spliced into evidence, it is refused, or it means the same.
    #[test]
    fn spliced_evidence_is_refused_or_means_the_same(
        part in 0_usize..6,
        start in any::<Index>(),
        length in 0_usize..40,
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        static SOUND: LazyLock<Evidence> = LazyLock::new(|| GENOA.evidence(|_| {}));
        let mut evidence = SOUND.clone();
        if part == 5 {
            evidence = evidence.into_table();
        }
        let spliced = match (part, &mut evidence.table) {
            (5, Some(table)) => table,
            (4, _) => &mut evidence.lists[0],
            (1..=3, _) => &mut evidence.certificates[part - 1],
            _ => &mut evidence.report,
        };
        let start = start.index(spliced.len());
        let end = spliced.len().min(start + length);
        spliced.splice(start..end, bytes);
        if let Ok(claims) = verify(&evidence) {
            prop_assert_eq!(claims, verify(&SOUND).unwrap());
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
