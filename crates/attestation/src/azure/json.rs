// SPDX-License-Identifier: Apache-2.0
//! Evidence of Azure VMs as attestation agents hand it around: one JSON object.
//!
//! | | TPM quote | HCL report | beside it |
//! |---|---|---|---|
//! | SEV-SNP, first form | `quote`, arrays of bytes | `report`, array | `vcek`, PEM |
//! | SEV-SNP, `version` 1, 2 | `tpm_quote`, hexadecimal | `hcl_report`, base64url | `vcek`, base64url of DER |
//! | TDX, first form | `tpm_quote`, arrays of bytes | `hcl_report`, array | `td_quote`, array |
//! | TDX, `version` 1, 2 | `tpm_quote`, hexadecimal | `hcl_report`, base64url | `td_quote`, base64url |
//!
//! A TPM quote is an object of `message` (TPMS_ATTEST), `signature` (RSASSA with SHA-256, without
//! the TPMT_SIGNATURE around it) and `pcrs` (24 values of the SHA-256 bank).
//!
//! Source: `confidential-containers/trustee`, `deps/verifier/src/az_{snp,tdx}_vtpm/compat.rs`.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::GeneralPurposeConfig;
use serde::Deserialize;
use subrosa_evidence::{BundleError, EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;

use super::hcl::HclReport;
use crate::{tpm, x509};

/// Largest JSON that [`azure_bundle`] looks at, bytes. Genuine ones have 12 to 37 KiB.
pub const MAX_AZURE_JSON_BYTES: usize = 256 * 1024;

/// Why JSON is not evidence of an Azure VM. Whoever made it must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AzureJsonError {
    /// Larger than any evidence.
    #[error("{0} bytes of JSON are more than {MAX_AZURE_JSON_BYTES}")]
    TooLarge(usize),
    /// Not JSON, or not of a form that is known.
    #[error("not the JSON of Azure evidence")]
    Json(#[from] serde_json::Error),
    /// Of a version that is not known.
    #[error("version {0} of Azure evidence, expected none, 1 or 2")]
    Version(u64),
    /// A field that is needed is not there.
    #[error("Azure evidence without {0}")]
    Missing(&'static str),
    /// Text that is not bytes in the encoding of its field.
    #[error("{field} is not {encoding}")]
    Encoding {
        /// The field.
        field: &'static str,
        /// How it should be encoded.
        encoding: &'static str,
    },
    /// PCR values that are not those of one bank.
    #[error("pcrs are not 24 values of 32 bytes")]
    Pcrs,
    /// The HCL report does not parse, and so does not say of what it is.
    #[error("no HCL report: {0}")]
    Report(String),
    /// A part is too large.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// Makes a bundle of the JSON of an Azure VM's evidence; the kind follows from the HCL report.
/// Nothing is verified. Certificates come out as DER, one after the other. What the JSON does not carry, such as Intel's collateral or AMD's
/// revocation lists, is for the caller to add.
///
/// # Errors
///
/// [`AzureJsonError`].
pub fn azure_bundle(json: &[u8]) -> Result<EvidenceBundle, AzureJsonError> {
    if json.len() > MAX_AZURE_JSON_BYTES {
        return Err(AzureJsonError::TooLarge(json.len()));
    }
    let evidence: Json<'_> = serde_json::from_slice(json)?;
    if let Some(version) = evidence.version
        && !matches!(version, 1 | 2)
    {
        return Err(AzureJsonError::Version(version));
    }
    let quote = evidence
        .tpm_quote
        .ok_or(AzureJsonError::Missing("tpm_quote"))?;
    let signature = quote.signature.hexadecimal("signature")?;
    let signature = tpm::rsassa_signature(&signature).ok_or(AzureJsonError::Encoding {
        field: "signature",
        encoding: "a signature",
    })?;
    let report = evidence
        .hcl_report
        .ok_or(AzureJsonError::Missing("hcl_report"))?;
    let report = report.base64("hcl_report")?;
    let kind = HclReport::parse(&report)
        .map_err(|failure| AzureJsonError::Report(failure.found))?
        .hardware
        .kind();
    let mut parts = vec![
        (EvidencePart::Quote, quote.message.hexadecimal("message")?),
        (EvidencePart::TpmSignature, signature),
        (EvidencePart::TpmPcrs, pcrs(&quote.pcrs)?),
        (EvidencePart::HclReport, report),
    ];
    if kind == TeeKind::AzureTdx {
        let td_quote = evidence
            .td_quote
            .ok_or(AzureJsonError::Missing("td_quote"))?;
        parts.push((EvidencePart::TdQuote, td_quote.base64("td_quote")?));
    } else if let Some(vcek) = evidence.vcek {
        parts.push((EvidencePart::Certificates, certificates(&vcek)?));
    }
    Ok(EvidenceBundle::from_parts(kind, parts)?)
}

/// DER in either case, so that further certificates in DER can follow. The two encodings are told
/// apart by spaces, which base64url does not have.
fn certificates(vcek: &Octets<'_>) -> Result<Vec<u8>, AzureJsonError> {
    match vcek {
        Octets::Text(text) if text.starts_with(PEM) => x509::certificates(text.as_bytes())
            .map(|certificates| certificates.concat())
            .map_err(|_| AzureJsonError::Encoding {
                field: "vcek",
                encoding: "PEM",
            }),
        other => other.base64("vcek"),
    }
}

fn pcrs(values: &[Octets<'_>]) -> Result<Vec<u8>, AzureJsonError> {
    if values.len() != tpm::PCRS {
        return Err(AzureJsonError::Pcrs);
    }
    let mut bytes = Vec::with_capacity(tpm::PCRS * tpm::PCR_BYTES);
    for value in values {
        let value = value.hexadecimal("pcrs")?;
        if value.len() != tpm::PCR_BYTES {
            return Err(AzureJsonError::Pcrs);
        }
        bytes.extend(&*value);
    }
    Ok(bytes)
}

#[derive(Deserialize)]
struct Json<'a> {
    #[serde(default)]
    version: Option<u64>,
    #[serde(borrow, default, alias = "quote")]
    tpm_quote: Option<TpmQuote<'a>>,
    #[serde(borrow, default, alias = "report")]
    hcl_report: Option<Octets<'a>>,
    #[serde(borrow, default)]
    vcek: Option<Octets<'a>>,
    #[serde(borrow, default)]
    td_quote: Option<Octets<'a>>,
}

#[derive(Deserialize)]
struct TpmQuote<'a> {
    #[serde(borrow)]
    message: Octets<'a>,
    #[serde(borrow)]
    signature: Octets<'a>,
    #[serde(borrow)]
    pcrs: Vec<Octets<'a>>,
}

/// Bytes: an array of numbers, or text whose encoding the field decides.
#[derive(Deserialize)]
#[serde(untagged)]
enum Octets<'a> {
    Bytes(Vec<u8>),
    #[serde(borrow)]
    Text(Cow<'a, str>),
}

impl Octets<'_> {
    fn hexadecimal(&self, field: &'static str) -> Result<Vec<u8>, AzureJsonError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::Text(text) => hex::decode(&**text).map_err(|_| AzureJsonError::Encoding {
                field,
                encoding: "hexadecimal",
            }),
        }
    }

    fn base64(&self, field: &'static str) -> Result<Vec<u8>, AzureJsonError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::Text(text) => BASE64
                .decode(&**text)
                .map_err(|_| AzureJsonError::Encoding {
                    field,
                    encoding: "base64url",
                }),
        }
    }
}

/// base64url (RFC 4648, 5), with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const PEM: &str = "-----BEGIN";
