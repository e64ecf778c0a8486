// SPDX-License-Identifier: Apache-2.0
//! Executing entries: one task per contract, all sharing the enclave's stream.
//!
//! A task sleeps until its contract is woken (entries arrived, an envelope with code did, its
//! head moved on chain, an enclave began to serve), then works until nothing is left to do. What
//! there is to do is always read from the store: the entry after the last one that has a result.

mod contract;
mod needs;
mod plan;
mod reassign;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use alloy_primitives::B256;
use subrosa_types::ContractId;
use tokio::{
    sync::{Notify, broadcast},
    task::JoinSet,
};

pub(crate) use self::needs::Needs;
use crate::shutdown::Shutdown;

/// The contracts' tasks, as seen by whoever wakes them.
#[derive(Debug)]
pub(crate) struct Executors {
    woken: Notify,
    contracts: Mutex<HashMap<ContractId, Option<Arc<Notify>>>>,
    code: broadcast::Sender<CodeOutcome>,
}

/// What became of an envelope that carries code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodeOutcome {
    /// Which contract.
    pub(crate) contract: ContractId,
    /// Which entry it was tried for.
    pub(crate) seq: u64,
    /// keccak256 of the envelope.
    pub(crate) envelope: B256,
    /// Why the enclave refused it; `None` if the entry is executed.
    pub(crate) refused: Option<String>,
}

impl Default for Executors {
    fn default() -> Self {
        Self {
            woken: Notify::new(),
            contracts: Mutex::default(),
            code: broadcast::Sender::new(OUTCOMES),
        }
    }
}

impl Executors {
    /// Wakes a contract's task; it gets one if it has none yet.
    pub(crate) fn wake(&self, contract: ContractId) {
        let mut contracts = self
            .contracts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match contracts.get(&contract) {
            Some(Some(task)) => task.notify_one(),
            // Not spawned yet, and then reads the store anyway.
            Some(None) => {}
            None => {
                contracts.insert(contract, None);
                self.woken.notify_one();
            }
        }
    }

    /// Outcomes of deployments and upgrades from now on.
    pub(crate) fn code_outcomes(&self) -> broadcast::Receiver<CodeOutcome> {
        self.code.subscribe()
    }

    /// Tells whoever waits for a deployment or an upgrade.
    fn executed_code(&self, outcome: CodeOutcome) {
        // Nobody may be waiting.
        let _ = self.code.send(outcome);
    }

    /// Contracts that were woken and have no task yet, with the signals their tasks will listen
    /// to.
    fn unspawned(&self) -> Vec<(ContractId, Arc<Notify>)> {
        let mut contracts = self
            .contracts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let waiting = contracts.iter_mut().filter(|(_, task)| task.is_none());
        waiting
            .map(|(contract, task)| (*contract, Arc::clone(task.insert(Arc::default()))))
            .collect()
    }
}

/// Spawns the contracts' tasks until shutdown, then waits until each has stored what it has.
///
/// # Errors
///
/// The first task that failed for good, which the store alone makes one do.
pub(crate) async fn run(
    needs: Arc<Needs>,
    mut shutdown: Shutdown,
) -> Result<(), subrosa_store::StoreError> {
    for contract in needs.store.contracts().await? {
        needs.executors.wake(contract);
    }
    let mut tasks = JoinSet::new();
    loop {
        for (contract, woken) in needs.executors.unspawned() {
            tasks.spawn(contract::run(
                Arc::clone(&needs),
                contract,
                woken,
                shutdown.clone(),
            ));
        }
        tokio::select! {
            biased;
            () = shutdown.requested() => break,
            Some(ended) = tasks.join_next() => finish(ended)?,
            () = needs.executors.woken.notified() => {}
        }
    }
    while let Some(ended) = tasks.join_next().await {
        finish(ended)?;
    }
    Ok(())
}

fn finish(
    ended: Result<Result<(), subrosa_store::StoreError>, tokio::task::JoinError>,
) -> Result<(), subrosa_store::StoreError> {
    match ended {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Ok(()),
        },
    }
}

/// Outcomes that a slow listener may miss; it reads the store then.
const OUTCOMES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_contract_is_spawned_once_and_woken_after() {
        let executors = Executors::default();
        let contract = B256::repeat_byte(1);
        executors.wake(contract);
        executors.wake(contract);
        let spawned = executors.unspawned();
        assert_eq!(spawned.len(), 1);
        assert!(executors.unspawned().is_empty());
        executors.wake(contract);
        spawned[0].1.notified().await;
    }
}
