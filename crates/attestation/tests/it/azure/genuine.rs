// SPDX-License-Identifier: Apache-2.0
//! Genuine evidence, from the directory that `SUBROSA_VECTORS` names.

use std::collections::BTreeSet;

use serde_json::Value;
use subrosa_attestation::{Policy, VerifyError, azure_bundle, verify_genuine};
use subrosa_evidence::{
    AMD_GENOA_ROOT_ID, CheckId, EvidenceBundle, EvidencePart, Product, TcbStatus,
};
use subrosa_types::id::TeeKind;
use subrosa_vectors::{Vector, named};

fn measurement<'a>(vector: &'a Vector, name: &str) -> &'a str {
    vector.measurements()[name].as_str().unwrap()
}

fn pcrs(vector: &Vector) -> Vec<Vec<u8>> {
    let values = vector.measurements()["pcrs"].as_array().unwrap();
    values
        .iter()
        .map(|value| hex::decode(value.as_str().unwrap()).unwrap())
        .collect()
}

fn now(vector: &Vector) -> u64 {
    vector.now().unwrap()
}

fn bundle_of(vector: &Vector) -> EvidenceBundle {
    let bundle = azure_bundle(&vector.file("evidence_json")).unwrap();
    match vector.optional("collateral_json") {
        Some(collateral) => bundle
            .with_part(EvidencePart::Collateral, collateral)
            .unwrap(),
        None => bundle,
    }
}

fn azure() -> Option<Vec<Vector>> {
    let vectors = subrosa_vectors::of("azure-vtpm")?;
    assert!(vectors.len() >= 3, "only {} vectors", vectors.len());
    Some(vectors)
}

/// What decides is whether evidence is genuine: no product is denied, no list required.
fn permissive() -> Policy {
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
    policy.denied_products.clear();
    policy.require_revocation_lists = false;
    policy.maximum_vmpl = 3;
    policy
}

#[test]
fn a_genuine_vm_on_genoa_verifies_and_says_what_runs() {
    let Some(vectors) = azure() else { return };
    let vector = named(&vectors, "az_snp_genoa");
    let claims = verify_genuine(&bundle_of(vector), &permissive(), now(vector)).unwrap();
    assert_eq!(claims.tee, TeeKind::AzureSnp);
    assert_eq!(claims.product, Product::Genoa);
    assert_eq!(claims.root_id, AMD_GENOA_ROOT_ID);
    assert_eq!(
        *claims.report_data,
        hex::decode(measurement(vector, "tpm_nonce_hex")).unwrap()
    );
    assert_eq!((claims.debug, claims.migratable), (0, false));
    assert_eq!((claims.vmpl, claims.issued), (None, None));
    assert_eq!(claims.config_register, None);
    let pcrs = pcrs(vector);
    let measured: Vec<u8> = [4, 7, 8, 9, 11, 12, 13]
        .iter()
        .flat_map(|number| pcrs[*number].clone())
        .collect();
    assert_eq!(claims.measurement.len(), 272);
    assert_eq!(claims.measurement[48..], measured);
    let hcl = bundle_of(vector);
    let hcl = hcl.part(EvidencePart::HclReport).unwrap();
    // MEASUREMENT of the report, which begins after the header's 32 bytes.
    assert_eq!(claims.measurement[..48], hcl[32 + 0x90..32 + 0xc0]);
    for (number, value) in pcrs.iter().enumerate() {
        assert_eq!(claims.register(&format!("pcr{number}")).unwrap(), value);
    }
    let configuration: Value =
        serde_json::from_slice(claims.register("vm-configuration").unwrap()).unwrap();
    assert_eq!(configuration["secure-boot"], true);
    assert_eq!(claims.register("user-data").unwrap()[..], [0; 64]);
}

#[test]
fn a_genuine_vm_on_tdx_is_refused_for_its_attributes_alone() {
    let Some(vectors) = azure() else { return };
    let vector = named(&vectors, "az_tdx");
    let error = verify_genuine(&bundle_of(vector), &permissive(), now(vector)).unwrap_err();
    assert_eq!(error.check(), CheckId::TdxAttributes, "{error}");
    assert!(error.to_string().contains("SEPT_VE_DISABLE"), "{error}");
}

#[test]
fn a_genuine_quote_whose_last_byte_was_changed_is_not_signed() {
    let Some(vectors) = azure() else { return };
    let vector = named(&vectors, "neg_az_tdx_quote_tamper");
    assert!(!vector.is_accepted());
    let error = verify_genuine(&bundle_of(vector), &permissive(), now(vector)).unwrap_err();
    assert_eq!(error.check(), CheckId::TpmSignature, "{error}");
}

/// What is wrong, which check says so, and how the genuine evidence is spoiled.
type Fault = (&'static str, CheckId, fn(&mut EvidenceBundle, &[Vector]));

/// Faults of the genuine VM on SEV-SNP: nothing is signed anew.
const SNP_FAULTS: [Fault; 15] = [
    ("a flipped challenge", CheckId::TpmSignature, |bundle, _| {
        // magic, type, name of 34 bytes and its length, length of extraData
        flip(bundle, EvidencePart::Quote, 4 + 2 + 2 + 34 + 2);
    }),
    (
        "a flipped PCR digest",
        CheckId::TpmSignature,
        |bundle, _| {
            flip(bundle, EvidencePart::Quote, bundle.quote().len() - 1);
        },
    ),
    ("a flipped signature", CheckId::TpmSignature, |bundle, _| {
        flip(bundle, EvidencePart::TpmSignature, 100);
    }),
    (
        "a quote of TPM2_Certify",
        CheckId::EvidenceFormat,
        |bundle, _| {
            flip_bits(bundle, EvidencePart::Quote, 5, 0x18 ^ 0x17);
        },
    ),
    (
        "the quote of another VM",
        CheckId::TpmSignature,
        |bundle, others| {
            take(bundle, named(others, "az_tdx"), EvidencePart::Quote);
        },
    ),
    (
        "quote and signature of another VM",
        CheckId::TpmSignature,
        |bundle, others| {
            take(bundle, named(others, "az_tdx"), EvidencePart::Quote);
            take(bundle, named(others, "az_tdx"), EvidencePart::TpmSignature);
        },
    ),
    (
        "PCR values of another VM",
        CheckId::TpmPcrs,
        |bundle, others| {
            take(bundle, named(others, "az_tdx"), EvidencePart::TpmPcrs);
        },
    ),
    (
        "a changed PCR of the measurement",
        CheckId::TpmPcrs,
        |bundle, _| {
            flip(bundle, EvidencePart::TpmPcrs, 11 * 32);
        },
    ),
    (
        "a changed PCR outside of it",
        CheckId::TpmPcrs,
        |bundle, _| {
            flip(bundle, EvidencePart::TpmPcrs, 23 * 32);
        },
    ),
    (
        "the HCL report of another VM",
        CheckId::EvidenceFormat,
        |bundle, others| {
            take(bundle, named(others, "az_tdx"), EvidencePart::HclReport);
        },
    ),
    (
        "a changed key in the runtime claims",
        CheckId::AzureReport,
        |bundle, _| {
            flip(bundle, EvidencePart::HclReport, 1236 + 120);
        },
    ),
    (
        "a changed VM configuration",
        CheckId::AzureReport,
        |bundle, _| {
            let hcl = bundle.part(EvidencePart::HclReport).unwrap();
            let at = hcl.windows(4).position(|word| word == b"true").unwrap();
            flip(bundle, EvidencePart::HclReport, at);
        },
    ),
    (
        "a changed launch digest",
        CheckId::SnpSignature,
        |bundle, _| {
            flip(bundle, EvidencePart::HclReport, 32 + 0x90);
        },
    ),
    (
        "the certificate of another chip",
        CheckId::SnpSignature,
        |bundle, others| {
            let other = others[0].beside("snp/snp_genoa_v5.vek.der");
            *bundle = bundle
                .clone()
                .with_part(EvidencePart::Certificates, other)
                .unwrap();
        },
    ),
    ("no certificate", CheckId::EvidenceFormat, |bundle, _| {
        *bundle = without(bundle, EvidencePart::Certificates);
    }),
];

#[test]
fn genuine_evidence_with_a_fault_fails_the_check_that_is_about_it() {
    let Some(vectors) = azure() else { return };
    let vector = named(&vectors, "az_snp_genoa");
    verify_genuine(&bundle_of(vector), &permissive(), ALL_IN_FORCE).unwrap();
    for (name, check, spoil) in SNP_FAULTS {
        let mut spoiled = bundle_of(vector);
        spoil(&mut spoiled, &vectors);
        let error = verify_genuine(&spoiled, &permissive(), ALL_IN_FORCE).unwrap_err();
        assert_eq!(error.check(), check, "{name}: {error}");
    }
    println!("{} faults", SNP_FAULTS.len());
}

#[test]
fn certificates_that_have_run_out_are_stale() {
    let Some(vectors) = azure() else { return };
    let vector = named(&vectors, "az_snp_genoa");
    let error = verify_genuine(&bundle_of(vector), &permissive(), 4_000_000_000).unwrap_err();
    assert_eq!(error.check(), CheckId::SnpCertificates, "{error}");
    assert!(matches!(error, VerifyError::Stale { .. }), "{error}");
}

#[test]
fn every_prefix_of_every_part_of_genuine_evidence_is_refused() {
    let Some(vectors) = azure() else { return };
    let vector = named(&vectors, "az_snp_genoa");
    let bundle = bundle_of(vector);
    for (part, bytes) in bundle.parts() {
        let padding = match part {
            // Zeros after the runtime claims, which older images have fewer of; and the line break
            // after a certificate.
            EvidencePart::HclReport => bytes.iter().rev().take_while(|byte| **byte == 0).count(),
            EvidencePart::Certificates => bytes.trim_ascii_end().len().abs_diff(bytes.len()),
            _ => 0,
        };
        for end in (0..bytes.len() - padding).step_by(if bytes.len() > 300 { 7 } else { 1 }) {
            let shorter = bundle
                .clone()
                .with_part(part, bytes[..end].to_vec())
                .unwrap();
            let verdict = verify_genuine(&shorter, &permissive(), now(vector));
            assert!(verdict.is_err(), "{part:?} of {end} bytes");
        }
    }
}

#[test]
fn a_flipped_bit_of_genuine_evidence_is_refused_or_changes_no_claim() {
    let Some(vectors) = azure() else { return };
    let vector = named(&vectors, "az_snp_genoa");
    let bundle = bundle_of(vector);
    let original = verify_genuine(&bundle, &permissive(), now(vector)).unwrap();
    let (mut refused, mut identical) = (0, Vec::new());
    for (part, bytes) in bundle.parts() {
        for position in (0..bytes.len() * 8).step_by(64) {
            let mut mutant = bundle.clone();
            // Another bit of the byte each time, so that all eight are tried.
            flip_bits(&mut mutant, part, position / 8, 1 << (position / 64 % 8));
            match verify_genuine(&mutant, &permissive(), now(vector)) {
                Err(_) => refused += 1,
                Ok(claims) => {
                    assert_eq!(claims, original, "bit {position} of {part:?}");
                    identical.push((part, position / 8));
                }
            }
        }
    }
    println!("{refused} refused, accepted with identical claims: {identical:?}");
    // The header version of the HCL report may be 1 or 2; nothing else is left to chance.
    let total: usize = bundle
        .parts()
        .map(|(_, bytes)| bytes.len().div_ceil(8))
        .sum();
    assert_eq!(refused + identical.len(), total);
    assert!(total > 600 && identical.len() < 4, "{identical:?}");
}

/// 2025-10-09T08:53:20Z, when the certificate of the other chip is in force too.
const ALL_IN_FORCE: u64 = 1_760_000_000;

fn flip(bundle: &mut EvidenceBundle, part: EvidencePart, index: usize) {
    flip_bits(bundle, part, index, 1);
}

fn flip_bits(bundle: &mut EvidenceBundle, part: EvidencePart, index: usize, bits: u8) {
    let mut bytes = bundle.part(part).unwrap().to_vec();
    bytes[index] ^= bits;
    *bundle = bundle.clone().with_part(part, bytes).unwrap();
}

fn take(bundle: &mut EvidenceBundle, other: &Vector, part: EvidencePart) {
    let bytes = bundle_of(other).part(part).unwrap().to_vec();
    *bundle = bundle.clone().with_part(part, bytes).unwrap();
}

fn without(bundle: &EvidenceBundle, part: EvidencePart) -> EvidenceBundle {
    let others = bundle.parts().filter(|(other, _)| *other != part);
    let others = others.map(|(part, bytes)| (part, bytes.to_vec()));
    EvidenceBundle::from_parts(bundle.kind(), others).unwrap()
}
