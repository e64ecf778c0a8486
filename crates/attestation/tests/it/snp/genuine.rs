// SPDX-License-Identifier: Apache-2.0
//! Genuine reports, from the directory that `SUBROSA_VECTORS` names.

use std::collections::BTreeMap;

use alloy_primitives::hex;
use subrosa_attestation::{Claims, Policy, Verified, VerifyError, verify_genuine};
use subrosa_evidence::{CheckId, EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;
use subrosa_vectors::Vector;

struct Genuine {
    vector: Vector,
    report: Vec<u8>,
    certificates: Vec<Vec<u8>>,
    now: u64,
}

impl Genuine {
    fn bundle(&self) -> EvidenceBundle {
        bundle(&self.report, &self.certificates)
    }

    fn says(&self, name: &str) -> Option<Vec<u8>> {
        hex::decode(self.vector.measurements().get(name)?.as_str()?).ok()
    }
}

fn bundle(report: &[u8], certificates: &[Vec<u8>]) -> EvidenceBundle {
    EvidenceBundle::from_parts(
        TeeKind::Snp,
        [
            (EvidencePart::Quote, report.to_vec()),
            (EvidencePart::Certificates, certificates.concat()),
        ],
    )
    .unwrap()
}

/// Judges signatures, chains, dates and debugging, and nothing else.
fn permissive() -> Policy {
    let mut policy = Policy::strict();
    policy.denied_products.clear();
    policy.require_revocation_lists = false;
    policy.maximum_vmpl = 3;
    policy
}

fn vectors() -> Option<Vec<Genuine>> {
    Some(subrosa_vectors::of("snp")?.into_iter().map(read).collect())
}

fn read(vector: Vector) -> Genuine {
    let files = |role| vector.files(&[role]);
    Genuine {
        now: vector.now().unwrap(),
        certificates: [files("vek_der"), files("ask_der"), files("ark_der")].concat(),
        report: vector.file("report"),
        vector,
    }
}

fn check_of(verdict: &Result<Verified<Claims>, VerifyError>) -> Option<CheckId> {
    match verdict {
        Err(VerifyError::Rejected { check, .. } | VerifyError::Stale { check, .. }) => Some(*check),
        _ => None,
    }
}

#[test]
fn genuine_reports_have_the_expected_verdict() {
    let Some(vectors) = vectors() else { return };
    for genuine in &vectors {
        let id = &genuine.vector.id;
        let verdict = verify_genuine(&genuine.bundle(), &permissive(), genuine.now);
        match genuine.vector.expected("result").as_str().unwrap() {
            "accept" => {
                let claims = verdict.unwrap_or_else(|error| panic!("{id}: {error}"));
                let claims = claims.into_inner();
                assert_eq!(
                    Some(claims.measurement.to_vec()),
                    genuine.says("measurement")
                );
                assert_eq!(
                    Some(claims.report_data.to_vec()),
                    genuine.says("report_data")
                );
                for name in ["chip_id", "host_data", "reported_tcb", "current_tcb"] {
                    let found = claims.register(name).unwrap().to_vec();
                    assert_eq!(Some(found), genuine.says(name), "{id}: {name}");
                }
                let vmpl = genuine.vector.measurements()["vmpl"].as_u64();
                assert_eq!(claims.vmpl.map(u64::from), vmpl, "{id}");
                assert_eq!((claims.debug, claims.migratable), (0, false), "{id}");
            }
            "reject" => assert!(verdict.is_err(), "{id}"),
            other => panic!("{id}: {other}"),
        }
        if genuine.vector.expected("strict_policy") == "reject" {
            let strict = verify_genuine(&genuine.bundle(), &Policy::strict(), genuine.now);
            assert!(strict.is_err(), "{id}");
        }
    }
    println!("{} genuine SEV-SNP vectors", vectors.len());
}

#[test]
fn each_negative_fails_the_check_it_is_named_for() {
    let Some(vectors) = vectors() else { return };
    for (id, expected) in [
        ("neg_snp_milan_debug", CheckId::Debug),
        ("neg_snp_wrong_vcek", CheckId::SnpSignature),
        ("neg_snp_report_data_flip", CheckId::SnpSignature),
        ("neg_snp_vlek_expired", CheckId::SnpCertificates),
    ] {
        if let Some(genuine) = vectors.iter().find(|genuine| genuine.vector.id == id) {
            let verdict = verify_genuine(&genuine.bundle(), &permissive(), genuine.now);
            assert_eq!(check_of(&verdict), Some(expected), "{id}");
        }
    }
}

#[test]
fn the_built_in_authorities_do_for_a_vcek_alone() {
    let Some(vectors) = vectors() else { return };
    let mut alone = 0;
    for genuine in &vectors {
        let signing_key = genuine.vector.measurements()["signing_key"].as_str();
        if !genuine.vector.is_accepted() || signing_key != Some("VCEK") {
            continue;
        }
        let with = verify_genuine(&genuine.bundle(), &permissive(), genuine.now).unwrap();
        let bundle = bundle(&genuine.report, &genuine.certificates[..1]);
        let without = verify_genuine(&bundle, &permissive(), genuine.now).unwrap();
        assert_eq!(with, without);
        alone += 1;
    }
    assert!(alone > 0);
}

#[test]
fn every_61st_bit_is_authenticated_or_means_nothing() {
    let Some(vectors) = vectors() else { return };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for genuine in &vectors {
        if !genuine.vector.is_accepted() {
            continue;
        }
        let sound = verify_genuine(&genuine.bundle(), &permissive(), genuine.now).unwrap();
        let mut flip = |what: &str, bytes: &[u8], rebuild: &dyn Fn(&[u8]) -> EvidenceBundle| {
            // 61 is coprime to 8: every bit of a byte has its turn.
            for bit in (0..bytes.len() * 8).step_by(61) {
                let mut flipped = bytes.to_vec();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let verdict = verify_genuine(&rebuild(&flipped), &permissive(), genuine.now);
                let found = match &verdict {
                    Ok(claims) => {
                        assert_eq!(claims, &sound, "{what} bit {bit} changes the claims");
                        "accepted unchanged".to_owned()
                    }
                    Err(_) => {
                        check_of(&verdict).map_or_else(String::new, |check| check.to_string())
                    }
                };
                assert!(what == "ARK" || verdict.is_err(), "{what} bit {bit}");
                *counts.entry(format!("{what}: {found}")).or_default() += 1;
            }
        };
        flip("report", &genuine.report, &|report| {
            bundle(report, &genuine.certificates)
        });
        for (index, what) in ["VEK", "ASK", "ARK"].into_iter().enumerate() {
            flip(what, &genuine.certificates[index], &|flipped| {
                let mut certificates = genuine.certificates.clone();
                certificates[index] = flipped.to_vec();
                bundle(&genuine.report, &certificates)
            });
        }
    }
    for (what, count) in &counts {
        println!("{what}: {count}");
    }
    assert!(counts.keys().any(|found| found.contains("snp.signature")));
    assert!(
        counts
            .keys()
            .any(|found| found.contains("snp.certificates"))
    );
}
