// SPDX-License-Identifier: Apache-2.0
//! A confidential contract in memory: its state after some prefix of its log.

use alloc::{collections::BTreeMap, format, sync::Arc, vec::Vec};

use alloy_primitives::{Address, B256};
use subrosa_crypto::{ContractRoot, commitment};
use subrosa_types::{
    ContractId,
    abi::Outcome,
    frame::{ErrorCode, FrameError, Loaded},
    id,
    result::Head,
};
use subrosa_vm::{State, Vm, WriteSet};

use crate::{
    fixed::Place,
    limits::MAX_SIGNABLE,
    step::{Position, Signable, Step, StepEntry},
};

/// State after executing entries `0..head.seq`.
pub(crate) struct Contract {
    pub(crate) id: ContractId,
    pub(crate) code_commitment: B256,
    pub(crate) engine: u8,
    pub(crate) vm: Arc<dyn Vm>,
    pub(crate) root: ContractRoot,
    pub(crate) state: State,
    /// What the last executed entry did; its writes are applied and gone.
    pub(crate) last: Step,
    /// Results that can still be signed, by seq.
    pub(crate) results: BTreeMap<u64, Signable>,
}

impl Contract {
    /// Where the contract stands.
    pub(crate) fn position(&self) -> &Position {
        &self.last.position
    }

    /// The contract's address inside its virtual machine.
    pub(crate) fn address(&self) -> Address {
        id::guest_address(self.id)
    }

    /// Extends the history by one entry with this outcome and these writes.
    pub(crate) fn step(
        &self,
        place: Place,
        entry: &StepEntry,
        outcome: Outcome,
        writes: WriteSet,
    ) -> Step {
        let before = self.position();
        let history =
            commitment::chain(before.history, entry.digest, outcome.hash(), writes.hash());
        let commitment = self.root.commitment_key().commit(
            place.chain_id,
            place.oracle,
            self.id,
            entry.seq,
            history,
        );
        Step {
            position: Position {
                head: Head {
                    seq: entry.seq + 1,
                    commitment,
                },
                digest: entry.digest,
                history,
                block_number: entry.block_number,
                block_timestamp: entry.block_timestamp,
                epoch: entry.epoch,
            },
            outcome,
            writes,
            previous_commitment: before.head.commitment,
        }
    }

    /// A step of a stateless contract: no writes, no commitments, no position.
    pub(crate) fn stateless_step(&self, entry: &StepEntry, outcome: Outcome) -> Step {
        Step {
            position: Position {
                head: Head {
                    seq: entry.seq + 1,
                    commitment: B256::ZERO,
                },
                digest: entry.digest,
                history: B256::ZERO,
                block_number: entry.block_number,
                block_timestamp: entry.block_timestamp,
                epoch: entry.epoch,
            },
            outcome,
            writes: WriteSet::default(),
            previous_commitment: B256::ZERO,
        }
    }

    /// Makes a step the contract's state, and its result signable.
    pub(crate) fn apply(&mut self, step: Step) {
        self.state.apply(&step.writes);
        self.remember(&step);
        self.last = Step {
            writes: WriteSet::default(),
            ..step
        };
    }

    /// The contract as it stands after a step. A copy, so that nothing has happened if the copy
    /// cannot be sealed.
    pub(crate) fn after(&self, step: Step) -> Self {
        let mut after = Self {
            id: self.id,
            code_commitment: self.code_commitment,
            engine: self.engine,
            vm: Arc::clone(&self.vm),
            root: ContractRoot::from_bytes(self.root.expose()),
            state: self.state.clone(),
            last: self.last.clone(),
            results: self.results.clone(),
        };
        after.apply(step);
        after
    }

    /// Makes a step's result signable without changing the state.
    pub(crate) fn remember(&mut self, step: &Step) {
        self.results.insert(step.seq(), Signable::of(step));
        while self.results.len() > MAX_SIGNABLE {
            self.results.pop_first();
        }
    }

    /// Where it stands, for the host.
    pub(crate) fn summary(&self) -> Loaded {
        Loaded {
            contract: self.id,
            head: self.position().head,
            digest: self.position().digest,
            signable_from: self
                .results
                .first_key_value()
                .map_or(self.position().head.seq, |(seq, _)| *seq),
        }
    }
}

/// The contracts in memory.
#[derive(Default)]
pub(crate) struct Contracts(BTreeMap<ContractId, Contract>);

impl Contracts {
    /// The contract, or that it is not loaded.
    pub(crate) fn loaded(&self, id: ContractId) -> Result<&Contract, FrameError> {
        self.0.get(&id).ok_or_else(|| {
            FrameError::new(ErrorCode::UnknownContract, format!("{id} is not loaded"))
        })
    }

    pub(crate) fn get_mut(&mut self, id: ContractId) -> Option<&mut Contract> {
        self.0.get_mut(&id)
    }

    /// Puts a contract in the place of what was loaded of it.
    pub(crate) fn put(&mut self, contract: Contract) {
        self.0.insert(contract.id, contract);
    }

    pub(crate) fn summaries(&self) -> Vec<Loaded> {
        self.0.values().map(Contract::summary).collect()
    }
}
