// SPDX-License-Identifier: Apache-2.0
//! Moving an epoch secret from one enclave to another.
//!
//! Before anything is sealed the donor has verified the recipient's evidence, which vouches for
//! its transfer key. All that the two agreed on (both evidences, both transfer keys, configHash,
//! the grant entry) goes into a transcript hash, and the ciphertext opens under that hash only.
//!
//! ```text
//! version u8 = 1 │ encapsulated key 1120 │ ciphertext 32 ‖ 16-byte tag
//! ```

use alloc::{vec, vec::Vec};

use alloy_primitives::{B256, keccak256};
use rand_core::CryptoRng;

use crate::{
    EpochId, EpochSecret, KeyError, RecipientKey, RecipientPublicKey, SealError, Suite,
    TransferError, domain,
    hpke_base::{Receiver, Sender},
};

/// An enclave's key for receiving epoch secrets: X-Wing, drawn at boot.
#[expect(missing_debug_implementations, reason = "a secret is never printed")]
pub struct TransferKey {
    key: RecipientKey,
    public: TransferPublicKey,
}

impl TransferKey {
    /// Expands a fresh random 32-byte seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = RecipientKey::from_seed(Suite::XWing, seed);
        let public = TransferPublicKey(key.public_key());
        Self { key, public }
    }

    /// The public key.
    pub fn public(&self) -> &TransferPublicKey {
        &self.public
    }

    /// Opens what [`seal`] made for this key.
    ///
    /// # Errors
    ///
    /// [`TransferError::Malformed`] by its layout; [`TransferError::DoesNotOpen`] under another
    /// key, transcript or epoch.
    pub fn open(
        &self,
        transcript: B256,
        id: EpochId,
        sealed: &[u8],
    ) -> Result<EpochSecret, TransferError> {
        let Some((&VERSION, rest)) = sealed.split_first() else {
            return Err(TransferError::Malformed);
        };
        let (encapsulated, ciphertext) = rest
            .split_at_checked(Suite::XWing.encapsulated_len())
            .ok_or(TransferError::Malformed)?;
        if ciphertext.len() != CIPHERTEXT_LEN {
            return Err(TransferError::Malformed);
        }
        let secret = Receiver::new(&self.key, encapsulated, INFO)
            .and_then(|mut receiver| receiver.open(ciphertext, &additional_data(transcript, id)))
            .map_err(|_| TransferError::DoesNotOpen)?;
        let secret = secret.first_chunk::<32>().ok_or(TransferError::Malformed)?;
        Ok(EpochSecret::from_bytes(secret))
    }
}

/// The public half of a [`TransferKey`]: 1216 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferPublicKey(RecipientPublicKey);

impl TransferPublicKey {
    /// Reads 1216 bytes.
    ///
    /// # Errors
    ///
    /// Those of [`RecipientPublicKey::new`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        RecipientPublicKey::new(Suite::XWing, bytes).map(Self)
    }

    /// The 1216 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// keccak256 of the bytes: `transferKeyHash` of `ReportBinding` and `SignerAdmission`.
    pub fn hash(&self) -> B256 {
        keccak256(self.to_bytes())
    }
}

/// Seals the secret of epoch `id` to `recipient`, under everything that `transcript` hashes.
///
/// # Errors
///
/// [`SealError::UnusableKey`] if the key yields no shared secret.
pub fn seal<R: CryptoRng>(
    recipient: &TransferPublicKey,
    transcript: B256,
    id: EpochId,
    secret: &EpochSecret,
    rng: &mut R,
) -> Result<Vec<u8>, SealError> {
    let (encapsulated, sender) =
        Sender::new(&recipient.0, INFO, rng).map_err(|_| SealError::UnusableKey)?;
    let ciphertext = sender
        .seal(secret.expose(), &additional_data(transcript, id))
        .map_err(|_| SealError::UnusableKey)?;
    let mut out = vec![VERSION];
    out.extend_from_slice(&encapsulated);
    out.extend_from_slice(&ciphertext);
    Ok(out)
}

/// The encapsulated key needs no place here: HPKE's key schedule binds it.
fn additional_data(transcript: B256, id: EpochId) -> Vec<u8> {
    [
        domain::KEY_TRANSFER.as_slice(),
        &[VERSION],
        transcript.as_slice(),
        &id.group.to_be_bytes(),
        &id.epoch.to_be_bytes(),
    ]
    .concat()
}

const INFO: &[u8] = b"subrosa/v1/key-transfer";
const VERSION: u8 = 1;
const CIPHERTEXT_LEN: usize = 32 + 16;

#[cfg(test)]
mod tests {
    use chacha20::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    const ID: EpochId = EpochId { group: 1, epoch: 2 };
    const TRANSCRIPT: B256 = B256::repeat_byte(5);

    fn sealed() -> (TransferKey, Vec<u8>) {
        let key = TransferKey::from_seed(&[1; 32]);
        let secret = EpochSecret::from_bytes(&[9; 32]);
        let mut rng = ChaCha20Rng::from_seed([2; 32]);
        let sealed = seal(key.public(), TRANSCRIPT, ID, &secret, &mut rng).unwrap();
        (key, sealed)
    }

    #[test]
    fn a_secret_arrives() {
        let (key, sealed) = sealed();
        assert_eq!(sealed.len(), 1 + 1120 + 48);
        assert_eq!(
            key.open(TRANSCRIPT, ID, &sealed).unwrap().expose(),
            &[9; 32]
        );
        let read = TransferPublicKey::from_bytes(&key.public().to_bytes()).unwrap();
        assert_eq!(read.hash(), key.public().hash());
    }

    #[test]
    fn another_key_transcript_or_epoch_does_not_open_it() {
        let (key, sealed) = sealed();
        let refused = |key: &TransferKey, transcript, id| {
            assert_eq!(
                key.open(transcript, id, &sealed).err(),
                Some(TransferError::DoesNotOpen)
            );
        };
        refused(&TransferKey::from_seed(&[3; 32]), TRANSCRIPT, ID);
        refused(&key, B256::repeat_byte(6), ID);
        refused(&key, TRANSCRIPT, EpochId { group: 2, ..ID });
        refused(&key, TRANSCRIPT, EpochId { epoch: 3, ..ID });
    }

    #[test]
    fn every_altered_byte_and_every_truncation_is_refused() {
        let (key, sealed) = sealed();
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 0x80;
            assert!(key.open(TRANSCRIPT, ID, &altered).is_err(), "byte {index}");
        }
        for len in 0..sealed.len() {
            assert_eq!(
                key.open(TRANSCRIPT, ID, &sealed[..len]).err(),
                Some(TransferError::Malformed)
            );
        }
    }
}
