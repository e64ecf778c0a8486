// SPDX-License-Identifier: Apache-2.0
//! What blocks bring, and what a reorganisation takes back.

use std::collections::BTreeSet;

use subrosa_types::{ContractId, frame::SlotProof, result::Head};

use super::{database::Engine, rows::Batch};
use crate::{
    Block, Cursor, EntryRecord, FulfillmentRecord, StoreError,
    key::{self, Trace, parse_entry, parse_trace},
};

impl Engine {
    pub(crate) fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        self.keyspaces.cursor.read(CURSOR)
    }

    pub(crate) fn apply_block(&self, block: &Block) -> Result<(), StoreError> {
        let _exclusive = self.exclusive();
        let last = block.cursor.number;
        if self.cursor()?.is_some_and(|cursor| cursor.number > last) {
            return Err(StoreError::Inconsistent("the cursor would move back"));
        }
        let tables = &self.keyspaces;
        let mut batch = Batch::new(false);
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
        self.commit(batch)
    }

    pub(crate) fn rewind(&self, cursor: Cursor) -> Result<Vec<ContractId>, StoreError> {
        // A commit that checked its entries before must be done before they go.
        let _exclusive = self.exclusive();
        if self
            .cursor()?
            .is_none_or(|last| last.number < cursor.number)
        {
            return Err(StoreError::Inconsistent("a rewind goes back"));
        }
        let tables = &self.keyspaces;
        let mut batch = Batch::new(true);
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
                        let blobs = key::blob(contract, key::BlobName::first(seq))
                            ..=key::blob(contract, key::BlobName::last(seq));
                        tables.blobs.remove_range(&mut batch, blobs)?;
                        if seq == 0 {
                            tables.contracts.remove(&mut batch, contract);
                        }
                    }
                }
            }
        }
        tables.cursor.write(&mut batch, CURSOR, &cursor)?;
        self.commit(batch)?;
        Ok(affected.into_iter().collect())
    }

    pub(crate) fn contracts(&self) -> Result<Vec<ContractId>, StoreError> {
        self.keyspaces.contracts.keys(|key| {
            let bytes: [u8; 32] = key.try_into().ok()?;
            Some(ContractId::from(bytes))
        })
    }

    pub(crate) fn entry(
        &self,
        contract: ContractId,
        seq: u64,
    ) -> Result<Option<EntryRecord>, StoreError> {
        self.keyspaces.entries.read(key::entry(contract, seq))
    }

    pub(crate) fn entries(
        &self,
        contract: ContractId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<EntryRecord>, StoreError> {
        let range = key::entry(contract, from)..=key::entry(contract, u64::MAX);
        self.keyspaces.entries.scan(range, limit)
    }

    pub(crate) fn last_entry(
        &self,
        contract: ContractId,
    ) -> Result<Option<EntryRecord>, StoreError> {
        let last = self.keyspaces.entries.last(contract.as_slice())?;
        Ok(last.map(|(_, record)| record))
    }

    pub(crate) fn put_proof(
        &self,
        contract: ContractId,
        seq: u64,
        proof: &SlotProof,
    ) -> Result<(), StoreError> {
        let _exclusive = self.exclusive();
        if self.entry(contract, seq)?.is_none() {
            return Err(StoreError::UnknownEntry { contract, seq });
        }
        let mut batch = Batch::new(false);
        self.keyspaces
            .proofs
            .write(&mut batch, key::entry(contract, seq), proof)?;
        self.commit(batch)
    }

    pub(crate) fn proof(
        &self,
        contract: ContractId,
        seq: u64,
    ) -> Result<Option<SlotProof>, StoreError> {
        self.keyspaces.proofs.read(key::entry(contract, seq))
    }

    pub(crate) fn fulfillment(
        &self,
        contract: ContractId,
        seq: u64,
    ) -> Result<Option<FulfillmentRecord>, StoreError> {
        self.keyspaces.fulfillments.read(key::entry(contract, seq))
    }

    pub(crate) fn chain_head(&self, contract: ContractId) -> Result<Option<Head>, StoreError> {
        let Some((key, last)) = self.keyspaces.fulfillments.last(contract.as_slice())? else {
            return Ok(None);
        };
        let (_, seq) =
            parse_entry(&key).ok_or_else(|| self.keyspaces.fulfillments.corrupt("bad key"))?;
        Ok(Some(Head {
            seq: seq.saturating_add(1),
            commitment: last.commitment,
        }))
    }
}

/// Key of the only record in `cursor`.
const CURSOR: &[u8] = b"cursor";
