// SPDX-License-Identifier: Apache-2.0
//! The epoch secret, sealed to a platform's sealing key so that it survives a restart.

use alloc::vec::Vec;

use alloy_primitives::B256;
use zeroize::Zeroizing;

use super::blob::{self, BlobKind};
use crate::{
    BlobError, EpochId, EpochSecret, domain,
    kdf::{Prk, Secret},
    synthetic::SyntheticKeys,
};

/// A key that the platform gives to this measurement only.
#[expect(missing_debug_implementations, reason = "a secret is never printed")]
pub struct PlatformSealingKey(Secret);

impl PlatformSealingKey {
    /// Takes over a key from the platform.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*bytes))
    }
}

/// What a sealed epoch secret is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochSecretBinding {
    /// The enclave's configuration.
    pub config_hash: B256,
    /// Which epoch's secret it is.
    pub epoch: EpochId,
    /// What the registry records of the epoch's public keys.
    pub public_key_hash: B256,
}

/// Seals the epoch secret. The same arguments give the same bytes.
pub fn seal_epoch_secret(
    key: &PlatformSealingKey,
    binding: &EpochSecretBinding,
    secret: &EpochSecret,
) -> Vec<u8> {
    let Ok(blob) = blob::seal(
        &binding.keys(key),
        binding.outer(),
        &binding.to_bytes(),
        secret.expose(),
    ) else {
        unreachable!("32 bytes fit the smallest size class");
    };
    blob
}

/// Opens a sealed epoch secret. The caller still compares the public keys that follow from it with
/// those proven on chain.
///
/// # Errors
///
/// [`BlobError`]: sealed by another platform or measurement, for another configuration or epoch,
/// or altered.
pub fn open_epoch_secret(
    key: &PlatformSealingKey,
    binding: &EpochSecretBinding,
    blob: &[u8],
) -> Result<EpochSecret, BlobError> {
    let secret = blob::open(
        &binding.keys(key),
        binding.outer(),
        &binding.to_bytes(),
        blob,
    )?;
    let secret: &[u8; 32] = secret
        .as_slice()
        .try_into()
        .map_err(|_| BlobError::Malformed)?;
    Ok(EpochSecret::from_bytes(secret))
}

impl EpochSecretBinding {
    fn keys(&self, key: &PlatformSealingKey) -> SyntheticKeys {
        let prk = Prk::new("subrosa/v1/platform-sealing-key", &key.0);
        let derive = |label| {
            prk.derive(
                label,
                &[
                    self.config_hash.as_slice(),
                    &self.epoch.group.to_be_bytes(),
                    &self.epoch.epoch.to_be_bytes(),
                    self.public_key_hash.as_slice(),
                ],
            )
        };
        SyntheticKeys {
            encryption: derive("subrosa/v1/epoch-secret/encryption"),
            nonce: derive("subrosa/v1/epoch-secret/nonce"),
        }
    }

    fn outer(&self) -> (BlobKind, u8, u64) {
        let seq = u64::from(self.epoch.group) << 32 | u64::from(self.epoch.epoch);
        (BlobKind::EpochSecret, CODEC, seq)
    }

    fn to_bytes(self) -> Vec<u8> {
        [
            domain::EPOCH_SECRET_BLOB.as_slice(),
            self.config_hash.as_slice(),
            &self.epoch.group.to_be_bytes(),
            &self.epoch.epoch.to_be_bytes(),
            self.public_key_hash.as_slice(),
        ]
        .concat()
    }
}

/// The 32 bytes as they are.
const CODEC: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    const BINDING: EpochSecretBinding = EpochSecretBinding {
        config_hash: B256::repeat_byte(1),
        epoch: EpochId { group: 2, epoch: 3 },
        public_key_hash: B256::repeat_byte(4),
    };

    fn key() -> PlatformSealingKey {
        PlatformSealingKey::from_bytes(&[5; 32])
    }

    #[test]
    fn a_sealed_secret_opens_for_its_platform_and_binding_only() {
        let secret = EpochSecret::from_bytes(&[6; 32]);
        let blob = seal_epoch_secret(&key(), &BINDING, &secret);
        assert_eq!(blob, seal_epoch_secret(&key(), &BINDING, &secret));
        assert_eq!(blob.len(), 12 + 12 + 256 + 16);
        assert_eq!(
            open_epoch_secret(&key(), &BINDING, &blob).unwrap().expose(),
            &[6; 32]
        );

        let refused = |key: &PlatformSealingKey, binding: EpochSecretBinding| {
            open_epoch_secret(key, &binding, &blob).err().unwrap()
        };
        let other = PlatformSealingKey::from_bytes(&[7; 32]);
        assert_eq!(refused(&other, BINDING), BlobError::DoesNotOpen);
        let config_hash = B256::repeat_byte(9);
        assert_eq!(
            refused(
                &key(),
                EpochSecretBinding {
                    config_hash,
                    ..BINDING
                }
            ),
            BlobError::DoesNotOpen
        );
        let public_key_hash = B256::repeat_byte(9);
        assert_eq!(
            refused(
                &key(),
                EpochSecretBinding {
                    public_key_hash,
                    ..BINDING
                }
            ),
            BlobError::DoesNotOpen
        );
        for epoch in [
            EpochId { group: 9, epoch: 3 },
            EpochId { group: 2, epoch: 9 },
        ] {
            assert_eq!(
                refused(&key(), EpochSecretBinding { epoch, ..BINDING }),
                BlobError::OtherBlob
            );
        }
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let blob = seal_epoch_secret(&key(), &BINDING, &EpochSecret::from_bytes(&[6; 32]));
        for bit in 0..blob.len() * 8 {
            let mut altered = blob.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(
                open_epoch_secret(&key(), &BINDING, &altered).is_err(),
                "bit {bit}"
            );
        }
    }
}
