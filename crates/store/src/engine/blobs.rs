// SPDX-License-Identifier: Apache-2.0
//! Results, the sealed blobs that lead to their states, and sealed epoch secrets.

use alloy_primitives::{B256, Bytes};
use subrosa_types::{
    ContractId,
    frame::{BlobKind, ExecutedEntry, StateBlob},
};

use super::{database::Engine, rows::Batch};
use crate::{
    EntryRecord, ResultRecord, StoreError,
    key::{self, BlobName},
};

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
                key::blob(contract, BlobName::of(&entry.blob)),
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
            .write(&mut batch, key::blob(contract, BlobName::of(blob)), blob)?;
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
        skip: usize,
        bytes: usize,
    ) -> Result<Vec<StateBlob>, StoreError> {
        let mut blobs: Vec<StateBlob> = Vec::new();
        let mut size = 0;
        for name in self.plan(contract, up_to)?.into_iter().skip(skip) {
            let Some(blob) = self.keyspaces.blobs.read(key::blob(contract, name))? else {
                return Err(self
                    .keyspaces
                    .blobs
                    .corrupt("a blob that was there is gone"));
            };
            if BlobName::of(&blob) != name {
                return Err(self.keyspaces.blobs.corrupt("a blob under another key"));
            }
            size += blob.sealed.len();
            if size > bytes && !blobs.is_empty() {
                break;
            }
            blobs.push(blob);
        }
        Ok(blobs)
    }

    pub(crate) fn prune_blobs(&self, contract: ContractId, from: u64) -> Result<usize, StoreError> {
        let _exclusive = self.exclusive();
        let Some(snapshot) = self.plan(contract, from)?.first().copied() else {
            return Ok(0);
        };
        let range = key::blob(contract, BlobName::first(0))..key::blob(contract, snapshot);
        let mut batch = Batch::new(false);
        let count = self.keyspaces.blobs.remove_range(&mut batch, range)?;
        self.commit(batch)?;
        Ok(count)
    }

    /// What leads to the state after entry `up_to`: the parts of the newest snapshot that is complete,
    /// then the deltas after it.
    fn plan(&self, contract: ContractId, up_to: u64) -> Result<Vec<BlobName>, StoreError> {
        let Some((_, newest)) = self.keyspaces.blobs.last(contract.as_slice())? else {
            return Ok(Vec::new());
        };
        let mut deltas: Vec<BlobName> = Vec::new();
        let mut end = Some(up_to.min(newest.seq));
        while let Some(last) = end {
            let first = last.saturating_sub(PLAN_ENTRIES - 1);
            end = first.checked_sub(1);
            let range = key::blob(contract, BlobName::first(first))
                ..=key::blob(contract, BlobName::last(last));
            let names = self.keyspaces.blobs.range_keys(range)?;
            let names: Option<Vec<BlobName>> =
                names.iter().map(|key| BlobName::parse(key)).collect();
            let Some(mut names) = names else {
                return Err(self.keyspaces.blobs.corrupt("a key of another form"));
            };
            while let Some(name) = names.pop() {
                if name.kind == BlobKind::Snapshot {
                    let parts = name.part.saturating_add(1) as usize;
                    let from = (names.len() + 1).saturating_sub(parts);
                    let rest = names.split_off(from);
                    let is_complete = name.part.checked_add(1) == Some(name.parts)
                        && rest.len() + 1 == parts
                        && rest
                            .iter()
                            .all(|other| (other.seq, other.parts) == (name.seq, name.parts));
                    if is_complete {
                        deltas.reverse();
                        deltas.retain(|delta| delta.seq > name.seq);
                        let next = deltas.first().map_or(name.seq, |delta| delta.seq - 1);
                        if next != name.seq {
                            let seq = name.seq + 1;
                            return Err(StoreError::MissingDelta { contract, seq });
                        }
                        return Ok(rest.into_iter().chain([name]).chain(deltas).collect());
                    }
                    names.extend(rest.into_iter().filter(|other| other.seq != name.seq));
                    continue;
                }
                if let Some(later) = deltas.last()
                    && name.seq.checked_add(1) != Some(later.seq)
                {
                    return Err(StoreError::MissingDelta {
                        contract,
                        seq: name.seq.saturating_add(1),
                    });
                }
                deltas.push(name);
            }
        }
        Ok(Vec::new())
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

/// Entries whose blobs are looked through at a time.
const PLAN_ENTRIES: u64 = 1_024;
