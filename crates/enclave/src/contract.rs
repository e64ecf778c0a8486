// SPDX-License-Identifier: Apache-2.0
//! A confidential contract in memory: its state after some prefix of its log.

use alloc::sync::Arc;

use alloy_primitives::{Address, B256, keccak256};
use subrosa_crypto::{ContractRoot, commitment};
use subrosa_types::{ContractId, abi::Outcome, id, result::Head};
use subrosa_vm::{State, Vm, WriteSet};
use zeroize::Zeroizing;

use crate::{
    fixed::Place,
    step::{Position, Step, StepEntry},
};

/// State after executing entries `0..head.seq`. A clone shares what is large with its original:
/// execution goes on with one while queries and snapshots are served from another.
#[derive(Clone)]
pub(crate) struct Contract {
    pub(crate) id: ContractId,
    pub(crate) code_commitment: B256,
    pub(crate) engine: u8,
    pub(crate) vm: Arc<dyn Vm>,
    pub(crate) root: Arc<ContractRoot>,
    pub(crate) state: State,
    /// What the last executed entry did, without its writes.
    pub(crate) last: Step,
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
    pub(crate) fn advance(
        &mut self,
        place: Place,
        entry: &StepEntry,
        outcome: Outcome,
        writes: &WriteSet,
    ) -> Step {
        let before = self.position();
        let outcome_hash = outcome.hash();
        let encoded = Zeroizing::new(writes.encode());
        let hash = keccak256(&encoded);
        let history = commitment::chain(before.history, entry.digest, outcome_hash, hash);
        let commitment = self.root.commitment_key().commit(
            place.chain_id,
            place.oracle,
            self.id,
            entry.seq,
            history,
        );
        let position = Position {
            head: Head {
                seq: entry.seq + 1,
                commitment,
            },
            digest: entry.digest,
            history,
            block_number: entry.block_number,
            block_timestamp: entry.block_timestamp,
            epoch: entry.epoch,
        };
        let outcome = (outcome, outcome_hash);
        let step = Step::new(position, outcome, encoded, before.head.commitment);
        self.apply(&step, writes);
        step
    }

    /// A step of a stateless contract: no writes, no commitments, no position.
    pub(crate) fn stateless_step(&self, entry: &StepEntry, outcome: Outcome) -> Step {
        let position = Position {
            head: Head {
                seq: entry.seq + 1,
                commitment: B256::ZERO,
            },
            digest: entry.digest,
            history: B256::ZERO,
            block_number: entry.block_number,
            block_timestamp: entry.block_timestamp,
            epoch: entry.epoch,
        };
        let outcome_hash = outcome.hash();
        let outcome = (outcome, outcome_hash);
        let writes = Zeroizing::new(WriteSet::default().encode());
        Step::new(position, outcome, writes, B256::ZERO)
    }

    /// Makes a step, which changed this, the contract's last one.
    pub(crate) fn apply(&mut self, step: &Step, writes: &WriteSet) {
        self.state.apply(writes);
        self.last = step.without_writes();
    }

    /// Lets later snapshots of a stateless contract be sealed under the keys that an EPOCH entry named,
    /// unless they are already under later ones.
    pub(crate) fn turn_to_epoch_of(&mut self, step: &Step) {
        if step.position.epoch.epoch > self.position().epoch.epoch {
            self.last = step.clone();
        }
    }
}
