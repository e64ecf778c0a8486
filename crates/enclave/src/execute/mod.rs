// SPDX-License-Identifier: Apache-2.0
//! Executing proven log entries.
//!
//! An entry is taken apart and proven ([`prove`]), then executed by its kind: code is brought in
//! ([`code`]), called ([`call`]), or what later entries mean is changed ([`change`]). Executing
//! changes nothing by itself: it says what changes ([`result`]), once that is sealed.

mod call;
mod change;
mod code;
mod input;
mod places;
mod prove;
mod proven;
mod result;
mod session;

use alloc::{format, vec::Vec};

use alloy_primitives::Bytes;
use subrosa_types::{
    ContractId,
    entry::EntryKind,
    frame::{
        ErrorCode, Executed, ExecutedEntry, FrameError, LoggedEntry, Reassignment, StorageProof,
    },
};
use subrosa_vm::Engines;

use self::{
    proven::Proven,
    result::{Change, Done},
};
use crate::{contract::Contract, contract::Contracts, epoch::Epochs, fixed::Fixed};

/// What executing needs besides the contract.
pub(crate) struct Executor<'a> {
    pub(crate) fixed: &'a Fixed,
    pub(crate) engines: &'a Engines,
    pub(crate) epochs: &'a Epochs,
}

impl Executor<'_> {
    /// Executes entries that continue a contract's log, one proof for all of them.
    ///
    /// Results before a refusal stand: they are functions of the log, and the host may persist and
    /// submit them.
    pub(crate) fn execute(
        &self,
        contracts: &mut Contracts,
        id: ContractId,
        entries: &[LoggedEntry],
        code_envelope: Option<&Bytes>,
        reassignment: Option<&Reassignment>,
        proof: &StorageProof,
    ) -> Result<Executed, FrameError> {
        let proven = prove::prove(self.fixed, id, entries, reassignment, proof)?;
        let mut executed = Executed {
            results: Vec::with_capacity(proven.len()),
            refused: None,
        };
        for entry in &proven {
            match self.execute_one(contracts, id, entry, code_envelope) {
                Ok(result) => executed.results.push(result),
                Err(refusal) if executed.results.is_empty() => return Err(refusal),
                Err(refusal) => {
                    executed.refused = Some(refusal);
                    break;
                }
            }
        }
        Ok(executed)
    }

    fn execute_one(
        &self,
        contracts: &mut Contracts,
        id: ContractId,
        proven: &Proven<'_>,
        code_envelope: Option<&Bytes>,
    ) -> Result<ExecutedEntry, FrameError> {
        if subrosa_vm::limits::of(proven.generation).is_none() {
            let message = format!(
                "runtime generation {} is not in this build",
                proven.generation
            );
            return Err(FrameError::new(ErrorCode::Generation, message));
        }
        let place = self.fixed.place;
        let stateless = proven.entry.is_stateless();
        let epoch = || self.epochs.active(proven.epoch());
        let done = match proven.execution.kind {
            EntryKind::Deploy => {
                code::check_is_first(proven.entry)?;
                code::deploy(place, self.engines, epoch()?, id, proven, code_envelope)?
            }
            EntryKind::Call if stateless => {
                let contract = contracts.loaded(id)?;
                call::call_stateless(place, contract, epoch()?, proven)?
            }
            EntryKind::Call => {
                let contract = continued(contracts.loaded(id)?, proven)?;
                call::call(place, contract, epoch()?, proven)?
            }
            EntryKind::Upgrade if !stateless => {
                let contract = continued(contracts.loaded(id)?, proven)?;
                code::upgrade(
                    place,
                    self.engines,
                    contract,
                    epoch()?,
                    proven,
                    code_envelope,
                )?
            }
            EntryKind::Epoch | EntryKind::Runtime => {
                let mut contract = contracts.loaded(id)?;
                if !stateless {
                    contract = continued(contract, proven)?;
                }
                if proven.execution.kind == EntryKind::Epoch {
                    change::change_epoch(place, contract, epoch()?, proven)?
                } else {
                    change::change_runtime(place, contract, epoch()?, proven)?
                }
            }
            kind => {
                let message = format!("{kind:?} entries of such a log are not in this build");
                return Err(FrameError::new(ErrorCode::Unsupported, message));
            }
        };
        Ok(take_in(contracts, id, done))
    }
}

/// Makes what is sealed the contract in memory.
fn take_in(contracts: &mut Contracts, id: ContractId, done: Done) -> ExecutedEntry {
    match done.change {
        Change::Replace(contract) => contracts.put(*contract),
        Change::Apply(step) => {
            if let Some(contract) = contracts.get_mut(id) {
                contract.apply(step);
            }
        }
        Change::Remember(step) => {
            if let Some(contract) = contracts.get_mut(id) {
                contract.remember(&step);
            }
        }
    }
    done.answer
}

/// The contract, if the entry continues its loaded state.
fn continued<'a>(contract: &'a Contract, proven: &Proven<'_>) -> Result<&'a Contract, FrameError> {
    let position = contract.position();
    let continues =
        proven.entry.seq() == position.head.seq && proven.entry.previousDigest == position.digest;
    if continues {
        return Ok(contract);
    }
    let message = format!(
        "entry {} does not continue the loaded state, which awaits {}",
        proven.entry.seq(),
        position.head.seq
    );
    Err(FrameError::new(ErrorCode::Sequence, message))
}
