// SPDX-License-Identifier: Apache-2.0
//! ML-KEM-768 (FIPS 203): decapsulation by AWS-LC, the rest by the `ml-kem` crate.
//!
//! What draws on the caller's randomness, and so has to be repeatable, AWS-LC's safe interface does
//! not offer: expanding a seed, and encapsulation.

use aws_lc_rs::kem;
use hpke::hybrid_array::{Array, sizes::U1184};
use ml_kem::ml_kem_768;
use zeroize::{Zeroize, Zeroizing};

use crate::kdf::Secret;

/// Bytes of a ciphertext.
pub(crate) const CIPHERTEXT_LEN: usize = 1088;
/// Bytes of a public key.
pub(crate) const PUBLIC_LEN: usize = 1184;

/// A public key, its matrix expanded.
pub(crate) type PublicKey = ml_kem_768::EncapsulationKey;

/// A private key, expanded once.
///
/// Its 2,400 bytes are in memory that AWS-LC's allocator overwrites when it frees it; what they are
/// made from and through is wiped here, and `aws-lc-rs` wipes the secrets that come out.
pub(crate) struct MlKemKey {
    key: kem::DecapsulationKey,
    public: PublicKey,
}

impl MlKemKey {
    /// Expands a seed, d ‖ z.
    pub(crate) fn expand(seed: &[u8; 64]) -> Self {
        let key = ml_kem_768::DecapsulationKey::from_seed((*seed).into());
        Self {
            public: key.encapsulation_key().clone(),
            key: hand_over(&key),
        }
    }

    pub(crate) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The secret of a ciphertext. One that is not this key's yields another secret, which nobody
    /// knows (implicit rejection).
    pub(crate) fn decapsulate(&self, ciphertext: &[u8; CIPHERTEXT_LEN]) -> Secret {
        let mut secret = Zeroizing::new([0; 32]);
        let found = self.key.decapsulate(ciphertext.as_slice().into());
        let Some(found) = found.as_ref().ok().map(AsRef::as_ref) else {
            // A refusal would be signed, so nothing may pass for one.
            unreachable!("any 1088 bytes decapsulate");
        };
        if let Ok(found) = <&[u8; 32]>::try_from(found) {
            *secret = *found;
            return secret;
        }
        unreachable!("a shared secret has 32 bytes");
    }
}

/// Reads a public key; `None` if it is not reduced (FIPS 203, section 7.2) or of another length.
pub(crate) fn read_public(bytes: &[u8]) -> Option<PublicKey> {
    let bytes: &Array<u8, U1184> = bytes.try_into().ok()?;
    PublicKey::new(bytes).ok()
}

/// Encapsulates with `message` for randomness: the ciphertext and its secret.
pub(crate) fn encapsulate(key: &PublicKey, message: &[u8; 32]) -> ([u8; CIPHERTEXT_LEN], Secret) {
    let (ciphertext, mut shared) = key.encapsulate_deterministic(&Array(*message));
    let secret = Zeroizing::new(shared.0);
    shared.as_mut_slice().zeroize();
    (ciphertext.0, secret)
}

/// The same key as AWS-LC's.
#[expect(
    deprecated,
    reason = "expanded keys are out of favour because those that come from elsewhere must be validated; \
              this one has just been made from its seed"
)]
fn hand_over(key: &ml_kem_768::DecapsulationKey) -> kem::DecapsulationKey {
    let mut expanded = ml_kem::ExpandedKeyEncoding::to_expanded_bytes(key);
    let ours = kem::DecapsulationKey::new(&kem::ML_KEM_768, &expanded);
    expanded.as_mut_slice().zeroize();
    let Ok(ours) = ours else {
        unreachable!("2400 bytes are a decapsulation key");
    };
    ours
}
