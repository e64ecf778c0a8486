// SPDX-License-Identifier: Apache-2.0
//! HPKE in base mode (RFC 9180, section 5.1.1) for either suite.

use alloc::{boxed::Box, vec::Vec};

use hpke::{
    Deserializable, HpkeError, Kem, OpModeR, OpModeS, Serializable,
    aead::{AeadCtxR, AeadCtxS},
    kdf::HkdfSha256,
    setup_receiver, setup_sender_with_rng,
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{
    RecipientKey, RecipientPublicKey,
    cipher::HpkeAes256Gcm,
    kem::{ExpandedX25519, ExpandedXWing},
    recipient::{PublicInner, SecretInner},
};

/// A sender's context: seals one message.
pub(crate) enum Sender {
    XWing(Box<SenderContext<ExpandedXWing>>),
    X25519(Box<SenderContext<ExpandedX25519>>),
}

type SenderContext<K> = AeadCtxS<HpkeAes256Gcm, HkdfSha256, K>;

impl Sender {
    /// Encapsulates a fresh secret to `recipient`. Returns the encapsulated key beside the context.
    pub(crate) fn new<R: CryptoRng>(
        recipient: &RecipientPublicKey,
        info: &[u8],
        rng: &mut R,
    ) -> Result<(Vec<u8>, Self), HpkeError> {
        match &recipient.0 {
            PublicInner::XWing(key) => {
                let (encapsulated, context) = encapsulate(key.as_ref(), info, rng)?;
                Ok((encapsulated, Self::XWing(Box::new(context))))
            }
            PublicInner::X25519(key) => {
                let (encapsulated, context) = encapsulate(key, info, rng)?;
                Ok((encapsulated, Self::X25519(Box::new(context))))
            }
        }
    }

    /// Exports 32 bytes (section 5.3).
    pub(crate) fn export(&self, context: &[u8]) -> Result<[u8; 32], HpkeError> {
        let mut out = [0; 32];
        match self {
            Self::XWing(sender) => sender.export(context, &mut out),
            Self::X25519(sender) => sender.export(context, &mut out),
        }?;
        Ok(out)
    }

    /// Ciphertext ‖ tag.
    pub(crate) fn seal(self, plaintext: &[u8], aad: &[u8]) -> Result<Vec<u8>, HpkeError> {
        match self {
            Self::XWing(mut sender) => sender.seal(plaintext, aad),
            Self::X25519(mut sender) => sender.seal(plaintext, aad),
        }
    }
}

fn encapsulate<K: Kem, R: CryptoRng>(
    key: &K::PublicKey,
    info: &[u8],
    rng: &mut R,
) -> Result<(Vec<u8>, SenderContext<K>), HpkeError> {
    let (encapsulated, context) = setup_sender_with_rng::<_, _, K>(&OpModeS::Base, key, info, rng)?;
    Ok((encapsulated.to_bytes().to_vec(), context))
}

/// A recipient's context: opens one message.
pub(crate) enum Receiver {
    XWing(Box<ReceiverContext<ExpandedXWing>>),
    X25519(Box<ReceiverContext<ExpandedX25519>>),
}

type ReceiverContext<K> = AeadCtxR<HpkeAes256Gcm, HkdfSha256, K>;

impl Receiver {
    /// Decapsulates. X-Wing never fails on 1120 bytes; X25519 does on a point of small order.
    pub(crate) fn new(
        key: &RecipientKey,
        encapsulated: &[u8],
        info: &[u8],
    ) -> Result<Self, HpkeError> {
        Ok(match &key.0 {
            SecretInner::XWing(key) => Self::XWing(Box::new(decapsulate(key, encapsulated, info)?)),
            SecretInner::X25519(key) => {
                Self::X25519(Box::new(decapsulate(key, encapsulated, info)?))
            }
        })
    }

    /// Exports 32 bytes (section 5.3).
    pub(crate) fn export(&self, context: &[u8]) -> Result<[u8; 32], HpkeError> {
        let mut out = [0; 32];
        match self {
            Self::XWing(receiver) => receiver.export(context, &mut out),
            Self::X25519(receiver) => receiver.export(context, &mut out),
        }?;
        Ok(out)
    }

    /// Opens ciphertext ‖ tag.
    pub(crate) fn open(
        &mut self,
        ciphertext: &[u8],
        aad: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, HpkeError> {
        match self {
            Self::XWing(receiver) => receiver.open(ciphertext, aad),
            Self::X25519(receiver) => receiver.open(ciphertext, aad),
        }
        .map(Zeroizing::new)
    }
}

fn decapsulate<K: Kem>(
    key: &K::PrivateKey,
    encapsulated: &[u8],
    info: &[u8],
) -> Result<ReceiverContext<K>, HpkeError> {
    let encapsulated = K::EncappedKey::from_bytes(encapsulated)?;
    setup_receiver::<_, _, K>(&OpModeR::Base, key, &encapsulated, info)
}
