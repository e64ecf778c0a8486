// SPDX-License-Identifier: Apache-2.0
//! Evidence as people have it: one file for what the platform signed, others beside it.
//!
//! Only the command line takes such files. Recognising them needs parsers of X.509 and JSON, which
//! is why this is not with the bundle itself: that is linked into the measured executable.

use alloc::vec::Vec;

use subrosa_evidence::{BundleError, EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;
use x509_cert::Certificate;
use x509_cert::certificate::Rfc5280;
use x509_cert::crl::CertificateList;
use x509_cert::der::{Decode, Encode};

/// Why files are not evidence. Whoever gave them must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// Not the beginning of any evidence this build knows.
    #[error("not a DCAP quote, SEV-SNP report, Nitro document, Azure evidence or evidence bundle")]
    Unknown,
    /// A file beside the evidence that is neither collateral nor certificates nor a CRL.
    #[error("file {0} beside the evidence is neither JSON nor certificates nor a revocation list")]
    Beside(usize),
    /// It does not make a bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// Recognises `evidence` by its first bytes and bundles it with the files `beside` it.
///
/// | evidence | recognised by |
/// |---|---|
/// | an encoded [`EvidenceBundle`] | `sreb` |
/// | a DCAP quote | version 3, 4 or 5 and TEE type (little-endian, offsets 0 and 4) |
/// | an SEV-SNP report | 1,184 bytes, version 2 to 5 (little-endian, offset 0) |
/// | a Nitro document | a CBOR array of four, tagged as COSE_Sign1 or not |
/// | Azure evidence | JSON, in the shapes of the public guest libraries |
///
/// A file beside it is Intel's collateral if it is JSON, and otherwise one or more certificates or
/// revocation lists, PEM or DER. Recognising is not verifying: nothing is trusted for it.
///
/// # Errors
///
/// [`FilesError`].
pub fn bundle_of_files(evidence: &[u8], beside: &[Vec<u8>]) -> Result<EvidenceBundle, FilesError> {
    let mut bundle = if EvidenceBundle::is_encoded(evidence) {
        EvidenceBundle::decode(evidence)?
    } else if evidence.first() == Some(&b'{') {
        crate::azure_bundle(evidence).map_err(|_| FilesError::Unknown)?
    } else {
        let kind = kind_of(evidence).ok_or(FilesError::Unknown)?;
        EvidenceBundle::from_parts(kind, [(EvidencePart::Quote, evidence.to_vec())])?
    };
    let mut added: Vec<(EvidencePart, Vec<u8>)> = Vec::new();
    for (index, file) in beside.iter().enumerate() {
        let (part, bytes) = classified(file).ok_or(FilesError::Beside(index))?;
        match added.iter_mut().find(|(known, _)| *known == part) {
            Some((EvidencePart::Collateral, _)) => return Err(FilesError::Beside(index)),
            Some((_, content)) => content.extend(bytes),
            None => added.push((part, bytes)),
        }
    }
    for (part, bytes) in added {
        let content = merged(&bundle, part, bytes)?;
        bundle = bundle.with_part(part, content)?;
    }
    Ok(bundle)
}

/// Certificates are added to those that the evidence brings; anything else replaces.
fn merged(
    bundle: &EvidenceBundle,
    part: EvidencePart,
    bytes: Vec<u8>,
) -> Result<Vec<u8>, FilesError> {
    let own = bundle.part(part).unwrap_or_default();
    if part != EvidencePart::Certificates || own.is_empty() {
        return Ok(bytes);
    }
    let own = match own.first() {
        Some(&DER_SEQUENCE) => own.to_vec(),
        _ => pem_certificates(own).ok_or(FilesError::Unknown)?,
    };
    Ok([own, bytes].concat())
}

fn kind_of(evidence: &[u8]) -> Option<TeeKind> {
    if matches!(
        evidence,
        [COSE_SIGN1_TAG, ARRAY_OF_FOUR, ..] | [ARRAY_OF_FOUR, ..]
    ) {
        return Some(TeeKind::Nitro);
    }
    let word = |at: usize| {
        let bytes = evidence.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes))
    };
    if evidence.len() == SNP_REPORT_BYTES && matches!(word(0)?, 2..=5) {
        return Some(TeeKind::Snp);
    }
    let version = u16::from_le_bytes(*evidence.first_chunk::<2>()?);
    match (version, word(4)?) {
        (3..=5, 0) => Some(TeeKind::Sgx),
        (4..=5, TDX_TEE_TYPE) => Some(TeeKind::Tdx),
        _ => None,
    }
}

/// What a file beside the evidence is, with PEM turned into DER.
fn classified(file: &[u8]) -> Option<(EvidencePart, Vec<u8>)> {
    let text = file.trim_ascii_start();
    if text.starts_with(b"{") {
        return Some((EvidencePart::Collateral, file.to_vec()));
    }
    if let Some(certificates) = pem_certificates(file) {
        return Some((EvidencePart::Certificates, certificates));
    }
    if let Some(list) = pem_list(file) {
        return Some((EvidencePart::RevocationLists, list));
    }
    if file.first() != Some(&DER_SEQUENCE) {
        return None;
    }
    let part = if CertificateList::<Rfc5280>::from_der(file).is_ok() {
        EvidencePart::RevocationLists
    } else {
        EvidencePart::Certificates
    };
    Some((part, file.to_vec()))
}

fn pem_certificates(bytes: &[u8]) -> Option<Vec<u8>> {
    let chain = Certificate::load_pem_chain(bytes).ok()?;
    if chain.is_empty() {
        return None;
    }
    let der: Result<Vec<_>, _> = chain.iter().map(Encode::to_der).collect();
    Some(der.ok()?.concat())
}

fn pem_list(bytes: &[u8]) -> Option<Vec<u8>> {
    use x509_cert::der::DecodePem;
    CertificateList::<Rfc5280>::from_pem(bytes)
        .ok()?
        .to_der()
        .ok()
}

const COSE_SIGN1_TAG: u8 = 0xd2;
const ARRAY_OF_FOUR: u8 = 0x84;
const DER_SEQUENCE: u8 = 0x30;
const SNP_REPORT_BYTES: usize = 1184;
const TDX_TEE_TYPE: u32 = 0x81;
