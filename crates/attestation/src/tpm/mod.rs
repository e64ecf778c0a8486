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

use alloc::vec::Vec;

mod attest;
mod error;
mod key;
mod pcrs;
mod reader;
mod signature;

pub use attest::{MAX_ATTEST_BYTES, Quote, Selection};
pub use error::TpmError;
pub use key::Key;
pub(crate) use pcrs::{PCR_BYTES, PCRS};

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
    bytes.extend(signature::ALG_SHA256.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(bare);
    Some(bytes)
}
