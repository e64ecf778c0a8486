// SPDX-License-Identifier: Apache-2.0
//! What is loaded in an enclave, and loading by need: several contracts at a time, those whose logs
//! wait first.
//!
//! The enclave drops what it has no memory for without saying so. What is believed here is therefore
//! only ever corrected by its refusals, and whoever meets one has the contract loaded again.

mod failures;
mod places;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::B256;
use subrosa_store::{Storage, StoreError};
use subrosa_types::{
    ContractId,
    frame::{ErrorCode, FrameError, Loaded},
    result::Head,
};
use tokio::sync::{OwnedMutexGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tracing::{debug, warn};

pub(crate) use self::places::Need;
use self::{
    failures::Failures,
    places::{Place, Places},
};
use crate::{
    clock::Clock,
    enclave::{EnclaveError, Link},
    failpoint::failpoint,
    stops::{Cause, Stops, stop_of},
};

/// The contracts of one boot of an enclave.
#[derive(Debug)]
pub(crate) struct Loading {
    link: Link,
    clock: Arc<dyn Clock>,
    stops: Arc<Stops>,
    /// What the host believes to be loaded. The enclave's refusals correct it.
    loaded: Mutex<HashMap<ContractId, Loaded>>,
    /// Contracts that somebody wants loaded.
    wanted: Mutex<HashMap<ContractId, Turns>>,
    failures: Failures,
    places: Places,
    /// Held for writing by who loads alone, for reading by everybody else who does.
    company: Arc<RwLock<()>>,
    /// Held by the one client for whom something is loaded alone: logs wait for one of them at most.
    client: Arc<tokio::sync::Mutex<()>>,
}

/// A contract that was loaded. As long as this is kept its place is taken, and few others are loaded
/// in the meantime that could have it dropped again: whoever had it loaded first does what for.
#[derive(Debug)]
pub(crate) struct Held {
    /// Where it stands.
    pub(crate) loaded: Loaded,
    _place: Option<Place>,
    _company: Company,
}

/// The right to load, in company or alone.
#[derive(Debug)]
struct Company {
    _shared: Option<OwnedRwLockReadGuard<()>>,
    _alone: Option<OwnedRwLockWriteGuard<()>>,
    _client: Option<OwnedMutexGuard<()>>,
}

/// Whether others may load meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manners {
    /// As many as there are places.
    InCompany,
    /// Nobody: for a contract that was dropped before it was of use, over and over. Where memory
    /// holds fewer contracts than are loaded at a time, they would do that to each other for ever.
    Alone,
}

/// How many contracts are in which state, as far as the host knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// In the enclave's memory, unless it has dropped them since.
    pub(crate) loaded: usize,
    /// Being loaded, or waiting for their turn.
    pub(crate) waiting: usize,
    /// Those that could not be loaded when that was tried last.
    pub(crate) failed: usize,
}

impl Loading {
    /// `most` are loaded at a time; `loaded` are already.
    pub(crate) fn new(
        link: Link,
        clock: Arc<dyn Clock>,
        stops: Arc<Stops>,
        most: usize,
        loaded: &[Loaded],
    ) -> Self {
        let loaded = loaded.iter().map(|loaded| (loaded.contract, *loaded));
        Self {
            link,
            clock,
            stops,
            loaded: Mutex::new(loaded.collect()),
            wanted: Mutex::default(),
            failures: Failures::default(),
            places: Places::new(most),
            company: Arc::default(),
            client: Arc::default(),
        }
    }

    /// How many contracts are in which state.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            loaded: self.table().len(),
            waiting: lock(&self.wanted).len(),
            failed: self.failures.count(),
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

    /// Loads a contract as it was after entry `up_to`, in its turn. One that could not be loaded is
    /// not tried again at once: until then whoever asks is told why it could not. Cancel safe.
    ///
    /// # Errors
    ///
    /// [`LoadError`].
    pub(crate) async fn load(
        &self,
        store: &dyn Storage,
        contract: ContractId,
        up_to: u64,
        need: Need,
        manners: Manners,
    ) -> Result<Held, LoadError> {
        let before = self.position(contract);
        let wanted = Wanted::begin(self, contract);
        if need == Need::Entry {
            self.places.hurry(contract);
        }
        let client = match (need, manners) {
            (Need::Other, Manners::Alone) => Some(Arc::clone(&self.client).lock_owned().await),
            _ => None,
        };
        // Pages of two loads would undo each other.
        let _turn = wanted.turn.lock().await;
        let company = self.company(manners, client).await;
        let now = self.position(contract);
        if let Some(loaded) = now.filter(|now| before != Some(*now) && now.head.seq == up_to + 1) {
            return Ok(Held {
                loaded,
                _place: None,
                _company: company,
            });
        }
        if let Some(why) = self.failures.standing(contract, self.clock.monotonic()) {
            return Err(EnclaveError::Refused(why).into());
        }
        let place = self.places.take(contract, need).await;
        match self.attempts(store, contract, up_to).await {
            Ok(loaded) => {
                self.failures.succeeded(contract);
                self.stops.loaded(contract);
                failpoint!("after_load");
                Ok(Held {
                    loaded,
                    _place: Some(place),
                    _company: company,
                })
            }
            Err(error) => {
                if let LoadError::Enclave(EnclaveError::Refused(why)) = &error {
                    self.failed(contract, up_to, why);
                }
                Err(error)
            }
        }
    }

    async fn company(&self, manners: Manners, client: Option<OwnedMutexGuard<()>>) -> Company {
        let company = Arc::clone(&self.company);
        let (shared, alone) = match manners {
            Manners::InCompany => (Some(company.read_owned().await), None),
            Manners::Alone => (None, Some(company.write_owned().await)),
        };
        Company {
            _shared: shared,
            _alone: alone,
            _client: client,
        }
    }

    /// Tries a few times if what was loaded is gone before all of it is.
    async fn attempts(
        &self,
        store: &dyn Storage,
        contract: ContractId,
        up_to: u64,
    ) -> Result<Loaded, LoadError> {
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            match self.pages(store, contract, up_to).await {
                Err((LoadError::Enclave(EnclaveError::Refused(why)), true)) if left > 0 => {
                    debug!(%contract, %why, "loading from the start again");
                }
                outcome => return outcome.map_err(|(error, _)| error),
            }
        }
    }

    /// Loads a contract a page of blobs at a time. An error says whether an earlier page was taken.
    async fn pages(
        &self,
        store: &dyn Storage,
        contract: ContractId,
        up_to: u64,
    ) -> Result<Loaded, (LoadError, bool)> {
        let (mut taken, mut stands) = (0, None);
        loop {
            let at_first = taken == 0;
            let blobs = store
                .blobs_for_load(contract, up_to, taken, PAGE_BYTES)
                .await
                .map_err(|error| (of_one_contract(error), !at_first))?;
            if blobs.is_empty() {
                break;
            }
            if at_first {
                self.forget(contract);
            }
            taken += blobs.len();
            let loaded = self.link.load(contract, blobs).await;
            stands = loaded.map_err(|error| (error.into(), !at_first))?;
        }
        let Some(loaded) = stands else {
            let message = format!("no whole snapshot of {contract} is stored");
            let refusal = FrameError::new(ErrorCode::Blob, message);
            return Err((EnclaveError::Refused(refusal).into(), false));
        };
        self.table().insert(contract, loaded);
        Ok(loaded)
    }

    fn failed(&self, contract: ContractId, up_to: u64, why: &FrameError) {
        // Those pass by themselves, and at once.
        let passing = [
            ErrorCode::Busy,
            // What was taken was dropped to make room.
            ErrorCode::OutOfOrder,
            ErrorCode::Sequence,
            ErrorCode::UnknownContract,
        ];
        if passing.contains(&why.code) {
            return;
        }
        warn!(%contract, %why, "cannot load a contract");
        let now = self.clock.monotonic();
        self.failures.failed(contract, why.clone(), now);
        if let Some(stop) = stop_of(up_to + 1, why) {
            self.stops.stopped(contract, Cause::Load, stop);
        }
    }

    fn table(&self) -> MutexGuard<'_, HashMap<ContractId, Loaded>> {
        lock(&self.loaded)
    }
}

/// Those who want one contract loaded.
#[derive(Debug, Default)]
struct Turns {
    /// Held while it is loaded.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// How many they are.
    count: usize,
}

/// Somebody who wants a contract loaded.
struct Wanted<'a> {
    loading: &'a Loading,
    contract: ContractId,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl<'a> Wanted<'a> {
    fn begin(loading: &'a Loading, contract: ContractId) -> Self {
        let mut wanted = lock(&loading.wanted);
        let turns = wanted.entry(contract).or_default();
        turns.count += 1;
        let turn = Arc::clone(&turns.turn);
        drop(wanted);
        Self {
            loading,
            contract,
            turn,
        }
    }
}

impl Drop for Wanted<'_> {
    fn drop(&mut self) {
        let mut wanted = lock(&self.loading.wanted);
        if let Some(turns) = wanted.get_mut(&self.contract) {
            turns.count -= 1;
            if turns.count == 0 {
                wanted.remove(&self.contract);
            }
        }
    }
}

/// Why a contract cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Its blobs cannot be read.
    #[error("cannot read state blobs")]
    Store(#[from] StoreError),
    /// The enclave does not take them, or there is nothing that it could take.
    #[error("cannot load state blobs")]
    Enclave(#[from] EnclaveError),
}

/// A failure of the store. What is missing or damaged of one contract is no other's trouble.
fn of_one_contract(error: StoreError) -> LoadError {
    if error.is_local() {
        let refusal = FrameError::new(ErrorCode::Blob, error);
        return EnclaveError::Refused(refusal).into();
    }
    error.into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of blobs in one request, about: a part of a snapshot, or many deltas.
const PAGE_BYTES: usize = 2 << 20;
/// How often a load is begun at most, if the enclave drops the contract in the middle of it.
const ATTEMPTS: usize = 3;

#[cfg(test)]
mod tests;
