// SPDX-License-Identifier: Apache-2.0
//! PCR values against the digest that was quoted.
//!
//! TPM2_Quote hashes the values of the selected PCRs, ascending, with the hash of the signature
//! (Part 3, 18.4). One selection, of the SHA-256 bank, is all that is supported: a value in a bank
//! of SHA-1 can be extended to by more than one boot.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::signature::ALG_SHA256;
use super::{Quote, Selection, TpmError};

/// PCRs of a TPM for PCs.
pub(crate) const PCRS: usize = 24;
/// Bytes of a value in the SHA-256 bank.
pub(crate) const PCR_BYTES: usize = 32;

impl Quote {
    /// The values, by number, of the PCRs that were quoted: what remains of `values` (PCR 0 to 23 of
    /// the SHA-256 bank, 768 bytes) once those are left out that nothing vouches for.
    ///
    /// # Errors
    ///
    /// [`TpmError::Pcrs`] if they are not those that were quoted, or `required` are not among them.
    pub fn quoted_pcrs<'a>(
        &self,
        values: &'a [u8],
        required: &[u8],
    ) -> Result<Vec<(u8, &'a [u8; PCR_BYTES])>, TpmError> {
        let (values, []) = values.as_chunks::<PCR_BYTES>() else {
            return Err(length(values.len()));
        };
        if values.len() != PCRS {
            return Err(length(values.len() * PCR_BYTES));
        }
        let [
            Selection {
                hash: ALG_SHA256,
                pcrs,
            },
        ] = *self.selections
        else {
            let found: Vec<String> = self
                .selections
                .iter()
                .map(|selection| format!("{:#06x}", selection.hash))
                .collect();
            return Err(TpmError::Pcrs(format!(
                "PCRs of the banks [{}], not of SHA-256 (0x000b) alone",
                found.join(", ")
            )));
        };
        let selected: Vec<(u8, &[u8; PCR_BYTES])> = (0u8..)
            .zip(values)
            .filter(|(number, _)| pcrs >> number & 1 == 1)
            .collect();
        for wanted in required {
            if !selected.iter().any(|(number, _)| number == wanted) {
                return Err(TpmError::Pcrs(format!("PCR {wanted} is not quoted")));
            }
        }
        let mut hasher = Sha256::new();
        for (_, value) in &selected {
            hasher.update(value);
        }
        let digest = hasher.finalize();
        if digest.as_slice() != self.pcr_digest {
            return Err(TpmError::Pcrs(format!(
                "PCR values with the digest {}, quoted is {}",
                hex::encode(digest),
                hex::encode(&self.pcr_digest)
            )));
        }
        Ok(selected)
    }
}

fn length(found: usize) -> TpmError {
    TpmError::Pcrs(format!("{found} bytes of PCR values, not 768"))
}
