// SPDX-License-Identifier: Apache-2.0
//! A confidential contract in memory: its state after some prefix of its log.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{Address, B256};
use subrosa_crypto::{ContractRoot, EpochId, commitment};
use subrosa_types::{
    ContractId,
    abi::Outcome,
    frame::Loaded,
    id,
    result::{Head, result_hash},
};
use subrosa_vm::{State, Vm, WriteSet};

use crate::sign::{MAX_SIGNABLE, Signable};

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

/// Where in its log a contract stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) head: Head,
    /// Digest of the last executed entry.
    pub(crate) digest: B256,
    /// h_n of the last executed entry: what the commitment commits to.
    pub(crate) history: B256,
    pub(crate) block_number: u64,
    pub(crate) block_timestamp: u64,
    pub(crate) epoch: EpochId,
}

/// What executing one entry did, before it is sealed.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) position: Position,
    pub(crate) outcome: Outcome,
    pub(crate) writes: WriteSet,
    pub(crate) previous_commitment: B256,
}

/// The entry a step executes.
pub(crate) struct StepEntry {
    pub(crate) seq: u64,
    pub(crate) digest: B256,
    pub(crate) block_number: u64,
    pub(crate) block_timestamp: u64,
    pub(crate) epoch: EpochId,
}

/// The chain and oracle that commitments are bound to.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) chain_id: u64,
    pub(crate) oracle: Address,
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

    pub(crate) fn loaded(&self) -> Loaded {
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

impl Step {
    /// Seq of the entry that was executed.
    pub(crate) fn seq(&self) -> u64 {
        self.position.head.seq.saturating_sub(1)
    }

    /// Whether it is a step of a stateless contract, which has no commitments. A step of a
    /// stateful one has a zero commitment once in 2^208.
    pub(crate) fn is_stateless(&self) -> bool {
        self.position.head.commitment.is_zero()
    }

    pub(crate) fn result_hash(&self) -> B256 {
        result_hash(
            self.position.digest,
            self.outcome.hash(),
            self.previous_commitment,
            self.position.head.commitment,
        )
    }
}
