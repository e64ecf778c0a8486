// SPDX-License-Identifier: Apache-2.0
//! The interface of a host's storage.

use alloy_primitives::{Address, B256, Bytes};
use subrosa_types::{
    ContractId,
    frame::{ExecutedEntry, StateBlob, StorageProof},
    result::Head,
};

use crate::{
    AdmissionRecord, Block, Cursor, EntryRecord, FulfillmentRecord, Intent, ResultRecord,
    StoreError,
};

/// What a host keeps, and how.
///
/// Each method is atomic: after a crash either all of it happened or nothing. *Durable* methods
/// return only once what they wrote survives a power failure; the others survive the death of the
/// process, and what they write can be fetched from the chain again.
///
/// Methods may be called from several threads; writes take effect one after another.
///
/// Every method fails with [`StoreError::Engine`] if the storage fails, reading ones also with
/// [`StoreError::Corrupt`], writing ones with [`StoreError::TooLarge`].
pub trait Storage: Send + Sync {
    /// The last block that was applied; `None` at first.
    fn cursor(&self) -> Result<Option<Cursor>, StoreError>;

    /// Appends what a block brought and moves the cursor.
    ///
    /// # Errors
    ///
    /// [`StoreError::Inconsistent`] if the cursor would move back, or a record is of a block after
    /// the cursor.
    fn apply_block(&self, block: &Block) -> Result<(), StoreError>;

    /// Forgets everything that came with blocks after `cursor` (entries, their proofs, results and
    /// blobs, and fulfillments) and moves the cursor there. Durable. Returns the contracts that
    /// lost entries or fulfillments, ascending.
    ///
    /// # Errors
    ///
    /// [`StoreError::Inconsistent`] if there is no block yet or `cursor` is ahead.
    fn rewind(&self, cursor: Cursor) -> Result<Vec<ContractId>, StoreError>;

    /// Every contract that has an entry 0, ascending.
    fn contracts(&self) -> Result<Vec<ContractId>, StoreError>;

    /// One entry.
    fn entry(&self, contract: ContractId, seq: u64) -> Result<Option<EntryRecord>, StoreError>;

    /// At most `limit` entries from `from` on, in order.
    fn entries(
        &self,
        contract: ContractId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<EntryRecord>, StoreError>;

    /// The last entry of a contract's log.
    fn last_entry(&self, contract: ContractId) -> Result<Option<EntryRecord>, StoreError>;

    /// Keeps the proof of an entry's slot, as fetched at inclusion.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownEntry`] if the entry is not in the store.
    fn put_proof(
        &self,
        contract: ContractId,
        seq: u64,
        proof: &StorageProof,
    ) -> Result<(), StoreError>;

    /// The proof of an entry's slot.
    fn proof(&self, contract: ContractId, seq: u64) -> Result<Option<StorageProof>, StoreError>;

    /// Keeps a deployment envelope. Durable.
    fn put_deployment(&self, contract: ContractId, envelope: &Bytes) -> Result<(), StoreError>;

    /// A deployment envelope.
    fn deployment(&self, contract: ContractId) -> Result<Option<Bytes>, StoreError>;

    /// Keeps the envelope of the code that `commitment` commits to, for an upgrade that may not be
    /// on the log yet. Of each contract the [`MAX_UPGRADES`] that were handed in last are kept.
    /// Durable.
    fn put_upgrade(
        &self,
        contract: ContractId,
        commitment: B256,
        envelope: &Bytes,
    ) -> Result<(), StoreError>;

    /// The envelope of an upgrade's code.
    fn upgrade(&self, contract: ContractId, commitment: B256) -> Result<Option<Bytes>, StoreError>;

    /// Keeps results and the blobs that came with them. Durable: only after it returns may a
    /// result be submitted.
    ///
    /// # Errors
    ///
    /// [`StoreError::Inconsistent`] unless the entries are consecutive and each blob is of its
    /// entry; [`StoreError::UnknownEntry`] if a blob's digest is not that of the entry in the
    /// store, which a reorganisation may have replaced.
    fn commit_execution(
        &self,
        contract: ContractId,
        executed: &[ExecutedEntry],
    ) -> Result<(), StoreError>;

    /// Keeps a further blob, usually a snapshot. Durable.
    fn put_blob(&self, contract: ContractId, blob: &StateBlob) -> Result<(), StoreError>;

    /// One result.
    fn result(&self, contract: ContractId, seq: u64) -> Result<Option<ResultRecord>, StoreError>;

    /// At most `limit` results from `from` on, in order.
    fn results(
        &self,
        contract: ContractId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<ResultRecord>, StoreError>;

    /// The result of the last entry that has one.
    fn last_result(&self, contract: ContractId) -> Result<Option<ResultRecord>, StoreError>;

    /// What an enclave needs to be in the state after entry `up_to`, or after the last entry that
    /// has a blob if that is earlier: the newest snapshot, then the deltas after it. Empty if there
    /// is no snapshot.
    ///
    /// # Errors
    ///
    /// [`StoreError::MissingDelta`] if they are not consecutive.
    fn blobs_for_load(
        &self,
        contract: ContractId,
        up_to: u64,
    ) -> Result<Vec<StateBlob>, StoreError>;

    /// Drops the blobs that [`Self::blobs_for_load`] needs for no state from `from` on. Returns
    /// how many.
    fn prune_blobs(&self, contract: ContractId, from: u64) -> Result<usize, StoreError>;

    /// How the chain has an entry's result.
    fn fulfillment(
        &self,
        contract: ContractId,
        seq: u64,
    ) -> Result<Option<FulfillmentRecord>, StoreError>;

    /// The head that the chain had at the cursor, as the fulfillments say; `None` if there are
    /// none. Meaningless for stateless contracts.
    fn chain_head(&self, contract: ContractId) -> Result<Option<Head>, StoreError>;

    /// Keeps the admission of a signer. Durable.
    fn put_admission(&self, signer: Address, admission: &AdmissionRecord)
    -> Result<(), StoreError>;

    /// The admission of a signer.
    fn admission(&self, signer: Address) -> Result<Option<AdmissionRecord>, StoreError>;

    /// Keeps a sealed epoch secret. Durable.
    fn put_epoch(&self, group: u32, epoch: u32, sealed: &Bytes) -> Result<(), StoreError>;

    /// All sealed epoch secrets (group, epoch, bytes), ascending.
    fn epochs(&self) -> Result<Vec<(u32, u32, Bytes)>, StoreError>;

    /// Keeps what a nonce is used for. Durable: only after it returns may the transaction be sent.
    fn put_intent(&self, sender: Address, nonce: u64, intent: &Intent) -> Result<(), StoreError>;

    /// Every nonce of `sender` that has an intent, ascending.
    fn intents(&self, sender: Address) -> Result<Vec<(u64, Intent)>, StoreError>;

    /// Forgets the intents of nonces below `nonce`: they are mined. Returns how many.
    fn settle_intents(&self, sender: Address, nonce: u64) -> Result<usize, StoreError>;
}

/// Most upgrade envelopes of one contract. Whoever hands them in has checked that the owner
/// announced the code.
pub const MAX_UPGRADES: usize = 16;
