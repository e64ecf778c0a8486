// SPDX-License-Identifier: Apache-2.0
//! AES-256-GCM and AES-256-GCM-SIV, by AWS-LC.
//!
//! AWS-LC keeps an expanded key in memory of its own allocator, which overwrites everything it
//! frees. What runs without AES instructions is constant-time too (bit-sliced or by vector
//! permutation); which code runs depends on the processor alone.

use alloc::sync::Arc;
use core::marker::PhantomData;

use aead::{AeadCore, AeadInOut, KeyInit, KeySizeUser, TagPosition, inout::InOutBuf};
use aws_lc_rs::aead::{
    AES_256_GCM, AES_256_GCM_SIV, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey,
};
use hpke::hybrid_array::{
    Array,
    typenum::{U12, U16, U32},
};

/// Bytes of a tag, of either mode.
pub(crate) const TAG_LEN: usize = 16;
/// Bytes of a nonce, of either mode.
pub(crate) const NONCE_LEN: usize = 12;

/// A mode of AES-256.
pub(crate) trait Mode {
    const ALGORITHM: &'static Algorithm;
}

/// AES-256-GCM (NIST SP 800-38D): a nonce never twice under one key.
pub(crate) struct Gcm;

impl Mode for Gcm {
    const ALGORITHM: &'static Algorithm = &AES_256_GCM;
}

/// AES-256-GCM-SIV (RFC 8452): a repeated nonce tells no more than whether message and additional
/// data are the same.
pub(crate) struct GcmSiv;

impl Mode for GcmSiv {
    const ALGORITHM: &'static Algorithm = &AES_256_GCM_SIV;
}

/// An expanded AES-256 key. Cloning shares it.
pub(crate) struct Aes256<M> {
    key: Arc<LessSafeKey>,
    mode: PhantomData<fn() -> M>,
}

/// A ciphertext is not authentic, or longer than the mode takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused;

impl<M: Mode> Aes256<M> {
    /// Expands a key.
    pub(crate) fn with_key(key: &[u8; 32]) -> Self {
        let Ok(key) = UnboundKey::new(M::ALGORITHM, key) else {
            unreachable!("32 bytes are a key of AES-256");
        };
        Self {
            key: Arc::new(LessSafeKey::new(key)),
            mode: PhantomData,
        }
    }

    /// Encrypts in place and gives the tag.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_LEN], Refused> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(aad), buffer)
            .map_err(|_| Refused)?;
        tag.as_ref().try_into().map_err(|_| Refused)
    }

    /// Decrypts in place. What `buffer` holds after a refusal is of no use to anybody.
    pub(crate) fn open(
        &self,
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Refused> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key
            .open_in_place_separate_tag(nonce, Aad::from(aad), tag, buffer)
            .map(|_| ())
            .map_err(|_| Refused)
    }
}

/// AES-256-GCM as HPKE's AEAD 0x0002.
pub(crate) struct HpkeAes256Gcm;

impl hpke::aead::Aead for HpkeAes256Gcm {
    type AeadImpl = Aes256<Gcm>;
    const AEAD_ID: u16 = 0x0002;
}

impl<M> Clone for Aes256<M> {
    fn clone(&self) -> Self {
        Self {
            key: Arc::clone(&self.key),
            mode: PhantomData,
        }
    }
}

impl<M> KeySizeUser for Aes256<M> {
    type KeySize = U32;
}

impl<M: Mode> KeyInit for Aes256<M> {
    fn new(key: &Array<u8, U32>) -> Self {
        Self::with_key(key.as_ref())
    }
}

impl<M> AeadCore for Aes256<M> {
    type NonceSize = U12;
    type TagSize = U16;
    const TAG_POSITION: TagPosition = TagPosition::Postfix;
}

impl<M: Mode> AeadInOut for Aes256<M> {
    fn encrypt_inout_detached(
        &self,
        nonce: &Array<u8, U12>,
        aad: &[u8],
        buffer: InOutBuf<'_, '_, u8>,
    ) -> aead::Result<Array<u8, U16>> {
        self.seal((*nonce).into(), aad, buffer.into_out_with_copied_in())
            .map(Array)
            .map_err(|Refused| aead::Error)
    }

    fn decrypt_inout_detached(
        &self,
        nonce: &Array<u8, U12>,
        aad: &[u8],
        buffer: InOutBuf<'_, '_, u8>,
        tag: &Array<u8, U16>,
    ) -> aead::Result<()> {
        let buffer = buffer.into_out_with_copied_in();
        self.open((*nonce).into(), aad, buffer, tag.as_ref())
            .map_err(|Refused| aead::Error)
    }
}
