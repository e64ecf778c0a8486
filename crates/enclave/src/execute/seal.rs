// SPDX-License-Identifier: Apache-2.0
//! Results that wait to be sealed, which needs nothing but themselves.

use alloc::{sync::Arc, vec, vec::Vec};

use subrosa_types::frame::{Ended, Executed, ExecutedEntry, FrameError};

use super::result::EntryResult;
use crate::{
    blob::{self, SignableRecord, Subject},
    contract::Contract,
    epoch::{Active, Epoch},
    snapshotting::Snapshotting,
    step::{Signable, Step},
};

/// The results of a request, before they are sealed.
pub(crate) struct Unsealed {
    pub(super) results: Vec<UnsealedEntry>,
    pub(super) ended: Ended,
}

/// One result.
pub(super) struct UnsealedEntry {
    pub(super) result: EntryResult,
    pub(super) step: Step,
    pub(super) subject: Subject,
    pub(super) epoch: Arc<Epoch>,
    /// The contract, if it is sealed as a whole: what entry 0 makes is small.
    pub(super) whole: Option<Arc<Contract>>,
}

impl Unsealed {
    /// Seals all of it.
    pub(crate) fn seal(self, epochs: &Active) -> Result<Executed, FrameError> {
        let sealed = self.results.into_iter().map(|entry| entry.seal(epochs));
        Ok(Executed {
            results: sealed.collect::<Result<_, _>>()?,
            ended: self.ended,
        })
    }
}

impl UnsealedEntry {
    /// Bytes that it will take of an answer, about.
    pub(super) fn size(&self) -> usize {
        // Padding at most doubles it.
        2 * self.step.writes.len() + self.result.output.len() + self.result.sealed_output.len()
    }

    fn seal(self, epochs: &Active) -> Result<ExecutedEntry, FrameError> {
        let step = &self.step;
        let blob = match &self.whole {
            None => blob::seal_delta(self.subject, &self.epoch, step)?,
            Some(contract) => {
                let own = (step.seq(), Signable::of(step));
                let results = vec![SignableRecord::of((&own.0, &own.1))];
                Snapshotting::begin(self.subject.place, epochs, contract, results)?.part(0)?
            }
        };
        Ok(ExecutedEntry {
            seq: step.seq(),
            status: self.result.status,
            fuel_bucket: step.outcome.fuelBucket,
            previous_commitment: step.previous_commitment,
            commitment: step.position.head.commitment,
            result_hash: step.result_hash,
            output: self.result.output,
            sealed_output: self.result.sealed_output,
            sealed_logs_hash: step.outcome.sealedLogsHash,
            blob,
        })
    }
}
