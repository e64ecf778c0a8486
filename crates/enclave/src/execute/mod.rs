// SPDX-License-Identifier: Apache-2.0
//! Executing proven log entries, in three stages.
//!
//! Ahead of their turn, entries are taken apart and proven ([`prove`]) and opened ([`ahead`]). In their
//! turn, each is executed by its kind: code is brought in ([`code`]), called ([`call`]), or what later
//! entries mean is changed ([`change`]). Behind it, results are sealed ([`seal`]). Only the middle one
//! needs the contract. It ends early, between two entries, before an answer could get too large; so
//! nothing that follows it can fail for what a guest did.

mod ahead;
mod call;
mod change;
mod code;
mod done;
mod ground;
mod guard;
mod input;
mod places;
mod prove;
mod proven;
mod result;
mod seal;
mod session;

use alloc::{format, sync::Arc, vec::Vec};

use subrosa_types::{
    entry::EntryKind,
    frame::{Ended, ErrorCode, FrameError},
};

use self::{
    ahead::{Ahead, OpenedEntry},
    done::Done,
    proven::Proven,
    seal::UnsealedEntry,
};
pub(crate) use self::{
    ahead::{Asked, Opened, open},
    code::check_code,
    ground::anchor,
    guard::guarded,
    seal::Unsealed,
};
use crate::{
    blob::Subject,
    cell::{Published, not_loaded},
    contract::Contract,
    epoch::Epoch,
    fixed::Place,
    limits::{ENTRY_WORK, FRAME_RESULT_BYTES, FRAME_WORK},
    step::Signable,
};

/// What executing entries made of a contract.
pub(crate) struct Ran {
    pub(crate) published: Published,
    pub(crate) unsealed: Unsealed,
}

impl Opened {
    /// Executes entries that continue the contract's log.
    ///
    /// Results before a refusal stand: they are functions of the log, and the host may persist and
    /// submit them.
    pub(crate) fn run(
        self,
        place: Place,
        contract: Option<Arc<Contract>>,
    ) -> Result<Ran, FrameError> {
        let mut run = Run {
            place,
            contract,
            changed: false,
            whole_in: None,
            signable: Vec::new(),
            results: Vec::new(),
        };
        let (mut work, mut bytes) = (0_u64, 0_usize);
        let mut ended = self.refusal.map_or(Ended::Complete, Ended::Refused);
        for entry in self.entries {
            if work >= FRAME_WORK {
                ended = Ended::Budget;
                break;
            }
            if bytes >= FRAME_RESULT_BYTES {
                ended = Ended::Full;
                break;
            }
            match run.one(self.id, entry) {
                Ok(unsealed) => {
                    work =
                        work.saturating_add(ENTRY_WORK.saturating_add(unsealed.result.work_used));
                    bytes += unsealed.size();
                    run.results.push(unsealed);
                }
                Err(refusal) if run.results.is_empty() => return Err(refusal),
                Err(refusal) => {
                    ended = Ended::Refused(refusal);
                    break;
                }
            }
        }
        Ok(Ran {
            published: Published {
                contract: run.contract.filter(|_| run.changed),
                results: run.signable,
                whole_in: run.whole_in,
            },
            unsealed: Unsealed {
                results: run.results,
                ended,
            },
        })
    }
}

struct Run {
    place: Place,
    contract: Option<Arc<Contract>>,
    /// Whether the contract is another one than before.
    changed: bool,
    whole_in: Option<u32>,
    signable: Vec<(u64, Signable)>,
    results: Vec<UnsealedEntry>,
}

impl Run {
    fn one(
        &mut self,
        id: subrosa_types::ContractId,
        opened: OpenedEntry,
    ) -> Result<UnsealedEntry, FrameError> {
        let OpenedEntry {
            proven,
            epoch,
            ahead,
        } = opened;
        let done = self.execute(id, &proven, epoch.clone(), ahead)?;
        let epoch = epoch?;
        self.signable
            .push((done.step.seq(), Signable::of(&done.step)));
        let contract = self.contract.as_ref().ok_or_else(|| not_loaded(id))?;
        let whole = done.whole.then(|| Arc::clone(contract));
        if whole.is_some() {
            self.whole_in = Some(done.step.position.epoch.epoch);
        }
        Ok(UnsealedEntry {
            result: done.result,
            step: done.step,
            subject: Subject {
                place: self.place,
                contract: id,
                code_commitment: contract.code_commitment,
            },
            epoch,
            whole,
        })
    }

    fn execute(
        &mut self,
        id: subrosa_types::ContractId,
        proven: &Proven,
        epoch: Result<Arc<Epoch>, FrameError>,
        ahead: Ahead,
    ) -> Result<Done, FrameError> {
        let place = self.place;
        let stateless = proven.entry.is_stateless();
        let (kind, contract) = (proven.execution.kind, &mut self.contract);
        let done = match (kind, ahead) {
            (EntryKind::Deploy, Ahead::Code(code)) => {
                code::check_is_first(&proven.entry)?;
                let (deployed, done) = code::deploy(place, &*epoch?, id, proven, code?)?;
                *contract = Some(Arc::new(deployed));
                done
            }
            (EntryKind::Call, Ahead::Call(input)) if stateless => {
                let contract = contract.as_deref().ok_or_else(|| not_loaded(id))?;
                return call::call_stateless(place, contract, proven, input);
            }
            (EntryKind::Call, Ahead::Call(input)) => {
                call::call(place, own(contract, proven)?, proven, input)?
            }
            (EntryKind::Upgrade, Ahead::Code(code)) if !stateless => {
                code::upgrade(place, own(contract, proven)?, proven, code?)?
            }
            (EntryKind::Epoch, _) => {
                let epoch = epoch?;
                change::change_epoch(place, own(contract, proven)?, &epoch, proven)
            }
            (EntryKind::Runtime, _) => {
                epoch?;
                change::change_runtime(place, own(contract, proven)?, proven)
            }
            // Its key is not held here, or nothing can be done with such an entry.
            (kind, _) => {
                epoch?;
                let message = format!("{kind:?} entries of such a log are not in this build");
                return Err(FrameError::new(ErrorCode::Unsupported, message));
            }
        };
        self.changed = true;
        Ok(done)
    }
}

/// The contract to be changed, if the entry continues its loaded state. It is copied where others
/// still read it: once per request at most.
fn own<'a>(
    contract: &'a mut Option<Arc<Contract>>,
    proven: &Proven,
) -> Result<&'a mut Contract, FrameError> {
    let contract = contract
        .as_mut()
        .ok_or_else(|| not_loaded(proven.entry.contractId))?;
    let position = contract.position();
    let continues =
        proven.entry.seq() == position.head.seq && proven.entry.previousDigest == position.digest;
    if continues || proven.entry.is_stateless() {
        return Ok(Arc::make_mut(contract));
    }
    let message = format!(
        "entry {} does not continue the loaded state, which awaits {}",
        proven.entry.seq(),
        position.head.seq
    );
    Err(FrameError::new(ErrorCode::Sequence, message))
}
