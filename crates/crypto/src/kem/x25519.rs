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

use super::dh::DhKey;

/// DHKEM(X25519) whose private key carries its public key.
pub(crate) struct ExpandedX25519;

/// A shared private key with its public key. Cloning shares; the last owner wipes.
#[derive(Clone)]
pub(crate) struct PrivateKey(Arc<DhKey>);

impl Kem for ExpandedX25519 {
    const KEM_ID: u16 = X25519HkdfSha256::KEM_ID;

    type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
    type PrivateKey = PrivateKey;
    type EncappedKey = <X25519HkdfSha256 as Kem>::EncappedKey;
    type NSecret = U32;

    fn sk_to_pk(sk: &PrivateKey) -> Self::PublicKey {
        let Ok(public) = Self::PublicKey::from_bytes(sk.0.public()) else {
            unreachable!("any 32 bytes are an X25519 public key");
        };
        public
    }

    fn derive_keypair(ikm: &[u8]) -> (PrivateKey, Self::PublicKey) {
        let mut secret = Zeroizing::new(HkdfSha256::derive_x25519_sk_eph_bytes(SUITE_ID, ikm));
        // As the crate's own private keys are, so that they serialize alike.
        secret[0] &= 0xf8;
        secret[31] = secret[31] & 0x7f | 0x40;
        let sk = PrivateKey::expand(&secret);
        let pk = Self::sk_to_pk(&sk);
        (sk, pk)
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
        // RFC 9180, section 7.1.4: the all-zero value aborts.
        let dh = sk.0.agree(&ephemeral).ok_or(HpkeError::DecapError)?;
        extract_and_expand(&dh, &ephemeral, sk.0.public())
    }

    fn encap_with_rng(
        pk: &Self::PublicKey,
        sender: Option<(&PrivateKey, &Self::PublicKey)>,
        rng: &mut impl CryptoRng,
    ) -> Result<(SharedSecret<Self>, Self::EncappedKey), HpkeError> {
        if sender.is_some() {
            return Err(HpkeError::EncapError);
        }
        let mut ikm = Zeroizing::new([0; 32]);
        rng.fill_bytes(ikm.as_mut_slice());
        let (ephemeral, _) = Self::derive_keypair(ikm.as_slice());
        let recipient: [u8; 32] = pk.to_bytes().into();
        let dh = ephemeral.0.agree(&recipient).ok_or(HpkeError::EncapError)?;
        let secret = extract_and_expand(&dh, ephemeral.0.public(), &recipient)?;
        let encapsulated = Self::EncappedKey::from_bytes(ephemeral.0.public())?;
        Ok((secret, encapsulated))
    }
}

fn extract_and_expand(
    dh: &[u8; 32],
    ephemeral: &[u8; 32],
    recipient: &[u8; 32],
) -> Result<SharedSecret<ExpandedX25519>, HpkeError> {
    let mut kem_context = [0; 64];
    let (first, second) = kem_context.split_at_mut(32);
    first.copy_from_slice(ephemeral);
    second.copy_from_slice(recipient);
    let mut secret = SharedSecret::<ExpandedX25519>::default();
    HkdfSha256::extract_and_expand(dh, SUITE_ID, &kem_context, &mut secret.0)?;
    Ok(secret)
}

impl PrivateKey {
    /// Takes a 32-byte private key, clamped on use (RFC 7748, section 5).
    pub(crate) fn expand(bytes: &[u8; 32]) -> Self {
        Self(Arc::new(DhKey::new(bytes)))
    }
}

impl Serializable for PrivateKey {
    type OutputSize = U32;

    fn write_exact(&self, buf: &mut [u8]) {
        buf.copy_from_slice(self.0.bytes());
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
        self.0.bytes().ct_eq(other.0.bytes())
    }
}

/// "KEM" ‖ kem_id.
const SUITE_ID: &[u8; 5] = b"KEM\x00\x20";
