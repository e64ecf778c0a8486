// SPDX-License-Identifier: Apache-2.0
//! Genuine evidence of real hardware, from the directory that `SUBROSA_VECTORS` names.
//!
//! `MANIFEST.json` there says of every vector which files it consists of, at what time it is
//! judged, and what the verdict is: with `strict_policy` `reject`, signatures are fine and the
//! strict policy rejects all the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use subrosa_attestation::{
    Claims, Policy, PolicyFile, Root, VerifyError, bundle_of_files, verify_genuine,
};
use subrosa_evidence::{CheckId, EvidenceBundle};

#[derive(Deserialize)]
struct Manifest {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
pub(crate) struct Vector {
    pub(crate) id: String,
    tee: String,
    files: Vec<File>,
    now: Value,
    expected: Expected,
    #[serde(default)]
    measurements: Value,
}

#[derive(Deserialize)]
struct File {
    role: String,
    path: PathBuf,
}

#[derive(Deserialize)]
struct Expected {
    result: String,
    #[serde(default)]
    soft: bool,
    tcb_status: Option<String>,
    advisories: Option<BTreeSet<String>>,
    strict_policy: Option<String>,
}

/// A genuine vector by name, or nothing if there are no vectors here.
pub(crate) fn genuine(id: &str) -> Option<(EvidenceBundle, u64)> {
    let (directory, vectors) = vectors()?;
    let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
    Some((vector.bundle(&directory).unwrap(), vector.now()))
}

/// Every vector, or nothing if there are none here.
pub(crate) fn vectors() -> Option<(PathBuf, Vec<Vector>)> {
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
    Some((directory, manifest.vectors))
}

/// Signatures, chains, revocation, dates and debugging, and nothing else.
pub(crate) fn permissive() -> Policy {
    let text = include_str!("../../../../fixtures/policies/vectors.toml");
    PolicyFile::parse(text).unwrap().policy
}

const SUPPORTED: [&str; 6] = ["tdx", "sgx", "sgx-synthetic", "snp", "nitro", "azure-vtpm"];

impl Vector {
    fn now(&self) -> u64 {
        self.now["unix"].as_u64().unwrap_or(0)
    }

    fn read(&self, directory: &Path, roles: &[&str]) -> Vec<Vec<u8>> {
        self.files
            .iter()
            .filter(|file| roles.contains(&file.role.as_str()))
            .map(|file| std::fs::read(directory.join(&file.path)).unwrap())
            .collect()
    }

    fn bundle(&self, directory: &Path) -> Result<EvidenceBundle, subrosa_attestation::FilesError> {
        let evidence = ["quote", "report", "cose_sign1", "evidence_json"];
        let beside = ["collateral_json", "vek_der", "ask_der", "ark_der"];
        let evidence = self.read(directory, &evidence);
        bundle_of_files(&evidence[0], &self.read(directory, &beside))
    }

    /// `policy`, with the vector's own root as the only one where it has one.
    fn policy(&self, directory: &Path, mut policy: Policy) -> Policy {
        for root in self.read(directory, &["root_ca_der", "root_pem", "ark_der"]) {
            policy.roots.clear();
            policy.pin(Root::from_certificate(&root).unwrap());
        }
        policy
    }

    fn judge(&self, directory: &Path, policy: Policy) -> Result<Claims, Option<VerifyError>> {
        let bundle = self.bundle(directory).map_err(|_| None)?;
        let policy = self.policy(directory, policy);
        verify_genuine(&bundle, &policy, self.now())
            .map(subrosa_attestation::Verified::into_inner)
            .map_err(Some)
    }
}

#[test]
fn genuine_evidence_verifies_as_the_manifest_says() {
    let Some((directory, vectors)) = vectors() else {
        return;
    };
    let (mut judged, mut skipped) = (0, 0);
    for vector in &vectors {
        let id = &vector.id;
        if !SUPPORTED.contains(&vector.tee.as_str()) {
            println!("{id}: NOT RUN ({})", vector.tee);
            skipped += 1;
            continue;
        }
        let expected = &vector.expected;
        let verdict = vector.judge(&directory, permissive());
        match (&verdict, expected.result.as_str()) {
            (Ok(claims), "accept") => {
                assert_claims(vector, claims);
                if expected.strict_policy.as_deref() == Some("reject") {
                    let strict = vector.judge(&directory, Policy::strict());
                    assert!(strict.is_err(), "{id}: accepted by the strict policy");
                }
            }
            (Err(error), "accept") => assert!(expected.soft, "{id}: {error:?}"),
            (Err(_), "reject") | (_, "either") => {}
            (Ok(_), _) => panic!("{id}: accepted"),
            (_, other) => panic!("{id}: {other}"),
        }
        judged += 1;
    }
    println!("vectors: {judged} judged, {skipped} NOT RUN");
    assert!(judged >= 40, "only {judged} vectors");
}

/// Registers, report data, status and advisories as the manifest has them.
fn assert_claims(vector: &Vector, claims: &Claims) {
    let (id, expected) = (&vector.id, &vector.expected);
    if let Some(status) = &expected.tcb_status {
        assert_eq!(claims.tcb_status.unwrap().to_string(), *status, "{id}");
    }
    if let Some(advisories) = &expected.advisories {
        let found: BTreeSet<String> = claims.advisories.iter().cloned().collect();
        assert_eq!(found, *advisories, "{id}");
    }
    let mut compared = 0;
    let fields = vector.measurements.as_object().unwrap();
    for (name, value) in fields {
        let register = claims.register(name).cloned();
        let found = match name.as_str() {
            "report_data" => Some(claims.report_data.clone()),
            "measurement" => Some(claims.measurement.clone()),
            _ => register,
        };
        if let (Some(found), Some(value)) = (found, value.as_str())
            && let Ok(value) = value
                .trim_start_matches("0x")
                .parse::<alloy_primitives::Bytes>()
            && value.len() == found.len()
        {
            assert_eq!(found, value, "{id}: {name}");
            compared += 1;
        }
    }
    if vector.tee == "nitro" {
        for (index, value) in fields["pcrs"].as_object().unwrap() {
            let found = claims.register(&format!("pcr{index}")).unwrap();
            assert_eq!(
                found.to_string(),
                format!("0x{}", value.as_str().unwrap()),
                "{id}"
            );
            compared += 1;
        }
    }
    println!("{id}: {compared} fields as the manifest has them");
    assert!(
        compared >= 3 || vector.tee == "azure-vtpm",
        "{id}: only {compared} fields compared"
    );
}

#[test]
fn genuine_negatives_fail_for_the_reason_they_were_made_for() {
    let Some((directory, vectors)) = vectors() else {
        return;
    };
    use CheckId as C;
    let reasons = [
        ("neg_tdx_v5_no_tcb_level", C::TcbLevel),
        ("neg_tdx_v4_report_data_flip", C::DcapSignature),
        ("neg_tdx_v4_truncated", C::EvidenceFormat),
        ("neg_tdx_v4_wrong_fmspc", C::TcbLevel),
        ("neg_tdx_v4_tcbinfo_tamper", C::DcapCollateral),
        ("neg_tdx_v4_expired_collateral", C::DcapCollateral),
        ("neg_sgx_v3_debug", C::Debug),
        ("neg_sgx_v3_eppid", C::EvidenceFormat),
        ("neg_sgx_v3_mrenclave_flip", C::DcapSignature),
        ("neg_sgx_v3_with_tdx_tcb", C::DcapCollateral),
        ("synth_debug_enclave", C::Debug),
        ("synth_fmspc_mismatch", C::TcbLevel),
        ("synth_pck_expired", C::DcapCertificates),
        ("synth_pckca_revoked", C::DcapRevocation),
        ("synth_qe_wrong_mrsigner", C::DcapQuotingEnclave),
        ("synth_qe_wrong_prodid", C::DcapQuotingEnclave),
        ("synth_qeid_expired", C::DcapCollateral),
        ("synth_tcb_expired", C::DcapCollateral),
        ("synth_tcb_future", C::DcapCollateral),
        ("neg_snp_milan_debug", C::Debug),
        ("neg_snp_wrong_vcek", C::SnpSignature),
        ("neg_snp_report_data_flip", C::SnpSignature),
        ("neg_snp_vlek_expired", C::SnpCertificates),
        ("neg_nitro_debug", C::Debug),
        ("neg_nitro_expired", C::NitroCertificates),
        ("neg_nitro_payload_flip", C::NitroCertificates),
        ("neg_az_tdx_quote_tamper", C::TpmSignature),
    ];
    for (id, check) in reasons {
        let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
        let error = vector.judge(&directory, permissive()).unwrap_err().unwrap();
        assert_eq!(error.check(), check, "{id}: {error}");
    }
    for id in [
        "neg_tdx_v4_expired_collateral",
        "synth_qeid_expired",
        "neg_nitro_expired",
    ] {
        let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
        let error = vector.judge(&directory, permissive()).unwrap_err().unwrap();
        assert!(
            matches!(error, VerifyError::Stale { .. }),
            "{id}: {error:?}"
        );
    }
}
