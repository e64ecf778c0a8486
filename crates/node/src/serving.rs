// SPDX-License-Identifier: Apache-2.0
//! An enclave that is admitted and holds its epoch's key, and what is loaded in it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use alloy_primitives::B256;
use subrosa_store::{Storage, StoreError};
use subrosa_types::{
    ContractId,
    abi::EpochOpening,
    frame::{Loaded, PublishedEpoch, Started},
    result::Head,
};
use tokio::sync::watch;

use crate::enclave::{EnclaveError, Link};

/// One boot of an enclave over one connection, brought up. When the link breaks it is over; the
/// next one may be the same boot or another.
#[derive(Debug)]
pub(crate) struct Serving {
    /// The stream.
    pub(crate) link: Link,
    /// Its keys and identity.
    pub(crate) started: Started,
    /// Public keys of its key group's current epoch.
    pub(crate) keys: PublishedEpoch,
    /// What the registry recorded for that epoch.
    pub(crate) opening: EpochOpening,
    /// Unix seconds at which its signer's lease ends.
    pub(crate) lease_until: u64,
    /// What the host believes to be loaded. The enclave's refusals correct it.
    loaded: Mutex<HashMap<ContractId, Loaded>>,
    /// Held while a contract is loaded.
    loads: Mutex<HashMap<ContractId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Serving {
    pub(crate) fn new(
        link: Link,
        started: Started,
        (keys, opening): (PublishedEpoch, EpochOpening),
        lease_until: u64,
        contracts: &[Loaded],
    ) -> Self {
        let loaded = contracts.iter().map(|loaded| (loaded.contract, *loaded));
        Self {
            link,
            started,
            keys,
            opening,
            lease_until,
            loaded: Mutex::new(loaded.collect()),
            loads: Mutex::default(),
        }
    }

    /// Where a contract stands in the enclave; `None` if it is not loaded.
    pub(crate) fn position(&self, contract: ContractId) -> Option<Loaded> {
        self.table().get(&contract).copied()
    }

    /// Notes that executing moved a contract on.
    pub(crate) fn moved(&self, contract: ContractId, head: Head, digest: B256) {
        let mut table = self.table();
        let signable_from = table
            .get(&contract)
            .map_or(0, |loaded| loaded.signable_from);
        let loaded = Loaded {
            contract,
            head,
            digest,
            signable_from,
        };
        table.insert(contract, loaded);
    }

    /// Notes that what is loaded of a contract is not what it was thought to be.
    pub(crate) fn forget(&self, contract: ContractId) {
        self.table().remove(&contract);
    }

    /// Loads a contract as it was after entry `up_to`, a page of blobs at a time; `None` if there are
    /// none of it.
    ///
    /// # Errors
    ///
    /// [`LoadError`].
    pub(crate) async fn load(
        &self,
        store: &dyn Storage,
        contract: ContractId,
        up_to: u64,
    ) -> Result<Option<Loaded>, LoadError> {
        let turn = {
            let mut loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(loads.entry(contract).or_default())
        };
        // Pages of two loads would undo each other.
        let before = self.position(contract);
        let _turn = turn.lock().await;
        let now = self.position(contract);
        if let Some(now) = now.filter(|now| before != Some(*now) && now.head.seq == up_to + 1) {
            return Ok(Some(now));
        }
        let (mut taken, mut stands) = (0, None);
        loop {
            let blobs = store
                .blobs_for_load(contract, up_to, taken, PAGE_BYTES)
                .await?;
            if blobs.is_empty() {
                break;
            }
            if taken == 0 {
                self.forget(contract);
            }
            taken += blobs.len();
            stands = self.link.load(contract, blobs).await?;
        }
        if let Some(loaded) = stands {
            self.table().insert(contract, loaded);
        }
        Ok(stands)
    }

    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<ContractId, Loaded>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows which enclave serves, if one does.
#[derive(Debug)]
pub(crate) struct Stage(watch::Sender<Option<Arc<Serving>>>);

impl Stage {
    /// Nobody serves yet.
    pub(crate) fn empty() -> Self {
        Self(watch::Sender::new(None))
    }

    /// The enclave that serves, now and after each change.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<Arc<Serving>>> {
        self.0.subscribe()
    }

    /// The enclave that serves at the moment.
    pub(crate) fn now(&self) -> Option<Arc<Serving>> {
        self.0.borrow().clone()
    }

    /// Announces an enclave that serves, or that none does.
    pub(crate) fn show(&self, serving: Option<Arc<Serving>>) {
        self.0.send_replace(serving);
    }
}

/// Bytes of blobs in one request, about: two parts of a snapshot.
const PAGE_BYTES: usize = 9 << 20;

/// Why a contract cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Its blobs cannot be read.
    #[error("cannot read state blobs")]
    Store(#[from] StoreError),
    /// The enclave does not take them.
    #[error("cannot load state blobs")]
    Enclave(#[from] EnclaveError),
}
