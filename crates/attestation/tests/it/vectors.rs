// SPDX-License-Identifier: Apache-2.0
//! Genuine quotes of real hardware, from the directory that `SUBROSA_VECTORS` names.
//!
//! `MANIFEST.json` there says of every vector which files it consists of, at what time it is
//! judged, and what the verdict is: with `strict_policy` `reject`, signatures are fine and the TCB
//! status is not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use alloy_primitives::hex;
use serde::Deserialize;
use subrosa_attestation::{
    CheckId, EvidenceBundle, INTEL_SGX_ROOT_ID, Policy, TcbStatus, VerifyError, verify_genuine,
};
use subrosa_types::id::TeeKind;

use crate::mutation::flip_every_64th_bit;

#[derive(Deserialize)]
struct Manifest {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    tee: String,
    polarity: String,
    files: Vec<File>,
    now: serde_json::Value,
    expected: Expected,
    #[serde(default)]
    measurements: serde_json::Value,
}

#[derive(Deserialize)]
struct File {
    role: String,
    path: PathBuf,
}

#[derive(Deserialize)]
struct Expected {
    result: String,
    tcb_status: Option<String>,
    #[serde(default)]
    advisories: Vec<String>,
    strict_policy: Option<String>,
}

/// Every status but a revoked one: judges signatures alone.
fn signatures_only() -> Policy {
    let mut policy = Policy::strict();
    policy.tcb_statuses = BTreeSet::from([
        TcbStatus::UpToDate,
        TcbStatus::SwHardeningNeeded,
        TcbStatus::ConfigurationNeeded,
        TcbStatus::ConfigurationAndSwHardeningNeeded,
        TcbStatus::OutOfDate,
        TcbStatus::OutOfDateConfigurationNeeded,
        TcbStatus::TdRelaunchAdvised,
        TcbStatus::TdRelaunchAdvisedConfigurationNeeded,
    ]);
    policy
}

fn tdx_vectors() -> Option<(PathBuf, Vec<Vector>)> {
    let Some(directory) = std::env::var_os("SUBROSA_VECTORS") else {
        assert_ne!(
            std::env::var("SUBROSA_REQUIRE_VECTORS").as_deref(),
            Ok("1"),
            "SUBROSA_REQUIRE_VECTORS=1, but SUBROSA_VECTORS names no directory"
        );
        println!("vectors: NOT RUN (SUBROSA_VECTORS is not set)");
        return None;
    };
    let directory = PathBuf::from(directory);
    let manifest = std::fs::read(directory.join("MANIFEST.json")).unwrap();
    let manifest: Manifest = serde_json::from_slice(&manifest).unwrap();
    let tdx: Vec<Vector> = manifest
        .vectors
        .into_iter()
        .filter(|vector| vector.tee == "tdx")
        .collect();
    assert!(tdx.len() >= 12, "only {} TDX vectors", tdx.len());
    Some((directory, tdx))
}

fn load(directory: &Path, vector: &Vector) -> (EvidenceBundle, u64) {
    let read = |role: &str| {
        let file = vector.files.iter().find(|file| file.role == role);
        std::fs::read(directory.join(&file.unwrap_or_else(|| panic!("{}", vector.id)).path))
            .unwrap()
    };
    let bundle = EvidenceBundle::new(TeeKind::Tdx, read("quote"), read("collateral_json")).unwrap();
    let now = vector
        .now
        .get("unix")
        .unwrap_or(&vector.now)
        .as_u64()
        .unwrap();
    (bundle, now)
}

#[test]
fn genuine_quotes_verify_as_the_manifest_says() {
    let Some((directory, vectors)) = tdx_vectors() else {
        return;
    };
    let (mut positives, mut negatives) = (0, 0);
    for vector in &vectors {
        let (bundle, now) = load(&directory, vector);
        let signatures = verify_genuine(&bundle, &signatures_only(), now);
        let strict = verify_genuine(&bundle, &Policy::strict(), now);
        if vector.polarity == "negative" {
            assert_eq!(vector.expected.result, "reject", "{}", vector.id);
            let error = signatures.unwrap_err();
            println!("{}: {error}", vector.id);
            assert!(strict.is_err(), "{}", vector.id);
            negatives += 1;
            continue;
        }
        let claims = signatures.unwrap_or_else(|error| panic!("{}: {error}", vector.id));
        let expected = &vector.expected;
        assert_eq!(claims.root_id, INTEL_SGX_ROOT_ID);
        assert_eq!(
            claims.tcb_status.unwrap().to_string(),
            *expected.tcb_status.as_ref().unwrap()
        );
        let found: BTreeSet<_> = claims.advisories.iter().collect();
        assert_eq!(found, expected.advisories.iter().collect(), "{}", vector.id);
        assert_eq!(claims.debug, 0);
        let field = |name: &str| {
            hex::decode(vector.measurements.get(name).unwrap().as_str().unwrap()).unwrap()
        };
        let measurement = [
            field("mrtd"),
            field("rtmr0"),
            field("rtmr1"),
            field("rtmr2"),
        ]
        .concat();
        assert_eq!(*claims.measurement, measurement, "{}", vector.id);
        assert_eq!(
            claims.config_register.unwrap().to_vec(),
            field("rtmr3"),
            "{}",
            vector.id
        );
        assert_eq!(
            claims.report_data.to_vec(),
            field("report_data"),
            "{}",
            vector.id
        );
        match expected.strict_policy.as_deref() {
            Some("reject") => {
                assert_eq!(
                    strict.unwrap_err().check(),
                    CheckId::TcbStatus,
                    "{}",
                    vector.id
                );
            }
            _ => assert_eq!(strict.unwrap(), claims, "{}", vector.id),
        }
        positives += 1;
    }
    println!("vectors: {positives} positive, {negatives} negative");
}

#[test]
fn genuine_negatives_fail_for_the_reason_they_were_made_for() {
    let Some((directory, vectors)) = tdx_vectors() else {
        return;
    };
    let reasons = [
        ("neg_tdx_v5_no_tcb_level", CheckId::TcbLevel),
        ("neg_tdx_v4_report_data_flip", CheckId::DcapSignature),
        ("neg_tdx_v4_truncated", CheckId::EvidenceFormat),
        ("neg_tdx_v4_wrong_fmspc", CheckId::TcbLevel),
        ("neg_tdx_v4_tcbinfo_tamper", CheckId::DcapCollateral),
    ];
    for (id, check) in reasons {
        let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
        let (bundle, now) = load(&directory, vector);
        let error = verify_genuine(&bundle, &signatures_only(), now).unwrap_err();
        assert_eq!(error.check(), check, "{id}: {error}");
    }
    let expired = vectors
        .iter()
        .find(|v| v.id == "neg_tdx_v4_expired_collateral")
        .unwrap();
    let (bundle, now) = load(&directory, expired);
    let error = verify_genuine(&bundle, &signatures_only(), now).unwrap_err();
    assert!(matches!(error, VerifyError::Stale { .. }), "{error:?}");
}

#[test]
fn a_flipped_bit_of_a_genuine_quote_is_refused_or_changes_no_claim() {
    let Some((directory, vectors)) = tdx_vectors() else {
        return;
    };
    let vector = vectors
        .iter()
        .find(|vector| vector.id == "tdx_v4_phala")
        .unwrap();
    let (bundle, now) = load(&directory, vector);
    let (refused, identical) = flip_every_64th_bit(&bundle, &Policy::strict(), now);
    println!("{refused} refused, {identical} accepted with identical claims");
    // This file has 70 bytes of padding after the quote.
    assert!(refused > 590 && identical < 20, "{refused} {identical}");
}
