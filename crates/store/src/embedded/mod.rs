// SPDX-License-Identifier: Apache-2.0
//! The embedded store: fjall in one directory.

mod blobs;
mod blocks;
mod keyspaces;
mod table;
mod upgrades;

use std::{
    fmt,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::{Address, B256, Bytes};
use fjall::{Database, PersistMode};
use subrosa_types::{
    ContractId,
    frame::{ExecutedEntry, StateBlob, StorageProof},
    result::Head,
};

use self::keyspaces::Keyspaces;
use crate::{
    AdmissionRecord, Block, Cursor, EntryRecord, FulfillmentRecord, Identity, Intent, ResultRecord,
    Storage, StoreError,
    directory::Directory,
    key::{self, parse_entry},
};

/// A store in a directory, for one process.
///
/// The directory holds `lock`, `identity` (text) and `data` (the storage engine's files).
pub struct Store {
    keyspaces: Keyspaces,
    database: Database,
    identity: Identity,
    /// Held by writes that depend on what they read. Nothing is left half done if one panics.
    writing: Mutex<()>,
    // Last: the lock outlives the engine.
    _directory: Directory,
}

impl Store {
    /// Creates or opens the store in `directory`, and locks it until the store is dropped.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] if it is open already, [`StoreError::Identity`] if it belongs to
    /// someone else, [`StoreError::Format`] if another version wrote it,
    /// [`StoreError::NotAStore`] if something else is there, [`StoreError::Engine`] if its files
    /// are damaged, [`StoreError::Io`].
    pub fn open(directory: impl AsRef<Path>, identity: Identity) -> Result<Self, StoreError> {
        let directory = Directory::open(directory.as_ref(), &identity)?;
        let database = Database::builder(directory.data()).open()?;
        Ok(Self {
            keyspaces: Keyspaces::open(&database)?,
            database,
            identity,
            writing: Mutex::new(()),
            _directory: directory,
        })
    }

    /// Keeps other dependent writes out.
    fn exclusive(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A write that survives the process.
    fn batch(&self) -> fjall::OwnedWriteBatch {
        self.database.batch().durability(Some(PersistMode::Buffer))
    }

    /// A write that survives a power failure.
    fn durable_batch(&self) -> fjall::OwnedWriteBatch {
        self.database.batch().durability(Some(PersistMode::SyncAll))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("directory", &self._directory)
            .finish_non_exhaustive()
    }
}

impl Storage for Store {
    fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        self.keyspaces.cursor.read(CURSOR)
    }

    fn apply_block(&self, block: &Block) -> Result<(), StoreError> {
        blocks::apply(self, block)
    }

    fn rewind(&self, cursor: Cursor) -> Result<Vec<ContractId>, StoreError> {
        blocks::rewind(self, cursor)
    }

    fn contracts(&self) -> Result<Vec<ContractId>, StoreError> {
        self.keyspaces.contracts.keys(|key| {
            let bytes: [u8; 32] = key.try_into().ok()?;
            Some(ContractId::from(bytes))
        })
    }

    fn entry(&self, contract: ContractId, seq: u64) -> Result<Option<EntryRecord>, StoreError> {
        self.keyspaces.entries.read(key::entry(contract, seq))
    }

    fn entries(
        &self,
        contract: ContractId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<EntryRecord>, StoreError> {
        let range = key::entry(contract, from)..=key::entry(contract, u64::MAX);
        self.keyspaces.entries.scan(range, limit)
    }

    fn last_entry(&self, contract: ContractId) -> Result<Option<EntryRecord>, StoreError> {
        let last = self.keyspaces.entries.last(contract.as_slice())?;
        Ok(last.map(|(_, record)| record))
    }

    fn put_proof(
        &self,
        contract: ContractId,
        seq: u64,
        proof: &StorageProof,
    ) -> Result<(), StoreError> {
        let _exclusive = self.exclusive();
        if self.entry(contract, seq)?.is_none() {
            return Err(StoreError::UnknownEntry { contract, seq });
        }
        let mut batch = self.batch();
        self.keyspaces
            .proofs
            .write(&mut batch, key::entry(contract, seq), proof)?;
        Ok(batch.commit()?)
    }

    fn proof(&self, contract: ContractId, seq: u64) -> Result<Option<StorageProof>, StoreError> {
        self.keyspaces.proofs.read(key::entry(contract, seq))
    }

    fn put_deployment(&self, contract: ContractId, envelope: &Bytes) -> Result<(), StoreError> {
        let mut batch = self.durable_batch();
        self.keyspaces
            .deployments
            .write(&mut batch, contract, envelope)?;
        Ok(batch.commit()?)
    }

    fn deployment(&self, contract: ContractId) -> Result<Option<Bytes>, StoreError> {
        self.keyspaces.deployments.read(contract)
    }

    fn put_upgrade(
        &self,
        contract: ContractId,
        commitment: B256,
        envelope: &Bytes,
    ) -> Result<(), StoreError> {
        upgrades::put(self, contract, commitment, envelope)
    }

    fn upgrade(&self, contract: ContractId, commitment: B256) -> Result<Option<Bytes>, StoreError> {
        let record = self
            .keyspaces
            .upgrades
            .read(key::upgrade(contract, commitment))?;
        Ok(record.map(|record| record.envelope))
    }

    fn commit_execution(
        &self,
        contract: ContractId,
        executed: &[ExecutedEntry],
    ) -> Result<(), StoreError> {
        blobs::commit(self, contract, executed)
    }

    fn put_blob(&self, contract: ContractId, blob: &StateBlob) -> Result<(), StoreError> {
        let mut batch = self.durable_batch();
        self.keyspaces
            .blobs
            .write(&mut batch, key::blob(contract, blob.seq, blob.kind), blob)?;
        Ok(batch.commit()?)
    }

    fn result(&self, contract: ContractId, seq: u64) -> Result<Option<ResultRecord>, StoreError> {
        self.keyspaces.results.read(key::entry(contract, seq))
    }

    fn results(
        &self,
        contract: ContractId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<ResultRecord>, StoreError> {
        let range = key::entry(contract, from)..=key::entry(contract, u64::MAX);
        self.keyspaces.results.scan(range, limit)
    }

    fn last_result(&self, contract: ContractId) -> Result<Option<ResultRecord>, StoreError> {
        let last = self.keyspaces.results.last(contract.as_slice())?;
        Ok(last.map(|(_, record)| record))
    }

    fn blobs_for_load(
        &self,
        contract: ContractId,
        up_to: u64,
    ) -> Result<Vec<StateBlob>, StoreError> {
        blobs::for_load(self, contract, up_to)
    }

    fn prune_blobs(&self, contract: ContractId, from: u64) -> Result<usize, StoreError> {
        blobs::prune(self, contract, from)
    }

    fn fulfillment(
        &self,
        contract: ContractId,
        seq: u64,
    ) -> Result<Option<FulfillmentRecord>, StoreError> {
        self.keyspaces.fulfillments.read(key::entry(contract, seq))
    }

    fn chain_head(&self, contract: ContractId) -> Result<Option<Head>, StoreError> {
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

    fn put_admission(
        &self,
        signer: Address,
        admission: &AdmissionRecord,
    ) -> Result<(), StoreError> {
        let mut batch = self.durable_batch();
        self.keyspaces
            .admissions
            .write(&mut batch, signer, admission)?;
        Ok(batch.commit()?)
    }

    fn admission(&self, signer: Address) -> Result<Option<AdmissionRecord>, StoreError> {
        self.keyspaces.admissions.read(signer)
    }

    fn put_epoch(&self, group: u32, epoch: u32, sealed: &Bytes) -> Result<(), StoreError> {
        let mut batch = self.durable_batch();
        self.keyspaces
            .epochs
            .write(&mut batch, key::epoch(group, epoch), sealed)?;
        Ok(batch.commit()?)
    }

    fn epochs(&self) -> Result<Vec<(u32, u32, Bytes)>, StoreError> {
        let epochs = self.keyspaces.epochs.prefix([], key::parse_epoch)?;
        Ok(epochs
            .into_iter()
            .map(|((group, epoch), sealed)| (group, epoch, sealed))
            .collect())
    }

    fn put_intent(&self, sender: Address, nonce: u64, intent: &Intent) -> Result<(), StoreError> {
        let mut batch = self.durable_batch();
        self.keyspaces
            .intents
            .write(&mut batch, key::intent(sender, nonce), intent)?;
        Ok(batch.commit()?)
    }

    fn intents(&self, sender: Address) -> Result<Vec<(u64, Intent)>, StoreError> {
        self.keyspaces
            .intents
            .prefix(sender.as_slice(), key::parse_intent)
    }

    fn settle_intents(&self, sender: Address, nonce: u64) -> Result<usize, StoreError> {
        let _exclusive = self.exclusive();
        let range = key::intent(sender, 0)..key::intent(sender, nonce);
        let mut batch = self.batch();
        let count = self.keyspaces.intents.remove_range(&mut batch, range)?;
        batch.commit()?;
        Ok(count)
    }
}

/// Key of the only record in `cursor`.
const CURSOR: &[u8] = b"cursor";
