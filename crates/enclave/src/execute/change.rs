// SPDX-License-Identifier: Apache-2.0
//! Entries that run no code, and change what the entries after them mean.

use subrosa_types::{
    change::{EpochChange, RuntimeChange},
    result::Status,
};
use subrosa_vm::{StateKey, WriteSet};

use super::{done::Done, proven::Proven, result::EntryResult};
use crate::{contract::Contract, epoch::Epoch, fixed::Place};

/// Another epoch's keys. No result from here on can be signed before a snapshot under them is complete
/// ([`Cell::signable`](crate::cell::Cell::signable)), so that the secret of the epoch before can be
/// erased.
pub(super) fn change_epoch(
    place: Place,
    contract: &mut Contract,
    epoch: &Epoch,
    proven: &Proven,
) -> Done {
    let stateless = proven.entry.is_stateless();
    let named = proven.epoch();
    // Entries of a stateless contract are executed in any order, of several epochs at a time.
    let previous = (!stateless).then(|| contract.position().epoch);
    let is_as_logged = |change: EpochChange| {
        change.next == named.epoch
            && change.record == epoch.opening.record()
            && previous.is_none_or(|previous| {
                previous.group == named.group && previous.epoch == change.previous
            })
    };
    let result = if EpochChange::decode(&proven.input).is_some_and(is_as_logged) {
        let writes = if stateless {
            WriteSet::default()
        } else {
            forgotten_with_epoch()
        };
        EntryResult::without_code(Status::Succeeded, writes)
    } else {
        EntryResult::rejected()
    };
    finish(place, contract, proven, result)
}

/// Another runtime generation. What it changes is in the entries after it, and in pending ones
/// before it ([`Reassignment`](subrosa_types::frame::Reassignment)).
pub(super) fn change_runtime(place: Place, contract: &mut Contract, proven: &Proven) -> Done {
    let result = match RuntimeChange::decode(&proven.input) {
        Some(_) => EntryResult::without_code(Status::Succeeded, WriteSet::default()),
        None => EntryResult::rejected(),
    };
    finish(place, contract, proven, result)
}

fn finish(place: Place, contract: &mut Contract, proven: &Proven, mut result: EntryResult) -> Done {
    let step = if proven.entry.is_stateless() {
        let step = contract.stateless_step(&proven.step(), result.outcome());
        contract.turn_to_epoch_of(&step);
        step
    } else {
        let writes = core::mem::take(&mut result.writes);
        contract.advance(place, &proven.step(), result.outcome(), &writes)
    };
    Done {
        result,
        step,
        whole: false,
    }
}

/// What ends with a key epoch: sessions, and the ids of envelopes, none of which opens any more.
fn forgotten_with_epoch() -> WriteSet {
    let mut writes = WriteSet::new();
    writes.remove(StateKey::Kept);
    writes
}
