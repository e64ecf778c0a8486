// SPDX-License-Identifier: Apache-2.0
//! What can be done for an entry before those before it are executed: finding its keys, and opening
//! what is encrypted to them. No verdict is: whether a session exists is decided in log order.

use alloc::{sync::Arc, vec::Vec};

use alloy_primitives::Bytes;
use subrosa_types::{
    ContractId,
    entry::EntryKind,
    frame::{EntryProof, FrameError, LoggedEntry, Reassignment},
};
use subrosa_vm::Engines;

use super::{
    code::{self, OpenedCode},
    ground::Ground,
    input::{self, OpenedAhead},
    prove,
    proven::Proven,
};
use crate::{
    cell::Cell,
    epoch::{Active, Epoch},
    fixed::Fixed,
};

/// Proven entries, each with what was opened of it ahead.
pub(crate) struct Opened {
    pub(super) id: ContractId,
    pub(super) entries: Vec<OpenedEntry>,
    /// Why those after them will not be executed.
    pub(super) refusal: Option<FrameError>,
}

pub(super) struct OpenedEntry {
    pub(super) proven: Proven,
    pub(super) epoch: Result<Arc<Epoch>, FrameError>,
    pub(super) ahead: Ahead,
}

pub(super) enum Ahead {
    /// There was nothing to open, or no key to open it with.
    Nothing,
    Call(OpenedAhead),
    Code(Result<OpenedCode, FrameError>),
}

/// Entries to be executed, as they come in a request.
pub(crate) struct Asked {
    pub(crate) contract: ContractId,
    pub(crate) entries: Vec<LoggedEntry>,
    pub(crate) code_envelope: Option<Bytes>,
    pub(crate) reassignment: Option<alloc::boxed::Box<Reassignment>>,
    pub(crate) proof: EntryProof,
}

/// Proves entries and opens what they hold.
pub(crate) fn open<J>(
    fixed: &Fixed,
    engines: &Engines,
    epochs: &Active,
    cell: &Cell<J>,
    asked: Asked,
) -> Result<Opened, FrameError> {
    let Asked {
        contract: id,
        entries,
        code_envelope,
        reassignment,
        proof,
    } = asked;
    let runtimes = engines.runtimes();
    let ground = Ground { fixed, cell };
    let log = prove::prove(ground, runtimes, entries, reassignment.as_deref(), &proof)?;
    let entries = log.entries.into_iter().map(|proven| {
        let epoch = epochs.active(proven.epoch());
        let ahead = match (&epoch, proven.execution.kind) {
            (Ok(epoch), EntryKind::Call) => {
                Ahead::Call(input::open_ahead(fixed.place, epoch, &proven))
            }
            (Ok(epoch), EntryKind::Deploy | EntryKind::Upgrade) => Ahead::Code(code::open_code(
                engines,
                fixed.place,
                epoch,
                (&proven.entry, proven.execution.block_timestamp),
                code_envelope.as_ref(),
            )),
            _ => Ahead::Nothing,
        };
        OpenedEntry {
            proven,
            epoch,
            ahead,
        }
    });
    Ok(Opened {
        id,
        entries: entries.collect(),
        refusal: log.refusal,
    })
}
