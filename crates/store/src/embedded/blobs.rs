// SPDX-License-Identifier: Apache-2.0
//! Results and the sealed blobs that lead to their states.

use alloy_primitives::B256;
use subrosa_types::{
    ContractId,
    frame::{BlobKind, ExecutedEntry, StateBlob},
};

use super::Store;
use crate::{EntryRecord, ResultRecord, Storage, StoreError, key};

/// As [`Storage::commit_execution`](crate::Storage::commit_execution).
pub(super) fn commit(
    store: &Store,
    contract: ContractId,
    executed: &[ExecutedEntry],
) -> Result<(), StoreError> {
    let consecutive = executed.windows(2).all(
        |pair| matches!(pair, [first, second] if first.seq.checked_add(1) == Some(second.seq)),
    );
    if !consecutive {
        return Err(StoreError::Inconsistent("entries are not consecutive"));
    }
    let _exclusive = store.exclusive();
    let mut batch = store.durable_batch();
    for entry in executed {
        let seq = entry.seq;
        if entry.blob.seq != seq {
            return Err(StoreError::Inconsistent("a blob of another entry"));
        }
        let logged = store.entry(contract, seq)?;
        if logged.is_none_or(|record| digest(store, &record) != entry.blob.digest) {
            return Err(StoreError::UnknownEntry { contract, seq });
        }
        store.keyspaces.results.write(
            &mut batch,
            key::entry(contract, entry.seq),
            &ResultRecord::from(entry),
        )?;
        store.keyspaces.blobs.write(
            &mut batch,
            key::blob(contract, entry.seq, entry.blob.kind),
            &entry.blob,
        )?;
    }
    Ok(batch.commit()?)
}

/// As [`Storage::blobs_for_load`](crate::Storage::blobs_for_load).
pub(super) fn for_load(
    store: &Store,
    contract: ContractId,
    up_to: u64,
) -> Result<Vec<StateBlob>, StoreError> {
    let range =
        key::blob(contract, 0, BlobKind::Snapshot)..=key::blob(contract, up_to, BlobKind::Delta);
    let mut blobs: Vec<StateBlob> = Vec::new();
    for found in store.keyspaces.blobs.descending(range) {
        let (key, blob) = found?;
        if *key != key::blob(contract, blob.seq, blob.kind) {
            return Err(store.keyspaces.blobs.corrupt("a blob under another key"));
        }
        // An entry may have both; its snapshot then ends the search.
        let is_snapshot = blob.kind == BlobKind::Snapshot;
        if blobs.last().is_some_and(|later| later.seq == blob.seq) {
            blobs.pop();
        }
        if let Some(later) = blobs.last()
            && blob.seq.checked_add(1) != Some(later.seq)
        {
            return Err(StoreError::MissingDelta {
                contract,
                seq: blob.seq.saturating_add(1),
            });
        }
        blobs.push(blob);
        if is_snapshot {
            blobs.reverse();
            return Ok(blobs);
        }
    }
    Ok(Vec::new())
}

/// As [`Storage::prune_blobs`](crate::Storage::prune_blobs).
pub(super) fn prune(store: &Store, contract: ContractId, from: u64) -> Result<usize, StoreError> {
    let _exclusive = store.exclusive();
    let blobs = &store.keyspaces.blobs;
    let first = key::blob(contract, 0, BlobKind::Snapshot);
    let keys = blobs.range_keys(first..=key::blob(contract, from, BlobKind::Delta))?;
    let snapshot = keys
        .iter()
        .rev()
        .find(|key| key.last() == Some(&key::SNAPSHOT));
    let Some(snapshot) = snapshot else {
        return Ok(0);
    };
    let mut batch = store.batch();
    let count = blobs.remove_range(&mut batch, first.as_slice()..snapshot.as_ref())?;
    batch.commit()?;
    Ok(count)
}

fn digest(store: &Store, record: &EntryRecord) -> B256 {
    let identity = &store.identity;
    record
        .logged
        .entry
        .digest(identity.chain_id, identity.oracle)
}
