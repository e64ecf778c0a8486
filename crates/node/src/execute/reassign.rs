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
pub(super) async fn candidate(
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
    let farthest = if next.logged.entry.is_stateless() {
        u64::MAX
    } else {
        seq + MAX_BETWEEN as u64
    };
    loop {
        let page = store.entries(contract, from, PAGE).await?;
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
pub(super) async fn shown(
    store: &dyn Storage,
    contract: ContractId,
    last: &EntryRecord,
    runtime: u64,
) -> Result<Option<(Vec<subrosa_types::abi::Entry>, EntryRecord)>, StoreError> {
    let found = store.entry(contract, runtime).await?;
    let Some(found) = found.filter(|record| kind(record) == Some(EntryKind::Runtime)) else {
        return Ok(None);
    };
    let mut between = Vec::new();
    let mut from = last.logged.entry.seq() + 1;
    while from < runtime && !found.logged.entry.is_stateless() {
        let most = usize::try_from(runtime - from).unwrap_or(PAGE).min(PAGE);
        let page = store.entries(contract, from, most).await?;
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

/// Entries read at a time.
const PAGE: usize = 1_024;

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, U256};
    use subrosa_store::{Block, Cursor, Identity, LogStore, Store};
    use subrosa_types::{abi::Entry, entry::FinalityClass, frame::LoggedEntry};

    use super::*;

    const CONTRACT: ContractId = B256::repeat_byte(1);

    fn record(seq: u64, kind: EntryKind, generation: u16, chained: bool) -> EntryRecord {
        let execution = Execution {
            kind,
            flags: 0,
            fuel_limit: 0,
            code_version: 0,
            runtime_generation: generation,
            finality_class: FinalityClass::HostAsserted,
            block_number: 1,
            block_timestamp: 1,
            output_limit: 0,
        };
        let entry = Entry {
            contractId: CONTRACT,
            previousDigest: if chained && seq > 0 {
                B256::repeat_byte(7)
            } else {
                B256::ZERO
            },
            context: B256::ZERO,
            inputHash: B256::ZERO,
            execution: execution.pack(),
            settlement: U256::ZERO,
            payment: U256::from(seq),
            refundTo: Address::ZERO,
        };
        EntryRecord {
            logged: LoggedEntry {
                entry,
                input: Vec::new().into(),
            },
            block_number: 1,
            block_hash: B256::ZERO,
            tx_hash: B256::ZERO,
        }
    }

    /// A log whose entries 6 and 9 are of kind RUNTIME, the first of many pages.
    async fn store(chained: bool) -> (tempfile::TempDir, Store, Vec<EntryRecord>) {
        let directory = tempfile::tempdir().unwrap();
        let identity = Identity {
            chain_id: 1,
            oracle: Address::ZERO,
            registry: Address::ZERO,
            config_hash: B256::ZERO,
        };
        let store = Store::open(directory.path(), identity).unwrap();
        let entries: Vec<_> = (0..2_000)
            .map(|seq| {
                let (kind, generation) = match seq {
                    0 => (EntryKind::Deploy, 0),
                    1..6 => (EntryKind::Call, 0),
                    6 => (EntryKind::Runtime, 1),
                    7..9 => (EntryKind::Call, 1),
                    9 => (EntryKind::Runtime, 2),
                    _ => (EntryKind::Call, 2),
                };
                record(seq, kind, generation, chained)
            })
            .collect();
        let block = Block {
            cursor: Cursor {
                number: 1,
                hash: B256::ZERO,
                parent_hash: B256::ZERO,
            },
            entries: entries.clone(),
            fulfillments: Vec::new(),
        };
        store.apply_block(block).await.unwrap();
        (directory, store, entries)
    }

    #[tokio::test]
    async fn runtime_entries_are_shown_in_log_order_until_there_are_no_more() {
        for chained in [true, false] {
            let (_directory, store, entries) = store(chained).await;
            let mut shown = None;
            let mut tried = Vec::new();
            loop {
                shown = candidate(&store, CONTRACT, &entries[2], shown)
                    .await
                    .unwrap();
                let Some(next) = shown else { break };
                assert_eq!(next.generation, 0);
                tried.push(next.runtime);
            }
            assert_eq!(tried, [6, 9]);
            // What was shown with another generation says nothing about this one.
            let shown = Some(Reassigning {
                generation: 0,
                runtime: 9,
            });
            let next = candidate(&store, CONTRACT, &entries[7], shown)
                .await
                .unwrap();
            assert_eq!(next.map(|next| next.runtime), Some(9));
            assert_eq!(
                candidate(&store, CONTRACT, &entries[10], None)
                    .await
                    .unwrap(),
                None
            );
        }
    }

    #[tokio::test]
    async fn what_is_shown_is_everything_in_between() {
        let (_directory, store, entries) = store(true).await;
        let (between, runtime) = shown(&store, CONTRACT, &entries[3], 9)
            .await
            .unwrap()
            .unwrap();
        let expected: Vec<_> = entries[4..9]
            .iter()
            .map(|e| e.logged.entry.clone())
            .collect();
        assert_eq!((between, &runtime), (expected, &entries[9]));
        let (between, _) = shown(&store, CONTRACT, &entries[5], 6)
            .await
            .unwrap()
            .unwrap();
        assert!(between.is_empty());
        for gone in [8, 2_000] {
            assert!(
                shown(&store, CONTRACT, &entries[3], gone)
                    .await
                    .unwrap()
                    .is_none()
            );
        }
    }

    #[tokio::test]
    async fn entries_of_a_stateless_contract_are_shown_without_what_is_in_between() {
        let (_directory, store, entries) = store(false).await;
        let (between, runtime) = shown(&store, CONTRACT, &entries[3], 9)
            .await
            .unwrap()
            .unwrap();
        assert!(between.is_empty());
        assert_eq!(runtime, entries[9]);
    }
}
