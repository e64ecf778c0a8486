// SPDX-License-Identifier: Apache-2.0
//! Wake-ups between the components, without content: whoever wakes reads the store.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use alloy_primitives::B256;
use subrosa_types::ContractId;
use tokio::sync::{Notify, broadcast};

/// The contracts' tasks, as seen by whoever wakes them.
#[derive(Debug)]
pub(crate) struct Executors {
    woken: Notify,
    contracts: Mutex<HashMap<ContractId, Option<Arc<Notify>>>>,
    code: broadcast::Sender<CodeOutcome>,
}

/// What became of a code envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodeOutcome {
    /// The contract whose code it carries.
    pub(crate) contract: ContractId,
    /// Number of the entry that it was tried for.
    pub(crate) seq: u64,
    /// keccak256 of the code envelope.
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
    pub(crate) fn executed_code(&self, outcome: CodeOutcome) {
        // Nobody may be waiting.
        let _ = self.code.send(outcome);
    }

    /// Waits until a contract without a task was woken.
    pub(crate) async fn woken(&self) {
        self.woken.notified().await;
    }

    /// Contracts that were woken and have no task yet, with the signals their tasks will listen
    /// to.
    pub(crate) fn unspawned(&self) -> Vec<(ContractId, Arc<Notify>)> {
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

/// Contracts that may have results to send.
#[derive(Debug, Default)]
pub(crate) struct Offers {
    contracts: Mutex<BTreeSet<ContractId>>,
    changed: Notify,
}

impl Offers {
    /// Adds a contract.
    pub(crate) fn offer(&self, contract: ContractId) {
        let mut contracts = self
            .contracts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        contracts.insert(contract);
        self.changed.notify_one();
    }

    /// Waits until a contract was added.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The contracts that were added since they were last taken.
    pub(crate) fn take(&self) -> BTreeSet<ContractId> {
        std::mem::take(
            &mut *self
                .contracts
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
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
