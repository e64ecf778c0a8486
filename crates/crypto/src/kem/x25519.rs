// SPDX-License-Identifier: Apache-2.0
//! DHKEM(X25519, HKDF-SHA256), KEM 0x0020 (RFC 9180, section 4.1).

use alloc::sync::Arc;

use hpke::{
    Deserializable, HpkeError, Kem, Serializable,
    hybrid_array::typenum::U32,
    kdf::{HkdfSha256, Kdf},
    kem::{SharedSecret, X25519HkdfSha256},
};
use rand_core::CryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// DHKEM(X25519) whose private key carries its public key.
pub(crate) struct ExpandedX25519;

/// A shared private key with its public key. Cloning shares; the last owner wipes.
#[derive(Clone)]
pub(crate) struct PrivateKey(Arc<Expanded>);

struct Expanded {
    secret: x25519_dalek::StaticSecret,
    public: x25519_dalek::PublicKey,
}

impl Kem for ExpandedX25519 {
    const KEM_ID: u16 = X25519HkdfSha256::KEM_ID;

    type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
    type PrivateKey = PrivateKey;
    type EncappedKey = <X25519HkdfSha256 as Kem>::EncappedKey;
    type NSecret = U32;

    fn sk_to_pk(sk: &PrivateKey) -> Self::PublicKey {
        let Ok(public) = Self::PublicKey::from_bytes(sk.0.public.as_bytes()) else {
            unreachable!("any 32 bytes are an X25519 public key");
        };
        public
    }

    fn derive_keypair(ikm: &[u8]) -> (PrivateKey, Self::PublicKey) {
        let (sk, pk) = X25519HkdfSha256::derive_keypair(ikm);
        let secret = Zeroizing::new(sk.to_bytes().into());
        (PrivateKey::expand(&secret), pk)
    }

    fn decap(
        sk: &PrivateKey,
        sender: Option<&Self::PublicKey>,
        encapsulated: &Self::EncappedKey,
    ) -> Result<SharedSecret<Self>, HpkeError> {
        if sender.is_some() {
            // Authenticated mode is not used here.
            return Err(HpkeError::DecapError);
        }
        let ephemeral: [u8; 32] = encapsulated.to_bytes().into();
        let dh =
            sk.0.secret
                .diffie_hellman(&x25519_dalek::PublicKey::from(ephemeral));
        if !dh.was_contributory() {
            // RFC 9180, section 7.1.4: the all-zero value aborts.
            return Err(HpkeError::DecapError);
        }

        let mut kem_context = [0; 64];
        let (first, second) = kem_context.split_at_mut(32);
        first.copy_from_slice(&ephemeral);
        second.copy_from_slice(sk.0.public.as_bytes());
        let mut secret = SharedSecret::<Self>::default();
        HkdfSha256::extract_and_expand(dh.as_bytes(), SUITE_ID, &kem_context, &mut secret.0)?;
        Ok(secret)
    }

    fn encap_with_rng(
        pk: &Self::PublicKey,
        sender: Option<(&PrivateKey, &Self::PublicKey)>,
        rng: &mut impl CryptoRng,
    ) -> Result<(SharedSecret<Self>, Self::EncappedKey), HpkeError> {
        if sender.is_some() {
            return Err(HpkeError::EncapError);
        }
        let (secret, encapsulated) = X25519HkdfSha256::encap_with_rng(pk, None, rng)?;
        Ok((SharedSecret(secret.0), encapsulated))
    }
}

impl PrivateKey {
    /// Takes a 32-byte private key, clamped on use (RFC 7748, section 5).
    pub(crate) fn expand(bytes: &[u8; 32]) -> Self {
        let secret = x25519_dalek::StaticSecret::from(*bytes);
        let public = x25519_dalek::PublicKey::from(&secret);
        Self(Arc::new(Expanded { secret, public }))
    }
}

impl Serializable for PrivateKey {
    type OutputSize = U32;

    fn write_exact(&self, buf: &mut [u8]) {
        buf.copy_from_slice(self.0.secret.as_bytes());
    }
}

impl Deserializable for PrivateKey {
    fn from_bytes(encoded: &[u8]) -> Result<Self, HpkeError> {
        let bytes: [u8; 32] = encoded
            .try_into()
            .map_err(|_| HpkeError::IncorrectInputLength(32, encoded.len()))?;
        Ok(Self::expand(&Zeroizing::new(bytes)))
    }
}

impl ConstantTimeEq for PrivateKey {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.secret.as_bytes().ct_eq(other.0.secret.as_bytes())
    }
}

/// "KEM" ‖ kem_id.
const SUITE_ID: &[u8] = b"KEM\x00\x20";
