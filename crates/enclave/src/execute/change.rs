// SPDX-License-Identifier: Apache-2.0
//! Entries that run no code, and change what the entries after them mean.

use alloc::boxed::Box;

use subrosa_types::{
    change::{EpochChange, RuntimeChange},
    frame::FrameError,
    result::Status,
};
use subrosa_vm::{State, StateKey, WriteSet};

use super::{
    proven::Proven,
    result::{Change, Done, EntryResult},
};
use crate::{blob, contract::Contract, epoch::Epoch, fixed::Place, step::Step};

/// Another epoch's keys. The contract is sealed under them as a whole, so that the secret of the
/// epoch before can be erased.
pub(super) fn change_epoch(
    place: Place,
    contract: &Contract,
    epoch: &Epoch,
    proven: &Proven<'_>,
) -> Result<Done, FrameError> {
    let stateless = proven.entry.is_stateless();
    let named = proven.epoch();
    // Entries of a stateless contract are executed in any order, of several epochs at a time.
    let previous = (!stateless).then(|| contract.position().epoch);
    let is_as_logged = |change: EpochChange| {
        change.next == named.epoch
            && change.record == epoch.record
            && previous.is_none_or(|previous| {
                previous.group == named.group && previous.epoch == change.previous
            })
    };
    let result = if EpochChange::decode(proven.input).is_some_and(is_as_logged) {
        let writes = if stateless {
            WriteSet::default()
        } else {
            forgotten_with_epoch(&contract.state)
        };
        EntryResult::without_code(Status::Succeeded, writes)
    } else {
        EntryResult::rejected()
    };
    let step = step(place, contract, proven, &result);
    let answer = result.answer(&step);
    let changed = contract.after(step);
    let blob = blob::seal_snapshot(place, &changed, epoch, &changed.last)?;
    Ok(Done {
        answer: answer(blob),
        change: Change::Replace(Box::new(changed)),
    })
}

/// Another runtime generation. What it changes is in the entries after it, and in pending ones
/// before it ([`Reassignment`](subrosa_types::frame::Reassignment)).
pub(super) fn change_runtime(
    place: Place,
    contract: &Contract,
    epoch: &Epoch,
    proven: &Proven<'_>,
) -> Result<Done, FrameError> {
    let result = match RuntimeChange::decode(proven.input) {
        Some(_) => EntryResult::without_code(Status::Succeeded, WriteSet::default()),
        None => EntryResult::rejected(),
    };
    let step = step(place, contract, proven, &result);
    let blob = blob::seal_delta(place, contract, epoch, &step)?;
    Ok(Done {
        answer: result.answer(&step)(blob),
        change: if proven.entry.is_stateless() {
            Change::Remember(step)
        } else {
            Change::Apply(step)
        },
    })
}

fn step(place: Place, contract: &Contract, proven: &Proven<'_>, result: &EntryResult) -> Step {
    if proven.entry.is_stateless() {
        contract.stateless_step(&proven.step(), result.outcome())
    } else {
        contract.step(
            place,
            &proven.step(),
            result.outcome(),
            result.writes.clone(),
        )
    }
}

/// What ends with a key epoch: sessions, and the ids of envelopes, none of which opens any more.
fn forgotten_with_epoch(state: &State) -> WriteSet {
    let mut writes = WriteSet::new();
    for seen in state.seen() {
        writes.remove(seen);
    }
    for (seq, holder, _) in state.sessions() {
        writes.remove(StateKey::Session { seq, holder });
    }
    writes
}
