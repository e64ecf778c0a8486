// SPDX-License-Identifier: Apache-2.0
//! Contracts whose results the enclave cannot sign as it is: loaded beside everything else, so that
//! nobody else's results wait for them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use subrosa_store::StoreError;
use subrosa_types::ContractId;
use tokio::task::JoinSet;
use tracing::warn;

use super::needs::Needs;
use crate::{
    backoff::Backoff,
    loading::{Held, LoadError, Manners, Need},
    serving::Serving,
};

/// Contracts that are loaded so that their results can be signed.
pub(super) struct Unsigned {
    needs: Arc<Needs>,
    under_way: JoinSet<Made>,
    /// Of those that were loaded already, to no avail so far.
    again: BTreeMap<ContractId, Backoff>,
    /// Since they were loaded, until the next round is over.
    held: Vec<Held>,
}

/// What a load came to.
struct Made {
    contract: ContractId,
    outcome: Result<Option<Ready>, LoadError>,
}

struct Ready {
    held: Held,
    /// Only the first of the results can be signed.
    narrow: bool,
}

/// A contract whose load has come to an end.
pub(super) struct Loaded {
    pub(super) contract: ContractId,
    /// Whether only the first of its results can be signed.
    pub(super) narrow: bool,
}

impl Unsigned {
    pub(super) fn new(needs: Arc<Needs>) -> Self {
        Self {
            needs,
            under_way: JoinSet::new(),
            again: BTreeMap::new(),
            held: Vec::new(),
        }
    }

    /// Leaves a contract for a while: its results wait for a snapshot, which its own task takes.
    pub(super) fn wait(&mut self, contract: ContractId) {
        let backoff = self.again.entry(contract);
        let backoff = backoff.or_insert_with(|| Backoff::new(FIRST_DELAY, LONGEST_DELAY));
        let (delay, clock) = (backoff.step(), Arc::clone(&self.needs.clock));
        self.under_way.spawn(async move {
            clock.sleep(delay).await;
            Made {
                contract,
                outcome: Ok(None),
            }
        });
    }

    /// Has a contract loaded, whose first result to be signed is of entry `first`.
    pub(super) fn load(&mut self, serving: &Arc<Serving>, contract: ContractId, first: u64) {
        let delay = match self.again.get_mut(&contract) {
            Some(backoff) => backoff.step(),
            None => {
                let backoff = Backoff::new(FIRST_DELAY, LONGEST_DELAY);
                self.again.insert(contract, backoff);
                Duration::ZERO
            }
        };
        let (needs, serving) = (Arc::clone(&self.needs), Arc::clone(serving));
        self.under_way.spawn(async move {
            if !delay.is_zero() {
                needs.clock.sleep(delay).await;
            }
            let outcome = make_signable(&needs, &serving, contract, first).await;
            Made { contract, outcome }
        });
    }

    /// Whether nothing is being loaded.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Waits until a load has come to an end, good or bad; `None` if nothing is being loaded. Cancel
    /// safe.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub(super) async fn loaded(&mut self) -> Option<Result<Loaded, StoreError>> {
        let made = match self.under_way.join_next().await? {
            Ok(made) => made,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Nobody aborts one.
                Err(_) => return None,
            },
        };
        let contract = made.contract;
        let narrow = match made.outcome {
            Ok(Some(Ready { held, narrow })) => {
                self.held.push(held);
                narrow
            }
            Ok(None) => false,
            Err(LoadError::Store(error)) => return Some(Err(error)),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                warn!(%contract, error, "results wait to be signed");
                false
            }
        };
        Some(Ok(Loaded { contract, narrow }))
    }

    /// Gives up what was loaded: others may be loaded in its place.
    pub(super) fn release(&mut self) {
        self.held.clear();
    }

    /// Results of these contracts were signed.
    pub(super) fn signed(&mut self, contracts: impl IntoIterator<Item = ContractId>) {
        for contract in contracts {
            self.again.remove(&contract);
        }
    }
}

/// Loads a contract so that its result of entry `first` can be signed; `None` if it has no results.
async fn make_signable(
    needs: &Needs,
    serving: &Serving,
    contract: ContractId,
    first: u64,
) -> Result<Option<Ready>, LoadError> {
    let store = needs.store.as_ref();
    let Some(last) = store.last_result(contract).await? else {
        return Ok(None);
    };
    let load = async |up_to: u64| {
        let contracts = &serving.contracts;
        contracts
            .load(store, contract, up_to, Need::Entry, Manners::InCompany)
            .await
    };
    let held = load(last.seq).await?;
    if held.loaded.signable_from <= first {
        return Ok(Some(Ready {
            held,
            narrow: false,
        }));
    }
    drop(held);
    // A snapshot lies in between: go back before it, one result at a time.
    let held = load(first).await?;
    Ok(Some(Ready { held, narrow: true }))
}

const FIRST_DELAY: Duration = Duration::from_millis(50);
const LONGEST_DELAY: Duration = Duration::from_secs(10);
