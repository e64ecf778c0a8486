// SPDX-License-Identifier: Apache-2.0
//! The epoch secret and what follows from it.

use alloy_primitives::B256;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{
    ContractRoot, EpochId, KeyError, RecipientKey, RecipientPublicKey, Suite,
    kdf::{Prk, Secret},
    sealing::kind::StateKind,
    synthetic::SyntheticKeys,
};

/// The 32 fresh random bytes that the enclaves of one (key group, epoch) share.
///
/// It opens envelopes and seals, by way of keys derived with HKDF-SHA256 under distinct labels,
/// and does nothing else.
#[expect(missing_debug_implementations, reason = "a secret is never printed")]
pub struct EpochSecret {
    secret: Secret,
    prk: Prk,
}

impl EpochSecret {
    /// Draws a fresh secret.
    pub fn generate<R: CryptoRng>(rng: &mut R) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill_bytes(secret.as_mut_slice());
        Self::from_bytes(&secret)
    }

    /// Takes over a secret that was unsealed or transferred.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self {
            secret: Zeroizing::new(*bytes),
            prk: Prk::new("subrosa/v1/epoch-secret", bytes),
        }
    }

    /// The secret itself, to be sealed or transferred.
    pub fn expose(&self) -> &[u8; 32] {
        &self.secret
    }

    /// The epoch's key pairs. Expands them, which costs about as much as opening an envelope: keep
    /// the result.
    pub fn keys(&self, id: EpochId) -> EpochKeyPairs {
        let seed = |label| {
            self.prk
                .derive(label, &[&id.group.to_be_bytes(), &id.epoch.to_be_bytes()])
        };
        EpochKeyPairs::new(
            id,
            RecipientKey::from_seed(Suite::XWing, &seed("subrosa/v1/epoch-key/x-wing")),
            RecipientKey::from_seed(Suite::X25519, &seed("subrosa/v1/epoch-key/x25519")),
        )
    }

    /// The root of a confidential contract whose log starts with `entry_zero_digest`. Drawn when
    /// it is deployed and kept in its sealed state from then on, across epochs.
    pub fn contract_root(&self, entry_zero_digest: B256) -> ContractRoot {
        let root = self
            .prk
            .derive("subrosa/v1/contract-root", &[entry_zero_digest.as_slice()]);
        ContractRoot::from_bytes(&root)
    }

    /// The keys that seal one state blob.
    pub(crate) fn state_keys(&self, kind: StateKind, contract_id: B256, seq: u64) -> SyntheticKeys {
        let derive = |label| {
            self.prk.derive(
                label,
                &[&[kind as u8], contract_id.as_slice(), &seq.to_be_bytes()],
            )
        };
        SyntheticKeys {
            encryption: derive("subrosa/v1/state/encryption"),
            nonce: derive("subrosa/v1/state/nonce"),
        }
    }
}

/// An epoch's key pairs, one per suite, expanded and ready to open envelopes.
#[expect(missing_debug_implementations, reason = "a secret is never printed")]
pub struct EpochKeyPairs {
    id: EpochId,
    xwing: RecipientKey,
    x25519: RecipientKey,
    public: EpochPublicKey,
}

impl EpochKeyPairs {
    fn new(id: EpochId, xwing: RecipientKey, x25519: RecipientKey) -> Self {
        let public = EpochPublicKey {
            xwing: xwing.public_key(),
            x25519: x25519.public_key(),
        };
        Self {
            id,
            xwing,
            x25519,
            public,
        }
    }

    /// Which epoch's keys these are.
    pub fn id(&self) -> EpochId {
        self.id
    }

    /// The public halves.
    pub fn public(&self) -> &EpochPublicKey {
        &self.public
    }

    /// The private key of `suite`.
    pub(crate) fn recipient(&self, suite: Suite) -> &RecipientKey {
        match suite {
            Suite::XWing => &self.xwing,
            Suite::X25519 => &self.x25519,
        }
    }
}

/// An epoch's public keys, one per suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochPublicKey {
    xwing: RecipientPublicKey,
    x25519: RecipientPublicKey,
}

impl EpochPublicKey {
    /// Reads an X-Wing (1216 bytes) and an X25519 (32 bytes) public key. Check
    /// [`hash`](Self::hash) against the registry before sealing anything to them.
    ///
    /// # Errors
    ///
    /// Those of [`RecipientPublicKey::new`].
    pub fn from_bytes(xwing: &[u8], x25519: &[u8]) -> Result<Self, KeyError> {
        Ok(Self {
            xwing: RecipientPublicKey::new(Suite::XWing, xwing)?,
            x25519: RecipientPublicKey::new(Suite::X25519, x25519)?,
        })
    }

    /// The public key of `suite`.
    pub fn recipient(&self, suite: Suite) -> &RecipientPublicKey {
        match suite {
            Suite::XWing => &self.xwing,
            Suite::X25519 => &self.x25519,
        }
    }

    /// What the registry records: `EpochOpening.publicKeyHash` of `SubrosaTypes.sol`.
    pub fn hash(&self) -> B256 {
        let mut x25519 = [0; 32];
        x25519.copy_from_slice(&self.x25519.to_bytes());
        subrosa_types::id::epoch_public_key_hash(&self.xwing.to_bytes(), &x25519)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const ID: EpochId = EpochId { group: 1, epoch: 2 };

    #[test]
    fn every_derivation_is_distinct_and_repeatable() {
        let secret = EpochSecret::from_bytes(&[1; 32]);
        let other = EpochSecret::from_bytes(&[2; 32]);
        let (a, b) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let everything = |secret: &EpochSecret| {
            let mut all = vec![
                *secret.contract_root(a).expose(),
                *secret.contract_root(b).expose(),
            ];
            for kind in [StateKind::Delta, StateKind::Snapshot] {
                for contract in [a, b] {
                    for seq in [0, 1] {
                        let keys = secret.state_keys(kind, contract, seq);
                        all.extend([*keys.encryption, *keys.nonce]);
                    }
                }
            }
            for id in [
                ID,
                EpochId { group: 2, epoch: 1 },
                EpochId { epoch: 3, ..ID },
            ] {
                all.push(secret.keys(id).public().hash().0);
            }
            all
        };
        assert_eq!(
            everything(&secret),
            everything(&EpochSecret::from_bytes(&[1; 32]))
        );
        let distinct: HashSet<_> = everything(&secret)
            .into_iter()
            .chain(everything(&other))
            .collect();
        assert_eq!(distinct.len(), 2 * everything(&secret).len());
    }

    #[test]
    fn public_keys_survive_a_round_trip() {
        let keys = EpochSecret::from_bytes(&[1; 32]).keys(ID);
        let bytes = |suite| keys.public().recipient(suite).to_bytes();
        let read = EpochPublicKey::from_bytes(&bytes(Suite::XWing), &bytes(Suite::X25519)).unwrap();
        assert_eq!(&read, keys.public());
        assert_eq!(read.hash(), keys.public().hash());
        assert_eq!(keys.id(), ID);
    }
}
