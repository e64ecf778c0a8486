// SPDX-License-Identifier: Apache-2.0
//! Pending entries of a runtime generation that the enclave does not have.
//!
//! Which generations an enclave has is not the host's to know. So nothing is shown until the
//! enclave refuses an entry for its generation; then the RUNTIME entries further up the log are
//! shown, one after the other, until it takes one.

use subrosa_store::{EntryRecord, Storage, StoreError};
use subrosa_types::{
    ContractId,
    entry::{EntryKind, Execution},
    frame::MAX_BETWEEN,
};

/// A RUNTIME entry that is shown with pending entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reassigning {
    /// Generation of the entries that it is shown with.
    pub(super) generation: u16,
    /// Seq of the RUNTIME entry.
    pub(super) runtime: u64,
}

/// The RUNTIME entry to show next with the pending entry `next`, after `shown` was of no use;
/// `None` if there is none, or none that can be shown with it.
pub(super) fn candidate(
    store: &dyn Storage,
    contract: ContractId,
    next: &EntryRecord,
    shown: Option<Reassigning>,
) -> Result<Option<Reassigning>, StoreError> {
    let Some(generation) = generation(next) else {
        return Ok(None);
    };
    let seq = next.logged.entry.seq();
    let shown = shown.filter(|shown| shown.generation == generation);
    let mut from = shown.map_or(seq, |shown| shown.runtime.max(seq)) + 1;
    let farthest = if is_stateless(next) {
        u64::MAX
    } else {
        seq + MAX_BETWEEN as u64
    };
    loop {
        let page = store.entries(contract, from, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        from = last.logged.entry.seq() + 1;
        let found = page
            .iter()
            .take_while(|record| record.logged.entry.seq() <= farthest)
            .find(|record| kind(record) == Some(EntryKind::Runtime));
        if let Some(found) = found {
            let runtime = found.logged.entry.seq();
            return Ok(Some(Reassigning {
                generation,
                runtime,
            }));
        }
        if from > farthest {
            return Ok(None);
        }
    }
}

/// The entries after `last` and before the RUNTIME entry, and that entry. `None` if the log is no
/// longer what it was.
pub(super) fn shown(
    store: &dyn Storage,
    contract: ContractId,
    last: &EntryRecord,
    runtime: u64,
) -> Result<Option<(Vec<subrosa_types::abi::Entry>, EntryRecord)>, StoreError> {
    let found = store.entry(contract, runtime)?;
    let Some(found) = found.filter(|record| kind(record) == Some(EntryKind::Runtime)) else {
        return Ok(None);
    };
    let mut between = Vec::new();
    let mut from = last.logged.entry.seq() + 1;
    while from < runtime && !is_stateless(&found) {
        let most = usize::try_from(runtime - from).unwrap_or(PAGE).min(PAGE);
        let page = store.entries(contract, from, most)?;
        let Some(end) = page.last() else {
            return Ok(None);
        };
        from = end.logged.entry.seq() + 1;
        between.extend(page.into_iter().map(|record| record.logged.entry));
    }
    Ok(Some((between, found)))
}

/// What kind of entry it is; `None` for one that this build cannot read.
pub(super) fn kind(record: &EntryRecord) -> Option<EntryKind> {
    Execution::unpack(record.logged.entry.execution)
        .ok()
        .map(|execution| execution.kind)
}

/// An entry's runtime generation.
pub(super) fn generation(record: &EntryRecord) -> Option<u16> {
    Execution::unpack(record.logged.entry.execution)
        .ok()
        .map(|execution| execution.runtime_generation)
}

/// Whether an entry after the first is one of a stateless contract.
fn is_stateless(record: &EntryRecord) -> bool {
    let entry = &record.logged.entry;
    entry.seq() > 0 && entry.previousDigest.is_zero()
}

/// Entries read at a time.
const PAGE: usize = 1_024;
