// SPDX-License-Identifier: Apache-2.0
//! HPKE recipients of either suite.

use alloc::{boxed::Box, vec, vec::Vec};

use hpke::{Deserializable, Kem, Serializable};

use crate::{
    KeyError, Suite,
    kem::{ExpandedX25519, ExpandedXWing, PrivateKey},
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
            Suite::X25519 if has_small_order(bytes) => return Err(KeyError::Invalid(suite)),
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

/// Whether a u-coordinate generates a subgroup of order at most 8, on the curve or its twist, so
/// that every Diffie-Hellman with it yields zero (RFC 7748, section 6.1). Public data: not
/// constant-time.
fn has_small_order(bytes: &[u8]) -> bool {
    let Ok(mut u) = <[u8; 32]>::try_from(bytes) else {
        return false;
    };
    u[31] &= 0x7f;
    SMALL_ORDER.contains(&u)
}

/// u = 0, 1, p-1, p, p+1 and the two of order 8, little-endian.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    alloy_primitives::hex!("0100000000000000000000000000000000000000000000000000000000000000"),
    alloy_primitives::hex!("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    alloy_primitives::hex!("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    alloy_primitives::hex!("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    alloy_primitives::hex!("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    alloy_primitives::hex!("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_small_order_key_yields_no_secret_and_is_refused() {
        let secret = x25519_dalek::StaticSecret::from([9; 32]);
        for mut point in SMALL_ORDER {
            for _ in 0..2 {
                let dh = secret.diffie_hellman(&x25519_dalek::PublicKey::from(point));
                assert!(!dh.was_contributory(), "{}", hex::encode(point));
                assert_eq!(
                    RecipientPublicKey::new(Suite::X25519, &point),
                    Err(KeyError::Invalid(Suite::X25519))
                );
                point[31] |= 0x80;
            }
        }
    }

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
