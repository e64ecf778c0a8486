// SPDX-License-Identifier: Apache-2.0
//! One executed entry: where it leaves a contract, what it changed, and what can be signed of it.

use alloc::vec::Vec;

use alloy_primitives::B256;
use subrosa_crypto::EpochId;
use subrosa_types::{
    abi::Outcome,
    result::{Head, result_hash},
};
use zeroize::Zeroizing;

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
    /// The encoding of what it changed.
    pub(crate) writes: Zeroizing<Vec<u8>>,
    pub(crate) previous_commitment: B256,
    /// What is signed of it: a function of the rest.
    pub(crate) result_hash: B256,
}

/// The entry a step executes.
pub(crate) struct StepEntry {
    pub(crate) seq: u64,
    pub(crate) digest: B256,
    pub(crate) block_number: u64,
    pub(crate) block_timestamp: u64,
    pub(crate) epoch: EpochId,
}

impl Step {
    /// The step to `position` from where `previous_commitment` was the head's, with an outcome whose
    /// hash is `outcome_hash`.
    pub(crate) fn new(
        position: Position,
        (outcome, outcome_hash): (Outcome, B256),
        writes: Zeroizing<Vec<u8>>,
        previous_commitment: B256,
    ) -> Self {
        let commitment = position.head.commitment;
        Self {
            result_hash: result_hash(
                position.digest,
                outcome_hash,
                previous_commitment,
                commitment,
            ),
            position,
            outcome,
            writes,
            previous_commitment,
        }
    }

    /// Where a contract stands before its first entry.
    pub(crate) fn before_the_first() -> Self {
        Self {
            position: Position {
                head: Head::default(),
                digest: B256::ZERO,
                history: B256::ZERO,
                block_number: 0,
                block_timestamp: 0,
                epoch: EpochId { group: 0, epoch: 0 },
            },
            outcome: Outcome {
                status: 0,
                outputHash: B256::ZERO,
                sealedOutputHash: B256::ZERO,
                sealedLogsHash: B256::ZERO,
                fuelBucket: 0,
            },
            writes: Zeroizing::default(),
            previous_commitment: B256::ZERO,
            result_hash: B256::ZERO,
        }
    }

    /// The same without what it changed.
    pub(crate) fn without_writes(&self) -> Self {
        Self {
            position: self.position,
            outcome: self.outcome.clone(),
            writes: Zeroizing::default(),
            previous_commitment: self.previous_commitment,
            result_hash: self.result_hash,
        }
    }

    /// Seq of the entry that was executed.
    pub(crate) fn seq(&self) -> u64 {
        self.position.head.seq.saturating_sub(1)
    }

    /// Whether it is a step of a stateless contract, which has no commitments. A step of a
    /// stateful one has a zero commitment once in 2^208.
    pub(crate) fn is_stateless(&self) -> bool {
        self.position.head.commitment.is_zero()
    }
}

/// A result that this enclave computed or opened from its own sealed blob.
#[derive(Clone, Copy)]
pub(crate) struct Signable {
    pub(crate) result_hash: B256,
    pub(crate) epoch: EpochId,
}

impl Signable {
    pub(crate) fn of(step: &Step) -> Self {
        Self {
            result_hash: step.result_hash,
            epoch: step.position.epoch,
        }
    }
}
