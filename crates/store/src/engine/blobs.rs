// SPDX-License-Identifier: Apache-2.0
//! Results, the sealed blobs that lead to their states, and sealed epoch secrets.

use alloy_primitives::{B256, Bytes};
use subrosa_types::{
    ContractId,
    frame::{BlobKind, ExecutedEntry, StateBlob},
};

use super::{database::Engine, rows::Batch};
use crate::{EntryRecord, ResultRecord, StoreError, key};

impl Engine {
    pub(crate) fn commit_execution(
        &self,
        contract: ContractId,
        executed: &[ExecutedEntry],
    ) -> Result<(), StoreError> {
        let consecutive = executed.windows(2).all(
            |pair| matches!(pair, [first, second] if first.seq.checked_add(1) == Some(second.seq)),
        );
        if !consecutive {
            return Err(StoreError::Inconsistent("entries are not consecutive"));
        }
        let _exclusive = self.exclusive();
        let mut batch = Batch::new(true);
        for entry in executed {
            let seq = entry.seq;
            if entry.blob.seq != seq {
                return Err(StoreError::Inconsistent("a blob of another entry"));
            }
            let logged = self.entry(contract, seq)?;
            if logged.is_none_or(|record| self.digest(&record) != entry.blob.digest) {
                return Err(StoreError::UnknownEntry { contract, seq });
            }
            self.keyspaces.results.write(
                &mut batch,
                key::entry(contract, seq),
                &ResultRecord::from(entry),
            )?;
            self.keyspaces.blobs.write(
                &mut batch,
                key::blob(contract, seq, entry.blob.kind),
                &entry.blob,
            )?;
        }
        self.commit(batch)
    }

    pub(crate) fn put_blob(
        &self,
        contract: ContractId,
        blob: &StateBlob,
    ) -> Result<(), StoreError> {
        let mut batch = Batch::new(true);
        self.keyspaces
            .blobs
            .write(&mut batch, key::blob(contract, blob.seq, blob.kind), blob)?;
        self.commit(batch)
    }

    pub(crate) fn result(
        &self,
        contract: ContractId,
        seq: u64,
    ) -> Result<Option<ResultRecord>, StoreError> {
        self.keyspaces.results.read(key::entry(contract, seq))
    }

    pub(crate) fn results(
        &self,
        contract: ContractId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<ResultRecord>, StoreError> {
        let range = key::entry(contract, from)..=key::entry(contract, u64::MAX);
        self.keyspaces.results.scan(range, limit)
    }

    pub(crate) fn last_result(
        &self,
        contract: ContractId,
    ) -> Result<Option<ResultRecord>, StoreError> {
        let last = self.keyspaces.results.last(contract.as_slice())?;
        Ok(last.map(|(_, record)| record))
    }

    pub(crate) fn blobs_for_load(
        &self,
        contract: ContractId,
        up_to: u64,
    ) -> Result<Vec<StateBlob>, StoreError> {
        let range = key::blob(contract, 0, BlobKind::Snapshot)
            ..=key::blob(contract, up_to, BlobKind::Delta);
        let mut blobs: Vec<StateBlob> = Vec::new();
        for found in self.keyspaces.blobs.descending(range) {
            let (key, blob) = found?;
            if *key != key::blob(contract, blob.seq, blob.kind) {
                return Err(self.keyspaces.blobs.corrupt("a blob under another key"));
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

    pub(crate) fn prune_blobs(&self, contract: ContractId, from: u64) -> Result<usize, StoreError> {
        let _exclusive = self.exclusive();
        let blobs = &self.keyspaces.blobs;
        let first = key::blob(contract, 0, BlobKind::Snapshot);
        let keys = blobs.range_keys(first..=key::blob(contract, from, BlobKind::Delta))?;
        let snapshot = keys
            .iter()
            .rev()
            .find(|key| key.last() == Some(&key::SNAPSHOT));
        let Some(snapshot) = snapshot else {
            return Ok(0);
        };
        let mut batch = Batch::new(false);
        let count = blobs.remove_range(&mut batch, first.as_slice()..snapshot.as_ref())?;
        self.commit(batch)?;
        Ok(count)
    }

    pub(crate) fn put_epoch(
        &self,
        group: u32,
        epoch: u32,
        sealed: &Bytes,
    ) -> Result<(), StoreError> {
        let mut batch = Batch::new(true);
        self.keyspaces
            .epochs
            .write(&mut batch, key::epoch(group, epoch), sealed)?;
        self.commit(batch)
    }

    pub(crate) fn epochs(&self) -> Result<Vec<(u32, u32, Bytes)>, StoreError> {
        let epochs = self.keyspaces.epochs.prefix([], key::parse_epoch)?;
        Ok(epochs
            .into_iter()
            .map(|((group, epoch), sealed)| (group, epoch, sealed))
            .collect())
    }

    fn digest(&self, record: &EntryRecord) -> B256 {
        let identity = &self.identity;
        record
            .logged
            .entry
            .digest(identity.chain_id, identity.oracle)
    }
}
