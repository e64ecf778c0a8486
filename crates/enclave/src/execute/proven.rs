// SPDX-License-Identifier: Apache-2.0
//! An entry that is proven to be in the oracle's log.

use alloc::{format, string::String};

use alloy_primitives::{Address, B256, Bytes};
use subrosa_crypto::EpochId;
use subrosa_types::{
    abi::Entry,
    entry::{Execution, Payment},
};
use subrosa_vm::Runtime;

use crate::step::StepEntry;

/// An entry that is proven to be in the oracle's log, taken apart. Only `prove` makes one.
pub(super) struct Proven {
    pub(super) entry: Entry,
    pub(super) input: Bytes,
    pub(super) digest: B256,
    pub(super) execution: Execution,
    /// Its own runtime generation, or the one it was reassigned to.
    pub(super) runtime: Runtime,
    pub(super) requester: Address,
}

impl Proven {
    /// What a step needs of it.
    pub(super) fn step(&self) -> StepEntry {
        StepEntry {
            seq: self.entry.seq(),
            digest: self.digest,
            block_number: self.execution.block_number,
            block_timestamp: self.execution.block_timestamp,
            epoch: self.epoch(),
        }
    }

    /// For messages.
    pub(super) fn name(&self) -> String {
        format!("{} seq {}", self.entry.contractId, self.entry.seq())
    }

    /// The (group, epoch) whose keys it names.
    pub(super) fn epoch(&self) -> EpochId {
        let payment = Payment::unpack(self.entry.payment);
        EpochId {
            group: payment.key_group,
            epoch: payment.key_epoch,
        }
    }
}
