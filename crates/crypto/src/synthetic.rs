// SPDX-License-Identifier: Apache-2.0
//! Sealing that may happen twice: the nonce depends on what is sealed.

use crate::{
    cipher::{Aes256, GcmSiv, NONCE_LEN, Refused, TAG_LEN},
    kdf::{Secret, hmac},
};

/// An AES-256-GCM-SIV key and the HMAC-SHA256 key that its nonces come from: the first 12 bytes of
/// the HMAC over the additional data behind its length (u64) and the padded plaintext.
///
/// Sealing is deterministic, so a restarted or cloned enclave writes the same bytes, and two
/// plaintexts never share key and nonce but by a collision of the HMAC, which GCM-SIV survives.
pub(crate) struct SyntheticKeys {
    pub(crate) encryption: Secret,
    pub(crate) nonce: Secret,
}

impl SyntheticKeys {
    /// Encrypts in place; gives nonce and tag.
    pub(crate) fn seal(
        &self,
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<([u8; NONCE_LEN], [u8; TAG_LEN]), Refused> {
        let nonce = self.nonce(aad, buffer);
        let tag = Aes256::<GcmSiv>::with_key(&self.encryption).seal(nonce, aad, buffer)?;
        Ok((nonce, tag))
    }

    /// Decrypts in place. What `buffer` holds after a refusal is of no use to anybody.
    pub(crate) fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Refused> {
        Aes256::<GcmSiv>::with_key(&self.encryption).open(*nonce, aad, buffer, tag)
    }

    /// The nonce of a padded plaintext.
    pub(crate) fn nonce(&self, aad: &[u8], padded: &[u8]) -> [u8; NONCE_LEN] {
        let length = (aad.len() as u64).to_be_bytes();
        let mac = hmac(&self.nonce, &[&length, aad, padded]);
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&mac[..NONCE_LEN]);
        nonce
    }
}
