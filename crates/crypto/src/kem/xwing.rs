// SPDX-License-Identifier: Apache-2.0
//! X-Wing (draft-connolly-cfrg-xwing-kem) as KEM 0x647A of HPKE (draft-ietf-hpke-pq).

use alloc::sync::Arc;

use hpke::{
    Deserializable, HpkeError, Kem, Serializable,
    hybrid_array::{sizes::U1216, typenum::U32},
    kem::{SharedSecret, XWing},
};
use ml_kem::KeyExport;
use rand_core::CryptoRng;
use sha3::{Digest, Sha3_256};
use shake::{ExtendableOutput, Shake256, Update, XofReader};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::{
    dh::DhKey,
    mlkem::{self, CIPHERTEXT_LEN, MlKemKey, PUBLIC_LEN},
};

/// X-Wing whose private key is expanded once, when it is made from its seed.
pub(crate) struct ExpandedXWing;

/// A shared, expanded private key. Cloning shares; the last owner wipes.
#[derive(Clone)]
pub(crate) struct PrivateKey(Arc<Expanded>);

struct Expanded {
    seed: Zeroizing<[u8; 32]>,
    ml_kem: MlKemKey,
    x25519: DhKey,
    public: PublicKey,
}

/// ML-KEM-768's public key, its matrix expanded, and X25519's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    ml_kem: mlkem::PublicKey,
    x25519: [u8; 32],
}

impl Kem for ExpandedXWing {
    const KEM_ID: u16 = XWing::KEM_ID;

    type PublicKey = PublicKey;
    type PrivateKey = PrivateKey;
    type EncappedKey = <XWing as Kem>::EncappedKey;
    type NSecret = U32;

    fn sk_to_pk(sk: &PrivateKey) -> Self::PublicKey {
        sk.0.public.clone()
    }

    fn derive_keypair(ikm: &[u8]) -> (PrivateKey, Self::PublicKey) {
        let (sk, _) = XWing::derive_keypair(ikm);
        let seed = Zeroizing::new(sk.to_bytes().into());
        let sk = PrivateKey::expand(&seed);
        let pk = Self::sk_to_pk(&sk);
        (sk, pk)
    }

    fn decap(
        sk: &PrivateKey,
        sender: Option<&Self::PublicKey>,
        encapsulated: &Self::EncappedKey,
    ) -> Result<SharedSecret<Self>, HpkeError> {
        if sender.is_some() {
            // X-Wing has no authenticated mode.
            return Err(HpkeError::DecapError);
        }
        let bytes = encapsulated.to_bytes();
        let short = HpkeError::DecapError;
        let (ct_m, ct_x) = bytes.split_first_chunk::<CIPHERTEXT_LEN>().ok_or(short)?;
        let ct_x: &[u8; 32] = ct_x.try_into().map_err(|_| HpkeError::DecapError)?;
        let ss_m = sk.0.ml_kem.decapsulate(ct_m);
        Ok(combine(
            &ss_m,
            &sk.0.x25519,
            ct_x,
            (ct_x, sk.0.x25519.public()),
        ))
    }

    fn encap_with_rng(
        pk: &Self::PublicKey,
        sender: Option<(&PrivateKey, &Self::PublicKey)>,
        rng: &mut impl CryptoRng,
    ) -> Result<(SharedSecret<Self>, Self::EncappedKey), HpkeError> {
        if sender.is_some() {
            return Err(HpkeError::EncapError);
        }
        // Section 5.4 of the draft: 32 bytes for ML-KEM, then 32 for X25519.
        let mut message = Zeroizing::new([0; 32]);
        rng.fill_bytes(message.as_mut_slice());
        let mut ephemeral = Zeroizing::new([0; 32]);
        rng.fill_bytes(ephemeral.as_mut_slice());

        let (ct_m, ss_m) = mlkem::encapsulate(&pk.ml_kem, &message);
        let ephemeral = DhKey::new(&ephemeral);
        let ct_x = *ephemeral.public();
        let secret = combine(&ss_m, &ephemeral, &pk.x25519, (&ct_x, &pk.x25519));

        let mut encapsulated = [0; 1120];
        let (first, second) = encapsulated.split_at_mut(CIPHERTEXT_LEN);
        first.copy_from_slice(&ct_m);
        second.copy_from_slice(&ct_x);
        Ok((secret, Self::EncappedKey::from_bytes(&encapsulated)?))
    }
}

/// The shared secret: SHA3-256 over both secrets, the X25519 ciphertext and public key, and the
/// label (section 5.3 of the draft).
///
/// A point of small order does not fail: its secret is zero, and ML-KEM's is as secret as ever.
fn combine(
    ss_m: &[u8; 32],
    key: &DhKey,
    peer: &[u8; 32],
    (ct_x, pk_x): (&[u8; 32], &[u8; 32]),
) -> SharedSecret<ExpandedXWing> {
    let ss_x = key.agree(peer).unwrap_or_default();
    let mut combiner = Sha3_256::new();
    Digest::update(&mut combiner, ss_m);
    Digest::update(&mut combiner, ss_x.as_slice());
    Digest::update(&mut combiner, ct_x);
    Digest::update(&mut combiner, pk_x);
    Digest::update(&mut combiner, br"\.//^\");
    SharedSecret(combiner.finalize())
}

impl PrivateKey {
    /// Expands a 32-byte X-Wing private key (section 5.2 of the draft).
    pub(crate) fn expand(seed: &[u8; 32]) -> Self {
        let mut shake = Shake256::default();
        shake.update(seed);
        let mut reader = shake.finalize_xof();
        let mut ml_kem_seed = Zeroizing::new([0; 64]);
        reader.read(ml_kem_seed.as_mut_slice());
        let mut x25519 = Zeroizing::new([0; 32]);
        reader.read(x25519.as_mut_slice());

        let x25519 = DhKey::new(&x25519);
        let ml_kem = MlKemKey::expand(&ml_kem_seed);
        let public = PublicKey {
            ml_kem: ml_kem.public().clone(),
            x25519: *x25519.public(),
        };
        Self(Arc::new(Expanded {
            seed: Zeroizing::new(*seed),
            ml_kem,
            x25519,
            public,
        }))
    }
}

impl Serializable for PrivateKey {
    type OutputSize = U32;

    fn write_exact(&self, buf: &mut [u8]) {
        buf.copy_from_slice(self.0.seed.as_slice());
    }
}

impl Deserializable for PrivateKey {
    fn from_bytes(encoded: &[u8]) -> Result<Self, HpkeError> {
        let seed: [u8; 32] = encoded
            .try_into()
            .map_err(|_| HpkeError::IncorrectInputLength(32, encoded.len()))?;
        Ok(Self::expand(&Zeroizing::new(seed)))
    }
}

impl ConstantTimeEq for PrivateKey {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.seed.ct_eq(other.0.seed.as_slice())
    }
}

impl Serializable for PublicKey {
    type OutputSize = U1216;

    fn write_exact(&self, buf: &mut [u8]) {
        let (ml_kem, x25519) = buf.split_at_mut(PUBLIC_LEN);
        ml_kem.copy_from_slice(&self.ml_kem.to_bytes());
        x25519.copy_from_slice(&self.x25519);
    }
}

impl Deserializable for PublicKey {
    fn from_bytes(encoded: &[u8]) -> Result<Self, HpkeError> {
        let wrong_length = || HpkeError::IncorrectInputLength(1216, encoded.len());
        let (ml_kem, x25519) = encoded
            .split_at_checked(PUBLIC_LEN)
            .ok_or_else(wrong_length)?;
        Ok(Self {
            ml_kem: mlkem::read_public(ml_kem).ok_or(HpkeError::ValidationError)?,
            x25519: x25519.try_into().map_err(|_| wrong_length())?,
        })
    }
}
