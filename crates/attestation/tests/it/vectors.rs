// SPDX-License-Identifier: Apache-2.0
//! Genuine evidence of real hardware, from the directory that `SUBROSA_VECTORS` names.

use std::collections::BTreeSet;

use subrosa_attestation::{
    Claims, FilesError, Policy, PolicyFile, Root, VerifyError, bundle_of_files, verify_genuine,
};
use subrosa_evidence::{CheckId, EvidenceBundle};
use subrosa_vectors::{Vector, named};

/// A genuine vector by name, or nothing if there are no vectors here.
pub(crate) fn genuine(id: &str) -> Option<(EvidenceBundle, u64)> {
    let vectors = subrosa_vectors::all()?;
    let vector = named(&vectors, id);
    Some((bundle(vector).unwrap(), now(vector)))
}

/// Signatures, chains, revocation, dates and debugging, and nothing else.
pub(crate) fn permissive() -> Policy {
    let text = include_str!("../../../../fixtures/policies/vectors.toml");
    PolicyFile::parse(text).unwrap().policy
}

const SUPPORTED: [&str; 6] = ["tdx", "sgx", "sgx-synthetic", "snp", "nitro", "azure-vtpm"];

fn now(vector: &Vector) -> u64 {
    vector.now().unwrap_or(0)
}

fn bundle(vector: &Vector) -> Result<EvidenceBundle, FilesError> {
    let (evidence, beside) = vector.evidence().unwrap();
    bundle_of_files(&evidence, &beside)
}

/// Judges `vector` by `policy`, with the vector's own root as the only one where it has one.
fn judge(vector: &Vector, mut policy: Policy) -> Result<Claims, Option<VerifyError>> {
    let bundle = bundle(vector).map_err(|_| None)?;
    for root in vector.files(&["root_ca_der", "root_pem", "ark_der"]) {
        policy.roots.clear();
        policy.pin(Root::from_certificate(&root).unwrap());
    }
    verify_genuine(&bundle, &policy, now(vector))
        .map(subrosa_attestation::Verified::into_inner)
        .map_err(Some)
}

#[test]
fn genuine_evidence_verifies_as_the_manifest_says() {
    let Some(vectors) = subrosa_vectors::all() else {
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
        let verdict = judge(vector, permissive());
        match (&verdict, vector.expected("result").as_str().unwrap()) {
            (Ok(claims), "accept") => {
                assert_claims(vector, claims);
                if vector.expected("strict_policy") == "reject" {
                    let strict = judge(vector, Policy::strict());
                    assert!(strict.is_err(), "{id}: accepted by the strict policy");
                }
            }
            (Err(error), "accept") => assert!(vector.expected("soft") == true, "{id}: {error:?}"),
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
    let id = &vector.id;
    if let Some(status) = vector.expected("tcb_status").as_str() {
        assert_eq!(claims.tcb_status.unwrap().to_string(), status, "{id}");
    }
    if let Some(advisories) = vector.expected("advisories").as_array() {
        let expected: BTreeSet<&str> = advisories.iter().map(|id| id.as_str().unwrap()).collect();
        let found: BTreeSet<&str> = claims.advisories.iter().map(String::as_str).collect();
        assert_eq!(found, expected, "{id}");
    }
    let mut compared = 0;
    let fields = vector.measurements().as_object().unwrap();
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
    let Some(vectors) = subrosa_vectors::all() else {
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
        let vector = named(&vectors, id);
        let error = judge(vector, permissive()).unwrap_err().unwrap();
        assert_eq!(error.check(), check, "{id}: {error}");
    }
    for id in [
        "neg_tdx_v4_expired_collateral",
        "synth_qeid_expired",
        "neg_nitro_expired",
    ] {
        let vector = named(&vectors, id);
        let error = judge(vector, permissive()).unwrap_err().unwrap();
        assert!(
            matches!(error, VerifyError::Stale { .. }),
            "{id}: {error:?}"
        );
    }
}
