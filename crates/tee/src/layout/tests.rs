// SPDX-License-Identifier: Apache-2.0

use std::path::PathBuf;

use alloy_primitives::B256;
use subrosa_evidence::{AWS_NITRO_ROOT_ID, Product};

use super::*;

/// Genuine evidence, if `$SUBROSA_VECTORS` says where.
fn vector(name: &str) -> Option<Vec<u8>> {
    let Some(directory) = std::env::var_os("SUBROSA_VECTORS") else {
        assert!(
            std::env::var_os("SUBROSA_REQUIRE_VECTORS").is_none_or(|value| value != "1"),
            "SUBROSA_REQUIRE_VECTORS=1, but SUBROSA_VECTORS is not set"
        );
        println!("vectors: NOT RUN");
        return None;
    };
    Some(std::fs::read(PathBuf::from(directory).join(name)).unwrap())
}

#[test]
fn a_genuine_td_quote_shows_what_a_verifier_sees_in_it() {
    for name in ["tdx/tdx_v4_phala.quote.bin", "tdx/tdx_v5_td15.quote.bin"] {
        let Some(bytes) = vector(name) else { return };
        let quote = dcap_qvl::quote::Quote::parse(&bytes).unwrap();
        let body = quote.report.as_td10().unwrap();
        let ours = TdQuote::parse(&bytes).unwrap();
        assert_eq!(*ours.mrtd, body.mr_td);
        assert_eq!(
            ours.rtmr,
            [&body.rt_mr0, &body.rt_mr1, &body.rt_mr2, &body.rt_mr3]
        );
        assert_eq!(*ours.report_data, body.report_data);
    }
}

#[test]
fn a_genuine_sgx_quote_shows_what_a_verifier_sees_in_it() {
    let Some(bytes) = vector("sgx/sgx_v3_phala.quote.bin") else {
        return;
    };
    let quote = dcap_qvl::quote::Quote::parse(&bytes).unwrap();
    let body = quote.report.as_sgx().unwrap();
    let ours = SgxQuote::parse(&bytes).unwrap();
    assert_eq!(*ours.mrenclave, body.mr_enclave);
    assert_eq!(*ours.report_data, body.report_data);
    assert!(TdQuote::parse(&bytes).is_err());
}

#[test]
fn genuine_snp_reports_name_their_key_and_since_version_3_their_processor() {
    let Some(v2) = vector("snp/snp_milan_v2.report.bin") else {
        return;
    };
    assert_eq!(SnpReport::parse(&v2).unwrap().processor, None);
    assert_eq!(SnpReport::parse(&v2).unwrap().signing_key, 0);
    let vlek = vector("snp/snp_milan_v3_vlek.report.bin").unwrap();
    assert_eq!(SnpReport::parse(&vlek).unwrap().signing_key, 1);
    for (report, root) in [
        ("snp/snp_milan_v3.report.bin", "snp/milan.ark.der"),
        ("snp/snp_genoa_v5.report.bin", "snp/genoa.ark.der"),
    ] {
        let report = vector(report).unwrap();
        let (family, model) = SnpReport::parse(&report).unwrap().processor.unwrap();
        let root = spki_hash(&vector(root).unwrap());
        let product = Product::of_amd(family, model).unwrap();
        assert_eq!(product.root_id(), root);
    }
}

#[test]
fn the_nitro_root_is_the_one_amazon_publishes() {
    let Some(pem) = vector("nitro/aws_nitro_root_g1.pem") else {
        return;
    };
    let body: String = String::from_utf8(pem)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    use base64::Engine;
    let der = base64::engine::general_purpose::STANDARD
        .decode(body)
        .unwrap();
    assert_eq!(spki_hash(&der), AWS_NITRO_ROOT_ID);
}

#[test]
fn genuine_hcl_reports_bind_their_claims_and_a_torn_one_does_not() {
    for (name, hardware) in [
        ("azure-vtpm/az_snp_genoa.json", HclHardware::Snp),
        ("azure-vtpm/az_tdx.json", HclHardware::Tdx),
    ] {
        let Some(mut bytes) = vector(name).map(|json| genuine_hcl_report(&json)) else {
            return;
        };
        let report = HclReport::parse(&bytes).unwrap();
        assert_eq!(report.hardware, hardware);
        assert!(report.binds_claims);
        assert!(report.claims.ends_with(b"0\"}"));
        *bytes.get_mut(2000).unwrap() ^= 1;
        assert!(!HclReport::parse(&bytes).unwrap().binds_claims);
    }
}

#[test]
fn the_mrtd_in_azures_td_report_is_the_one_in_the_quote_over_it() {
    let Some(json) = vector("azure-vtpm/az_tdx.json") else {
        return;
    };
    let evidence: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let quote = base64_url(evidence["td_quote"].as_str().unwrap());
    let bytes = genuine_hcl_report(&json);
    assert_eq!(
        HclReport::parse(&bytes).unwrap().measurement,
        TdQuote::parse(&quote).unwrap().mrtd
    );
}

#[test]
fn truncated_structures_are_refused_at_every_length() {
    let mut td = vec![0; 48 + 584];
    td[0] = 4;
    td[4] = 0x81;
    let mut sgx = vec![0; 48 + 384];
    sgx[0] = 3;
    assert!(TdQuote::parse(&td).is_ok() && SgxQuote::parse(&sgx).is_ok());
    for length in 0..td.len() {
        assert!(TdQuote::parse(&td[..length]).is_err());
    }
    for length in 0..sgx.len() {
        assert!(SgxQuote::parse(&sgx[..length]).is_err());
    }
    let mut hcl = hcl_report(HclHardware::Snp, [1; 48], b"{}");
    assert!(HclReport::parse(&hcl).unwrap().binds_claims);
    for length in 0..hcl.len() {
        assert!(HclReport::parse(&hcl[..length]).is_err());
    }
    hcl[1232..1236].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(HclReport::parse(&hcl).is_err());
}

/// The HCL report in the evidence files of two producers of such evidence.
fn genuine_hcl_report(json: &[u8]) -> Vec<u8> {
    let evidence: serde_json::Value = serde_json::from_slice(json).unwrap();
    match evidence.get("hcl_report") {
        Some(text) => base64_url(text.as_str().unwrap()),
        None => serde_json::from_value(evidence["report"].clone()).unwrap(),
    }
}

fn base64_url(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .unwrap()
}

/// SHA-256 of the SubjectPublicKeyInfo of a DER certificate: the seventh member of the
/// TBSCertificate, whose first is the explicit version.
fn spki_hash(certificate: &[u8]) -> B256 {
    let mut rest = element(element(certificate).1).1;
    for _ in 0..6 {
        rest = element(rest).2;
    }
    B256::from(<[u8; 32]>::from(Sha256::digest(element(rest).0)))
}

/// The first DER element of `der` (RFC 5280 uses definite lengths): whole, contents, what follows.
fn element(der: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let (header, length) = match der[1] {
        short @ 0..0x80 => (2, usize::from(short)),
        long => {
            let count = usize::from(long & 0x7f);
            let length = der[2..2 + count]
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            (2 + count, length)
        }
    };
    let end = header + length;
    (&der[..end], &der[header..end], &der[end..])
}

/// A made-up HCL report of Azure's size whose hardware report binds `claims`.
pub(crate) fn hcl_report(hardware: HclHardware, measurement: [u8; 48], claims: &[u8]) -> Vec<u8> {
    let mut report = vec![0; HclReport::HEADER_BYTES];
    report[..4].copy_from_slice(b"HCLA");
    let (report_type, report_data, measured) = match hardware {
        HclHardware::Snp => (2u32, 32 + 0x50, 32 + 0x90),
        HclHardware::Tdx => (4, 32 + 128, 32 + 528),
    };
    if hardware == HclHardware::Snp {
        report[32] = 3;
        report[32 + 0x188..][..2].copy_from_slice(&[0x19, 0x11]);
    }
    report[report_data..][..32].copy_from_slice(&Sha256::digest(claims));
    report[measured..][..48].copy_from_slice(&measurement);
    report[1224..1228].copy_from_slice(&report_type.to_le_bytes());
    report[1228..1232].copy_from_slice(&1u32.to_le_bytes());
    let size = u32::try_from(claims.len()).unwrap();
    report[1232..1236].copy_from_slice(&size.to_le_bytes());
    report.extend(claims);
    report
}
