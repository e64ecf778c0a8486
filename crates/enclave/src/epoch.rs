// SPDX-License-Identifier: Apache-2.0
//! Epoch secrets: proposed or restored, then used only once the registry is proven to name them.

use alloc::{collections::BTreeMap, format, sync::Arc, vec::Vec};

use alloy_primitives::{B256, Bytes};
use alloy_sol_types::SolValue;
use subrosa_chain_proof::verify_slot;
use subrosa_crypto::{
    EpochId, EpochKeyPairs, EpochSecret, Signer, Suite,
    sealing::{self, EpochSecretBinding, PlatformSealingKey},
};
use subrosa_types::{
    abi::{EpochAcknowledgement, EpochMember, EpochOpening},
    config::Recovery,
    eip712,
    frame::{self, EpochProposal, ErrorCode, FrameError, StorageProof},
    id, slot,
};
use zeroize::Zeroizing;

use crate::{fixed::Fixed, platform::Platform};

/// Secrets by epoch of the one key group this enclave belongs to.
#[derive(Default)]
pub(crate) struct Epochs {
    proposed: BTreeMap<u32, Proposed>,
    active: Active,
}

/// The epochs whose secrets are in use, as of one moment.
#[derive(Clone, Default)]
pub(crate) struct Active(Arc<BTreeMap<u32, Arc<Epoch>>>);

struct Proposed {
    epoch: Epoch,
    sealed: Bytes,
}

/// A secret with its expanded keys.
pub(crate) struct Epoch {
    /// What the registry records, or would, the hash of.
    pub(crate) opening: EpochOpening,
    pub(crate) secret: EpochSecret,
    pub(crate) keys: EpochKeyPairs,
}

impl Active {
    /// The active epoch that `named` names.
    pub(crate) fn active(&self, named: EpochId) -> Result<Arc<Epoch>, FrameError> {
        self.0
            .get(&named.epoch)
            .filter(|epoch| epoch.keys.id() == named)
            .cloned()
            .ok_or_else(|| {
                FrameError::new(
                    ErrorCode::MissingKey,
                    format!("the key of {named} is not held here"),
                )
            })
    }

    pub(crate) fn public_keys(&self) -> Vec<frame::PublishedEpoch> {
        self.0.values().map(|epoch| public(&epoch.keys)).collect()
    }
}

impl Epochs {
    /// The epochs that are active now.
    pub(crate) fn active(&self) -> Active {
        self.active.clone()
    }

    /// Draws a secret for `epoch`; asked again, repeats the same proposal.
    pub(crate) fn propose(
        &mut self,
        fixed: &Fixed,
        platform: &mut dyn Platform,
        signer: &Signer,
        epoch: u32,
        members: &[EpochMember],
    ) -> Result<EpochProposal, FrameError> {
        if self.active.0.contains_key(&epoch) {
            let message = format!("epoch {epoch} is active already");
            return Err(FrameError::new(ErrorCode::OutOfOrder, message));
        }
        let own = EpochMember {
            measurementId: fixed.started.measurement_id,
            configHash: fixed.started.config_hash,
        };
        if !members.contains(&own) {
            let message = "the set must include this enclave's measurement and configuration";
            return Err(FrameError::new(ErrorCode::Config, message));
        }
        let named = EpochId {
            group: fixed.config.keyGroup,
            epoch,
        };
        let set_hash = id::epoch_set_hash(members);
        let repeated = self
            .proposed
            .get(&epoch)
            .is_some_and(|p| p.epoch.opening.setHash == set_hash);
        if !repeated {
            let mut bytes = Zeroizing::new([0; 32]);
            platform.random(bytes.as_mut_slice())?;
            let secret = EpochSecret::from_bytes(&bytes);
            let keys = secret.keys(named);
            let opening = EpochOpening {
                keyGroup: named.group,
                keyEpoch: named.epoch,
                publicKeyHash: keys.public().hash(),
                configHash: fixed.started.config_hash,
                setHash: set_hash,
                recovery: fixed.config.recovery,
            };
            let sealed = seal(fixed, platform, &secret, &opening)?;
            let proposed = Proposed {
                epoch: Epoch {
                    opening,
                    secret,
                    keys,
                },
                sealed,
            };
            self.proposed.insert(epoch, proposed);
        }
        self.proposal(fixed, signer, epoch)
    }

    /// Opens a secret that this platform sealed.
    pub(crate) fn restore(
        &mut self,
        fixed: &Fixed,
        platform: &dyn Platform,
        signer: &Signer,
        sealed: &Bytes,
    ) -> Result<EpochProposal, FrameError> {
        let refuse = |message: &str| FrameError::new(ErrorCode::Blob, message);
        let (opening, blob) = sealed
            .split_at_checked(OPENING_BYTES)
            .ok_or_else(|| refuse("sealed epoch is truncated"))?;
        let opening = EpochOpening::abi_decode_validate(opening)
            .map_err(|_| refuse("sealed epoch's opening does not decode"))?;
        if opening.configHash != fixed.started.config_hash {
            return Err(refuse("sealed epoch belongs to another configuration"));
        }
        let key = sealing_key(platform)?;
        let secret = sealing::open_epoch_secret(&key, &binding(&opening), blob)
            .map_err(|error| FrameError::new(ErrorCode::Blob, error))?;
        let named = EpochId {
            group: opening.keyGroup,
            epoch: opening.keyEpoch,
        };
        let keys = secret.keys(named);
        if keys.public().hash() != opening.publicKeyHash || named.group != fixed.config.keyGroup {
            return Err(refuse("sealed epoch's secret is not the one it names"));
        }
        let epoch = named.epoch;
        if !self.active.0.contains_key(&epoch) {
            let proposed = Proposed {
                epoch: Epoch {
                    opening,
                    secret,
                    keys,
                },
                sealed: sealed.clone(),
            };
            self.proposed.insert(epoch, proposed);
        }
        self.proposal(fixed, signer, epoch)
    }

    /// Takes a proposed secret into use once the registry is proven to have recorded it.
    pub(crate) fn activate(
        &mut self,
        fixed: &Fixed,
        epoch: u32,
        proof: &StorageProof,
    ) -> Result<frame::PublishedEpoch, FrameError> {
        if let Some(active) = self.active.0.get(&epoch) {
            return Ok(public(&active.keys));
        }
        let proposed = self.find_proposed(epoch)?;
        let proven = verify_slot(
            fixed.trust().as_ref(),
            proof,
            fixed.config.registry,
            fixed.config.registryCodeHash,
            slot::epoch(fixed.config.keyGroup, epoch),
        )
        .map_err(|error| FrameError::new(ErrorCode::Proof, error))?;
        if proven.value() != proposed.epoch.opening.record() {
            let message = format!("the registry recorded another opening of epoch {epoch}");
            return Err(FrameError::new(ErrorCode::MissingKey, message));
        }
        let Some(proposed) = self.proposed.remove(&epoch) else {
            return Err(FrameError::new(
                ErrorCode::OutOfOrder,
                "epoch is not proposed",
            ));
        };
        let keys = public(&proposed.epoch.keys);
        Arc::make_mut(&mut self.active.0).insert(epoch, Arc::new(proposed.epoch));
        Ok(keys)
    }

    fn proposal(
        &self,
        fixed: &Fixed,
        signer: &Signer,
        epoch: u32,
    ) -> Result<EpochProposal, FrameError> {
        let proposed = self.find_proposed(epoch)?;
        let opening = &proposed.epoch.opening;
        let domain = eip712::registry_domain(fixed.place.chain_id, fixed.config.registry);
        let sign = |hash| Bytes::from(signer.sign(hash).as_bytes().to_vec());
        let acknowledgement = EpochAcknowledgement {
            keyGroup: opening.keyGroup,
            keyEpoch: epoch,
            record: opening.record(),
            holdsPrevious: epoch
                .checked_sub(1)
                .is_some_and(|previous| self.active.0.contains_key(&previous)),
        };
        Ok(EpochProposal {
            opening: opening.clone(),
            signature: sign(eip712::signing_hash(opening, &domain)),
            acknowledged: sign(eip712::signing_hash(&acknowledgement, &domain)),
            acknowledgement,
            keys: public(&proposed.epoch.keys),
            sealed: proposed.sealed.clone(),
        })
    }

    fn find_proposed(&self, epoch: u32) -> Result<&Proposed, FrameError> {
        self.proposed.get(&epoch).ok_or_else(|| {
            FrameError::new(
                ErrorCode::OutOfOrder,
                format!("epoch {epoch} is not proposed"),
            )
        })
    }
}

/// Seals a secret to this platform, if the recovery policy says so.
fn seal(
    fixed: &Fixed,
    platform: &dyn Platform,
    secret: &EpochSecret,
    opening: &EpochOpening,
) -> Result<Bytes, FrameError> {
    match fixed.recovery {
        Recovery::Sealed | Recovery::SealedDevelopment => {
            let key = sealing_key(platform)?;
            let blob = sealing::seal_epoch_secret(&key, &binding(opening), secret);
            Ok([opening.abi_encode(), blob].concat().into())
        }
        _ => Ok(Bytes::new()),
    }
}

fn sealing_key(platform: &dyn Platform) -> Result<PlatformSealingKey, FrameError> {
    let key = platform
        .sealing_key()
        .ok_or_else(|| FrameError::new(ErrorCode::Platform, "this platform has no sealing key"))?;
    Ok(PlatformSealingKey::from_bytes(&key))
}

fn binding(opening: &EpochOpening) -> EpochSecretBinding {
    EpochSecretBinding {
        config_hash: opening.configHash,
        epoch: EpochId {
            group: opening.keyGroup,
            epoch: opening.keyEpoch,
        },
        public_key_hash: opening.publicKeyHash,
    }
}

/// A sealed epoch is the ABI encoding of its opening (public), then the sealed secret.
const OPENING_BYTES: usize = 6 * 32;

pub(crate) fn public(keys: &EpochKeyPairs) -> frame::PublishedEpoch {
    let id = keys.id();
    let x25519 = keys.public().recipient(Suite::X25519).to_bytes();
    frame::PublishedEpoch {
        group: id.group,
        epoch: id.epoch,
        xwing: keys.public().recipient(Suite::XWing).to_bytes().into(),
        x25519: B256::try_from(x25519.as_slice()).unwrap_or_default(),
    }
}
