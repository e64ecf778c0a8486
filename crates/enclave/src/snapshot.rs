// SPDX-License-Identifier: Apache-2.0
//! Sealing a contract as a whole, a request for each part, while its calls go on.

use alloc::format;

use subrosa_types::frame::{ErrorCode, FrameError, StateBlob};

use crate::{
    blob::SignableRecord,
    cell::{Cell, not_loaded},
    epoch::Active,
    fixed::Place,
    snapshotting::Snapshotting,
};

/// Part `part` of a snapshot of what is in `cell`.
pub(crate) fn take<W>(
    place: Place,
    epochs: &Active,
    cell: &Cell<W>,
    part: u32,
) -> Result<StateBlob, FrameError> {
    // Taken out, so that sealing holds nobody up.
    let under_way = if part == 0 {
        None
    } else {
        cell.lock().snapshot.take()
    };
    let mut snapshot = match under_way {
        Some(snapshot) => snapshot,
        None if part == 0 => {
            let (contract, results) = {
                let inner = cell.lock();
                let contract = inner.contract().ok_or_else(|| not_loaded(cell.id))?;
                let results = inner.results().iter().map(SignableRecord::of);
                (contract, results.collect())
            };
            Snapshotting::begin(place, epochs, &contract, results)?
        }
        None => {
            let message = format!("no snapshot of {} is under way", cell.id);
            return Err(FrameError::new(ErrorCode::OutOfOrder, message));
        }
    };
    let blob = snapshot.part(part);
    let _displaced;
    let mut inner = cell.lock();
    if snapshot.is_complete() {
        inner.is_whole(snapshot.step.position.epoch.epoch);
    }
    // One that was begun meanwhile stays.
    if part == 0 || inner.snapshot.is_none() {
        _displaced = inner.keep_snapshot(snapshot);
    }
    blob
}
