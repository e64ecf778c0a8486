// SPDX-License-Identifier: Apache-2.0
//! TPM 2.0 quotes.
//!
//! [`verify_quote`] is the only way to obtain a [`Quote`]. A quote says what a TPM measured; that
//! the TPM is worth anything is for whoever vouches for its attestation key. A software TPM signs
//! as well as any other.
//!
//! Only what an attestation key of today uses is supported: RSASSA and RSAPSS of 2048 to 4096 bits
//! and ECDSA on P-256, each with SHA-256. A salt of RSAPSS must be as long as the digest (as FIPS
//! 186-5 has it, and TPMs in FIPS mode); the longer salt of other TPMs is refused.
//!
//! Source: TPM 2.0 Library, Part 2 (Structures), revision 1.59; sections are named where they are
//! used.

mod attest;
mod key;
mod pcrs;
mod reader;
mod signature;

pub use attest::{Quote, Selection};
pub use key::Key;
pub(crate) use pcrs::{PCR_BYTES, PCRS};

/// Largest TPMS_ATTEST that is looked at, bytes. The largest quote with one bank has 249.
pub const MAX_ATTEST_BYTES: usize = 1024;

/// Why a quote is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TpmError {
    /// A structure is not as the specification defines it.
    #[error("malformed {structure}: {fault}")]
    Malformed {
        /// The structure, by its name in the specification.
        structure: &'static str,
        /// What is wrong with it.
        fault: String,
    },
    /// Not an attestation key that this module supports.
    #[error("unsupported attestation key: {0}")]
    Key(String),
    /// The key did not sign this.
    #[error("the attestation key did not sign this")]
    Signature,
    /// The PCR values are not those that were quoted.
    #[error("{0}")]
    Pcrs(String),
}

impl TpmError {
    fn malformed(structure: &'static str, fault: impl ToString) -> Self {
        Self::Malformed {
            structure,
            fault: fault.to_string(),
        }
    }
}

/// Verifies that `key` signed `attest` (TPMS_ATTEST of TPM2_Quote) with `signature`
/// (TPMT_SIGNATURE), and reads it.
///
/// Whether [`Quote::extra_data`] is the expected challenge is for the caller.
///
/// # Errors
///
/// [`TpmError::Malformed`] or [`TpmError::Signature`].
pub fn verify_quote(attest: &[u8], signature: &[u8], key: &Key) -> Result<Quote, TpmError> {
    let quote = attest::parse(attest)?;
    let signature = signature::parse(signature)?;
    key.verify(attest, &signature)?;
    Ok(quote)
}

/// TPMT_SIGNATURE of a bare RSASSA signature with SHA-256, as some tools hand it out. `None` if it
/// is longer than any.
pub(crate) fn rsassa_signature(bare: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(bare.len()).ok()?;
    let mut bytes = Vec::with_capacity(6 + bare.len());
    bytes.extend(signature::RSASSA.to_be_bytes());
    bytes.extend(ALG_SHA256.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(bare);
    Some(bytes)
}

/// TPM_ALG_SHA256 (Part 2, 6.3).
const ALG_SHA256: u16 = 0x000b;
