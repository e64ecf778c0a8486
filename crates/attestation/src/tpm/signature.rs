// SPDX-License-Identifier: Apache-2.0
//! TPMT_SIGNATURE (Part 2, 11.3.4).
//!
//! ```text
//! sigAlg  u16   0x0014 RSASSA, 0x0016 RSAPSS, 0x0018 ECDSA
//! hash    u16   0x000b SHA-256
//! RSA:    sig TPM2B          ECDSA: signatureR TPM2B, signatureS TPM2B
//! ```

use super::TpmError;
use super::reader::Reader;

/// A signature with SHA-256.
pub(super) enum Signature<'a> {
    Rsassa(&'a [u8]),
    Rsapss(&'a [u8]),
    /// r ‖ s, each filled up to 32 bytes.
    Ecdsa([u8; 64]),
}

pub(super) fn parse(bytes: &[u8]) -> Result<Signature<'_>, TpmError> {
    let mut reader = Reader::new("TPMT_SIGNATURE", bytes);
    let algorithm = reader.u16()?;
    let hash = reader.u16()?;
    if hash != ALG_SHA256 {
        return Err(reader.fault(format_args!("hash {hash:#06x}, SHA-256 is 0x000b")));
    }
    let signature = match algorithm {
        RSASSA => Signature::Rsassa(reader.sized(MAX_RSA)?),
        RSAPSS => Signature::Rsapss(reader.sized(MAX_RSA)?),
        ECDSA => {
            let mut both = [0; 64];
            for half in both.chunks_exact_mut(COORDINATE) {
                let number = reader.sized(COORDINATE)?;
                // A TPM may leave out leading zeros.
                if let Some(tail) = half.get_mut(COORDINATE.saturating_sub(number.len())..) {
                    tail.copy_from_slice(number);
                }
            }
            Signature::Ecdsa(both)
        }
        other => return Err(reader.fault(format_args!("algorithm {other:#06x}"))),
    };
    reader.finish()?;
    Ok(signature)
}

/// TPM_ALG_RSASSA (6.3).
pub(super) const RSASSA: u16 = 0x0014;
const RSAPSS: u16 = 0x0016;
const ECDSA: u16 = 0x0018;
/// 4,096 bits.
const MAX_RSA: usize = 512;
const COORDINATE: usize = 32;
/// TPM_ALG_SHA256 (Part 2, 6.3).
pub(super) const ALG_SHA256: u16 = 0x000b;
