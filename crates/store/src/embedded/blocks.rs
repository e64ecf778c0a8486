// SPDX-License-Identifier: Apache-2.0
//! What blocks bring, and what a reorganisation takes back.

use std::collections::BTreeSet;

use subrosa_types::{ContractId, frame::BlobKind};

use super::{CURSOR, Store};
use crate::{
    Block, Cursor, Storage, StoreError,
    key::{self, Trace, parse_trace},
};

/// As [`Storage::apply_block`].
pub(super) fn apply(store: &Store, block: &Block) -> Result<(), StoreError> {
    let _exclusive = store.exclusive();
    let last = block.cursor.number;
    if store.cursor()?.is_some_and(|cursor| cursor.number > last) {
        return Err(StoreError::Inconsistent("the cursor would move back"));
    }
    let tables = &store.keyspaces;
    let mut batch = store.batch();
    for record in &block.entries {
        let (contract, seq) = (record.logged.entry.contractId, record.logged.entry.seq());
        if record.block_number > last {
            return Err(StoreError::Inconsistent("an entry of a later block"));
        }
        tables
            .entries
            .write(&mut batch, key::entry(contract, seq), record)?;
        let trace = key::trace(record.block_number, Trace::Entry, contract, seq);
        tables.traces.write(&mut batch, trace, &())?;
        if seq == 0 {
            tables.contracts.write(&mut batch, contract, &())?;
        }
    }
    for (contract, seq, record) in &block.fulfillments {
        if record.block_number > last {
            return Err(StoreError::Inconsistent("a fulfillment of a later block"));
        }
        tables
            .fulfillments
            .write(&mut batch, key::entry(*contract, *seq), record)?;
        let trace = key::trace(record.block_number, Trace::Fulfillment, *contract, *seq);
        tables.traces.write(&mut batch, trace, &())?;
    }
    tables.cursor.write(&mut batch, CURSOR, &block.cursor)?;
    Ok(batch.commit()?)
}

/// As [`Storage::rewind`].
pub(super) fn rewind(store: &Store, cursor: Cursor) -> Result<Vec<ContractId>, StoreError> {
    if store
        .cursor()?
        .is_none_or(|last| last.number < cursor.number)
    {
        return Err(StoreError::Inconsistent("a rewind goes back"));
    }
    let tables = &store.keyspaces;
    let mut batch = store.durable_batch();
    let mut affected = BTreeSet::new();
    if let Some(first) = cursor.number.checked_add(1) {
        for trace in tables.traces.range_keys(first.to_be_bytes()..)? {
            let (what, contract, seq) =
                parse_trace(&trace).ok_or_else(|| tables.traces.corrupt("bad key"))?;
            affected.insert(contract);
            tables.traces.remove(&mut batch, &trace);
            let key = key::entry(contract, seq);
            match what {
                Trace::Fulfillment => tables.fulfillments.remove(&mut batch, key),
                Trace::Entry => {
                    tables.entries.remove(&mut batch, key);
                    tables.proofs.remove(&mut batch, key);
                    tables.results.remove(&mut batch, key);
                    for kind in [BlobKind::Snapshot, BlobKind::Delta] {
                        let blob = key::blob(contract, seq, kind);
                        tables.blobs.remove(&mut batch, blob);
                    }
                    if seq == 0 {
                        tables.contracts.remove(&mut batch, contract);
                    }
                }
            }
        }
    }
    tables.cursor.write(&mut batch, CURSOR, &cursor)?;
    batch.commit()?;
    Ok(affected.into_iter().collect())
}
