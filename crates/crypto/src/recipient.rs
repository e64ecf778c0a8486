// SPDX-License-Identifier: Apache-2.0
//! HPKE recipients of either suite.

use alloc::{boxed::Box, vec, vec::Vec};

use hpke::{Deserializable, Kem, Serializable};

use crate::{
    KeyError, Suite,
    kem::{ExpandedX25519, ExpandedXWing, PrivateKey, has_small_order},
};

/// A public key that something can be sealed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientPublicKey(pub(crate) PublicInner);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublicInner {
    XWing(Box<<ExpandedXWing as Kem>::PublicKey>),
    X25519(<ExpandedX25519 as Kem>::PublicKey),
}

impl RecipientPublicKey {
    /// Reads a public key: 1216 bytes (ML-KEM-768 ‖ X25519) for X-Wing, 32 for X25519.
    ///
    /// # Errors
    ///
    /// [`KeyError::Length`], or [`KeyError::Invalid`] for an ML-KEM key that is not reduced or an
    /// X25519 key of small order, with which no secret could be shared.
    pub fn new(suite: Suite, bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != suite.public_key_len() {
            return Err(KeyError::Length {
                suite,
                found: bytes.len(),
            });
        }
        let inner = match suite {
            Suite::XWing => Deserializable::from_bytes(bytes)
                .map(|key| PublicInner::XWing(Box::new(key)))
                .map_err(|_| KeyError::Invalid(suite))?,
            Suite::X25519 if bytes.try_into().is_ok_and(has_small_order) => {
                return Err(KeyError::Invalid(suite));
            }
            Suite::X25519 => Deserializable::from_bytes(bytes)
                .map(PublicInner::X25519)
                .map_err(|_| KeyError::Invalid(suite))?,
        };
        Ok(Self(inner))
    }

    /// Reads suite (1 byte) ‖ public key, the form of a reply key inside a plaintext.
    ///
    /// # Errors
    ///
    /// [`KeyError::UnknownSuite`] and those of [`new`](Self::new).
    pub fn from_tagged(bytes: &[u8]) -> Result<Self, KeyError> {
        let (&suite, key) = bytes.split_first().ok_or(KeyError::UnknownSuite)?;
        Self::new(
            Suite::try_from(suite).map_err(|_| KeyError::UnknownSuite)?,
            key,
        )
    }

    /// Suite (1 byte) ‖ public key: 1217 or 33 bytes.
    pub fn to_tagged(&self) -> Vec<u8> {
        let mut out = vec![self.suite() as u8];
        out.extend_from_slice(&self.to_bytes());
        out
    }

    /// The public key: 1216 or 32 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.0 {
            PublicInner::XWing(key) => key.to_bytes().to_vec(),
            PublicInner::X25519(key) => key.to_bytes().to_vec(),
        }
    }

    /// The suite this key belongs to.
    pub fn suite(&self) -> Suite {
        match &self.0 {
            PublicInner::XWing(_) => Suite::XWing,
            PublicInner::X25519(_) => Suite::X25519,
        }
    }
}

/// A private key of either suite, expanded once.
#[expect(missing_debug_implementations, reason = "a secret is never printed")]
pub struct RecipientKey(pub(crate) SecretInner);

pub(crate) enum SecretInner {
    XWing(PrivateKey<ExpandedXWing>),
    X25519(PrivateKey<ExpandedX25519>),
}

impl RecipientKey {
    /// Takes 32 secret bytes as private key: the seed of X-Wing (section 5.2 of its draft), the
    /// scalar of X25519.
    pub fn from_seed(suite: Suite, seed: &[u8; 32]) -> Self {
        Self(match suite {
            Suite::XWing => SecretInner::XWing(PrivateKey::<ExpandedXWing>::expand(seed)),
            Suite::X25519 => SecretInner::X25519(PrivateKey::<ExpandedX25519>::expand(seed)),
        })
    }

    /// The public key.
    pub fn public_key(&self) -> RecipientPublicKey {
        RecipientPublicKey(match &self.0 {
            SecretInner::XWing(key) => PublicInner::XWing(Box::new(ExpandedXWing::sk_to_pk(key))),
            SecretInner::X25519(key) => PublicInner::X25519(ExpandedX25519::sk_to_pk(key)),
        })
    }

    /// The suite this key belongs to.
    pub fn suite(&self) -> Suite {
        match &self.0 {
            SecretInner::XWing(_) => Suite::XWing,
            SecretInner::X25519(_) => Suite::X25519,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tagged_keys_survive_a_round_trip_and_nothing_else_does() {
        for suite in [Suite::XWing, Suite::X25519] {
            let key = RecipientKey::from_seed(suite, &[3; 32]).public_key();
            let tagged = key.to_tagged();
            assert_eq!(RecipientPublicKey::from_tagged(&tagged), Ok(key));
            let found = tagged.len() - 2;
            assert_eq!(
                RecipientPublicKey::from_tagged(&tagged[..tagged.len() - 1]),
                Err(KeyError::Length { suite, found })
            );
        }
        assert_eq!(
            RecipientPublicKey::from_tagged(&[]),
            Err(KeyError::UnknownSuite)
        );
        assert_eq!(
            RecipientPublicKey::from_tagged(&[3; 33]),
            Err(KeyError::UnknownSuite)
        );
        // FIPS 203, section 7.2: coefficients must be below q.
        assert_eq!(
            RecipientPublicKey::new(Suite::XWing, &[0xff; 1216]),
            Err(KeyError::Invalid(Suite::XWing))
        );
    }
}
