// SPDX-License-Identifier: Apache-2.0
//! Evidence of Azure VMs: HCL reports, TPM quotes, the hardware's evidence, and the JSON that
//! agents wrap them in. An input that begins with `{` is such JSON.

use std::sync::LazyLock;

use subrosa_attestation::bundle_of_files;
use subrosa_evidence::{EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;

use super::target::{MIB, Target, stock};
use crate::evidence::{Known, judge, judge_bundle, known, seeds};
use crate::forge::samples::forged;

pub(super) const TARGET: Target = Target {
    name: "azure",
    run,
    dictionary: WORDS,
    header: 1,
    memory: 4 * MIB,
    seeds: || &SEEDS,
};

static KNOWN: LazyLock<Vec<Known>> =
    LazyLock::new(|| known(&[TeeKind::AzureSnp, TeeKind::AzureTdx]));
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut made = seeds(&KNOWN);
    made.extend(unbound());
    stock("azure", made)
});

fn run(input: &[u8]) -> bool {
    let bundle = match input {
        [b'{', ..] => bundle_of_files(input, &[]).ok(),
        [0, rest @ ..] => EvidenceBundle::decode(rest).ok(),
        _ => return judge(&KNOWN, input),
    };
    bundle.is_some_and(|bundle| judge_bundle(&KNOWN, &bundle))
}

/// Evidence of hardware alone, where a TPM quote and runtime claims should bind it.
fn unbound() -> Vec<Vec<u8>> {
    let whole = |kind, part| {
        let hardware = if kind == TeeKind::AzureTdx {
            TeeKind::Tdx
        } else {
            TeeKind::Snp
        };
        let sample = forged(hardware).into_iter().next()?;
        let signed = sample.bundle.quote();
        let mut report = b"HCLA\x02\0\0\0".to_vec();
        report.resize(32, 0);
        report.extend(signed.iter().take(1184));
        let others = sample
            .bundle
            .parts()
            .filter(|(part, _)| *part != EvidencePart::Quote);
        let mut parts: Vec<_> = others.map(|(part, bytes)| (part, bytes.to_vec())).collect();
        parts.push((EvidencePart::HclReport, report));
        parts.push((EvidencePart::Quote, b"\xffTCG\x80\x18\0\0".to_vec()));
        parts.push((EvidencePart::TpmSignature, b"\0\x14\0\x0b\x01\0".to_vec()));
        parts.push((EvidencePart::TpmPcrs, vec![0xa0; 768]));
        parts.push((part, signed.to_vec()));
        let bundle = EvidenceBundle::from_parts(kind, parts).ok()?;
        Some([&[0], &bundle.encode()[..]].concat())
    };
    let tdx = whole(TeeKind::AzureTdx, EvidencePart::TdQuote);
    let snp = whole(TeeKind::AzureSnp, EvidencePart::CertificateTable);
    tdx.into_iter().chain(snp).collect()
}

/// Structures of the TPM, the HCL report's beginnings, and the names in JSON.
const WORDS: &[&[u8]] = &[
    b"sreb\x02",
    b"HCLA",
    b"\xffTCG",
    b"\x80\x18",
    b"\0\x14\0\x0b",
    b"\0\x16\0\x0c",
    b"\0\0\0\x01\0\x0b\x03\xff\xff\xff",
    b"\xff\xff",
    b"\"keys\":[",
    b"\"HCLAkPub\"",
    b"\"kid\":",
    b"\"e\":\"AQAB\"",
    b"\"n\":\"\"",
    b"\"user-data\":\"",
    b"\"tpm_quote\":{",
    b"\"quote\":",
    b"\"message\":",
    b"\"signature\":",
    b"\"pcrs\":[",
    b"\"hcl_report\":",
    b"\"report\":",
    b"\"td_quote\":",
    b"\"vcek\":",
    b"\"version\":2",
    b"[0,255]",
    b"256",
    b"-1",
    b"null",
    b"\"\\u0000\"",
    b"-----BEGIN CERTIFICATE-----\\n",
    b"\x30\x82\xff\xff",
];
