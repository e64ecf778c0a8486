// SPDX-License-Identifier: Apache-2.0
//! Holding the key of the key group's current epoch.

use alloy_primitives::Bytes;
use alloy_sol_types::SolValue;
use subrosa_store::{Storage, StoreError};
use subrosa_types::{
    abi::{EpochMember, EpochOpening},
    frame::{EpochProposal, PublishedEpoch, Started},
    id::epoch_set_hash,
    slot,
};
use tracing::{info, warn};

use super::{error::BringupError, needs::Needs};
use crate::{config::OpenEpochs, enclave::Link};

/// Makes sure that every epoch whose secret is stored here is in use, and the current one among
/// them; opens a new one where the configuration allows it.
///
/// # Errors
///
/// [`BringupError::EpochMissing`] or [`BringupError::EpochTaken`] if there is no current key here,
/// and whatever the enclave, the store and the chain fail with.
pub(super) async fn ensure(
    needs: &Needs,
    link: &Link,
    started: &Started,
    held: &[PublishedEpoch],
) -> Result<(PublishedEpoch, EpochOpening), BringupError> {
    let group = needs.settings.enclave_config.keyGroup;
    let stored = stored(needs.store.as_ref(), group).await?;
    let current = needs.chain.current_epoch(group).await?;
    let mut found = None;
    for (epoch, record) in &stored {
        if *epoch > current
            || needs.chain.epoch_record(group, *epoch).await? != record.opening.record()
        {
            // Proposed here and never opened, or opened by another node first.
            continue;
        }
        let active = held
            .iter()
            .find(|keys| keys.epoch == *epoch && keys.group == group);
        let keys = match active {
            Some(keys) => keys.clone(),
            None => match restore(needs, link, *epoch, record).await {
                Ok(keys) => keys,
                Err(BringupError::Enclave(error)) if error.code().is_some() => {
                    warn!(
                        epoch,
                        error = &error as &dyn std::error::Error,
                        "cannot restore an epoch"
                    );
                    continue;
                }
                Err(error) => return Err(error),
            },
        };
        if *epoch == current {
            found = Some((keys, record.opening.clone()));
        }
    }
    let next = current.saturating_add(1);
    let prepared = stored.into_iter().find(|(epoch, _)| *epoch == next);
    let prepared = prepared.map(|(_, record)| record);
    if let Some(found) = found {
        let opened = match needs.settings.open_epochs {
            OpenEpochs::WhenScheduled => {
                open_scheduled(needs, link, started, next, prepared).await?
            }
            _ => None,
        };
        return Ok(opened.unwrap_or(found));
    }
    let may_open = match needs.settings.open_epochs {
        OpenEpochs::Never => false,
        OpenEpochs::First | OpenEpochs::WhenScheduled => current == 0,
        OpenEpochs::WhenMissing => true,
    };
    if !may_open {
        return Err(BringupError::EpochMissing {
            group,
            epoch: current,
        });
    }
    open(needs, link, started, next, prepared).await
}

/// Opens the epoch after the current one, whose secret is held here, if that is scheduled for this
/// enclave too. Whoever is faster, or what is missing, leaves the current one in use.
async fn open_scheduled(
    needs: &Needs,
    link: &Link,
    started: &Started,
    epoch: u32,
    prepared: Option<Record>,
) -> Result<Option<(PublishedEpoch, EpochOpening)>, BringupError> {
    let group = needs.settings.enclave_config.keyGroup;
    let own = EpochMember {
        measurementId: started.measurement_id,
        configHash: started.config_hash,
    };
    let members = needs.chain.epoch_members(group, epoch).await?;
    if !members.contains(&own) {
        return Ok(None);
    }
    match open(needs, link, started, epoch, prepared).await {
        Ok(opened) => Ok(Some(opened)),
        Err(
            error @ (BringupError::EpochTaken(_)
            | BringupError::EpochUnacknowledged(_)
            | BringupError::Reverted { .. }
            | BringupError::Chain(_)),
        ) => {
            warn!(
                epoch,
                error = &error as &dyn std::error::Error,
                "the next epoch is scheduled and not opened here"
            );
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Opens an epoch as it was scheduled, with the secret that a killed host had prepared if this enclave
/// can restore it.
async fn open(
    needs: &Needs,
    link: &Link,
    started: &Started,
    epoch: u32,
    prepared: Option<Record>,
) -> Result<(PublishedEpoch, EpochOpening), BringupError> {
    let group = needs.settings.enclave_config.keyGroup;
    let members = needs.chain.epoch_members(group, epoch).await?;
    if members.is_empty() {
        return Err(BringupError::EpochNotScheduled { group, epoch });
    }
    // Prepared for another schedule, it would be refused.
    let set_hash = epoch_set_hash(&members);
    let prepared = prepared.filter(|record| record.opening.setHash == set_hash);
    let proposal = match prepared {
        Some(record) if !record.sealed.is_empty() => {
            match link.restore_epoch(record.sealed).await {
                Ok(proposal) => proposal,
                Err(error) if error.code().is_some() => link.propose_epoch(epoch, members).await?,
                Err(error) => return Err(error.into()),
            }
        }
        _ => link.propose_epoch(epoch, members).await?,
    };
    // Stored before it is opened: an opened epoch whose secret is lost is lost for everyone.
    let record = Record {
        opening: proposal.opening.clone(),
        sealed: proposal.sealed.clone(),
    };
    needs.store.put_epoch(group, epoch, record.encode()).await?;
    let opening = proposal.opening.clone();
    if needs.chain.epoch_opening(group, epoch).await? != opening.record() {
        let transaction = needs
            .transactions
            .open_epoch(opening.clone(), started.signer, proposal.signature.clone())
            .await?;
        let opened = needs.chain.epoch_opening(group, epoch).await?;
        if opened.is_zero() {
            return Err(BringupError::Reverted {
                what: "openEpoch",
                transaction,
            });
        }
        if opened != opening.record() {
            return Err(BringupError::EpochTaken(epoch));
        }
        info!(group, epoch, "epoch opened");
    }
    acknowledge(needs, started, proposal).await?;
    Ok((activate(needs, link, epoch).await?, opening))
}

/// Says that this enclave holds both secrets, if the epoch is not current without. That it holds the
/// one that it opened, the registry knows.
async fn acknowledge(
    needs: &Needs,
    started: &Started,
    proposal: EpochProposal,
) -> Result<(), BringupError> {
    let (group, epoch) = (proposal.opening.keyGroup, proposal.opening.keyEpoch);
    let record = proposal.opening.record();
    let is_current = || async {
        let recorded = needs.chain.epoch_record(group, epoch).await?;
        if recorded != record && !recorded.is_zero() {
            return Err(BringupError::EpochTaken(epoch));
        }
        Ok(!recorded.is_zero())
    };
    if is_current().await? {
        return Ok(());
    }
    if !proposal.acknowledgement.holdsPrevious {
        return Err(BringupError::EpochUnacknowledged(epoch));
    }
    needs
        .transactions
        .acknowledge_epoch(
            proposal.acknowledgement,
            started.signer,
            proposal.acknowledged,
        )
        .await?;
    if is_current().await? {
        Ok(())
    } else {
        Err(BringupError::EpochUnacknowledged(epoch))
    }
}

async fn restore(
    needs: &Needs,
    link: &Link,
    epoch: u32,
    record: &Record,
) -> Result<PublishedEpoch, BringupError> {
    link.restore_epoch(record.sealed.clone()).await?;
    activate(needs, link, epoch).await
}

async fn activate(needs: &Needs, link: &Link, epoch: u32) -> Result<PublishedEpoch, BringupError> {
    let tip = needs.chain.tip().await?;
    let slot = slot::epoch(needs.settings.enclave_config.keyGroup, epoch);
    let registry = needs.settings.enclave_config.registry;
    let proof = needs.chain.proof(registry, slot, tip.hash).await?;
    Ok(link.activate_epoch(epoch, proof).await?)
}

/// What is stored of an epoch: its opening, which clients ask for, and the sealed secret, which is
/// empty where the platform does not seal.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    opening: EpochOpening,
    sealed: Bytes,
}

impl Record {
    fn encode(&self) -> Bytes {
        [self.opening.abi_encode(), self.sealed.to_vec()]
            .concat()
            .into()
    }

    fn decode(bytes: &Bytes) -> Option<Self> {
        let (opening, _) = bytes.split_at_checked(OPENING_BYTES)?;
        Some(Self {
            opening: EpochOpening::abi_decode_validate(opening).ok()?,
            sealed: bytes.slice(OPENING_BYTES..),
        })
    }
}

/// ABI encoding of an opening: six words.
const OPENING_BYTES: usize = 6 * 32;

async fn stored(store: &dyn Storage, group: u32) -> Result<Vec<(u32, Record)>, StoreError> {
    let mut records = Vec::new();
    for (_, epoch, bytes) in store
        .epochs()
        .await?
        .into_iter()
        .filter(|(g, ..)| *g == group)
    {
        match Record::decode(&bytes) {
            Some(record) => records.push((epoch, record)),
            None => warn!(epoch, "stored epoch does not decode"),
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{B256, U256};

    use super::*;

    #[test]
    fn records_round_trip_with_and_without_a_sealed_secret() {
        for sealed in [Bytes::new(), Bytes::from_static(b"sealed")] {
            let record = Record {
                opening: EpochOpening {
                    keyGroup: 1,
                    keyEpoch: 2,
                    publicKeyHash: B256::repeat_byte(3),
                    configHash: B256::repeat_byte(4),
                    setHash: B256::repeat_byte(5),
                    recovery: U256::from(6),
                },
                sealed,
            };
            let bytes = record.encode();
            assert_eq!(Record::decode(&bytes).as_ref(), Some(&record));
            assert_eq!(Record::decode(&bytes.slice(..OPENING_BYTES - 1)), None);
        }
    }
}
