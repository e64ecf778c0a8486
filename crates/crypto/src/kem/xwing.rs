// SPDX-License-Identifier: Apache-2.0
//! X-Wing (draft-connolly-cfrg-xwing-kem) as KEM 0x647A of HPKE (draft-ietf-hpke-pq).

use alloc::sync::Arc;

use hpke::{
    Deserializable, HpkeError, Kem, Serializable,
    hybrid_array::{sizes::U1088, typenum::U32},
    kem::{SharedSecret, XWing},
};
use ml_kem::{Decapsulate, ml_kem_768};
use rand_core::CryptoRng;
use sha3::{Digest, Sha3_256};
use shake::{ExtendableOutput, Shake256, Update, XofReader};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

/// X-Wing whose private key is expanded once, when it is made from its seed.
pub(crate) struct ExpandedXWing;

/// A shared, expanded private key. Cloning shares; the last owner wipes.
#[derive(Clone)]
pub(crate) struct PrivateKey(Arc<Expanded>);

struct Expanded {
    seed: Zeroizing<[u8; 32]>,
    ml_kem: ml_kem_768::DecapsulationKey,
    x25519: x25519_dalek::StaticSecret,
    x25519_public: x25519_dalek::PublicKey,
    public: <XWing as Kem>::PublicKey,
}

impl Kem for ExpandedXWing {
    const KEM_ID: u16 = XWing::KEM_ID;

    type PublicKey = <XWing as Kem>::PublicKey;
    type PrivateKey = PrivateKey;
    type EncappedKey = <XWing as Kem>::EncappedKey;
    type NSecret = U32;

    fn sk_to_pk(sk: &PrivateKey) -> Self::PublicKey {
        sk.0.public.clone()
    }

    fn derive_keypair(ikm: &[u8]) -> (PrivateKey, Self::PublicKey) {
        let (sk, pk) = XWing::derive_keypair(ikm);
        let seed = Zeroizing::new(sk.to_bytes().into());
        (PrivateKey::expand(&seed), pk)
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
        let (ct_m, ct_x) = bytes.split_ref::<U1088>();
        let ct_x: [u8; 32] = ct_x
            .as_slice()
            .try_into()
            .map_err(|_| HpkeError::DecapError)?;
        let ct_x = x25519_dalek::PublicKey::from(ct_x);

        let mut ss_m = sk.0.ml_kem.decapsulate(ct_m);
        let ss_x = sk.0.x25519.diffie_hellman(&ct_x);

        // draft-connolly-cfrg-xwing-kem, section 5.3: SHA3-256 over both secrets, the X25519
        // ciphertext and public key, and the label.
        let mut combiner = Sha3_256::new();
        Digest::update(&mut combiner, ss_m.as_slice());
        Digest::update(&mut combiner, ss_x.as_bytes());
        Digest::update(&mut combiner, ct_x.as_bytes());
        Digest::update(&mut combiner, sk.0.x25519_public.as_bytes());
        Digest::update(&mut combiner, br"\.//^\");
        ss_m.as_mut_slice().zeroize();
        Ok(SharedSecret(combiner.finalize()))
    }

    fn encap_with_rng(
        pk: &Self::PublicKey,
        sender: Option<(&PrivateKey, &Self::PublicKey)>,
        rng: &mut impl CryptoRng,
    ) -> Result<(SharedSecret<Self>, Self::EncappedKey), HpkeError> {
        if sender.is_some() {
            return Err(HpkeError::EncapError);
        }
        let (secret, encapsulated) = XWing::encap_with_rng(pk, None, rng)?;
        Ok((SharedSecret(secret.0), encapsulated))
    }
}

impl PrivateKey {
    /// Expands a 32-byte X-Wing private key (section 5.2 of the draft).
    pub(crate) fn expand(seed: &[u8; 32]) -> Self {
        let mut shake = Shake256::default();
        shake.update(seed);
        let mut reader = shake.finalize_xof();
        let mut ml_kem_seed = Zeroizing::new([0; 64]);
        reader.read(ml_kem_seed.as_mut_slice());
        let mut x25519_bytes = Zeroizing::new([0; 32]);
        reader.read(x25519_bytes.as_mut_slice());

        let ml_kem = ml_kem_768::DecapsulationKey::from_seed((*ml_kem_seed).into());
        let x25519 = x25519_dalek::StaticSecret::from(*x25519_bytes);
        let x25519_public = x25519_dalek::PublicKey::from(&x25519);
        let public = XWing::sk_to_pk(&from_seed(seed));
        Self(Arc::new(Expanded {
            seed: Zeroizing::new(*seed),
            ml_kem,
            x25519,
            x25519_public,
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

fn from_seed(seed: &[u8; 32]) -> <XWing as Kem>::PrivateKey {
    let Ok(key) = <XWing as Kem>::PrivateKey::from_bytes(seed) else {
        unreachable!("any 32 bytes are an X-Wing private key");
    };
    key
}
