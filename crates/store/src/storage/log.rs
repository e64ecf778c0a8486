// SPDX-License-Identifier: Apache-2.0
//! What the chain says: entries, their proofs, fulfillments.

use async_trait::async_trait;
use subrosa_types::{ContractId, frame::SlotProof, result::Head};

use crate::{Block, Cursor, EntryRecord, FulfillmentRecord, StoreError};

/// The contracts' logs as the chain has them. What holds for every method is said at
/// [`Storage`](crate::Storage).
#[async_trait]
pub trait LogStore: Send + Sync {
    /// The last block that was applied; `None` at first.
    async fn cursor(&self) -> Result<Option<Cursor>, StoreError>;

    /// Appends what a block brought and moves the cursor.
    ///
    /// # Errors
    ///
    /// [`StoreError::Inconsistent`] if the cursor would move back, or a record is of a block after
    /// the cursor.
    async fn apply_block(&self, block: Block) -> Result<(), StoreError>;

    /// Forgets everything that came with blocks after `cursor` (entries, their proofs, results and
    /// blobs, and fulfillments) and moves the cursor there. Durable. Returns the contracts that
    /// lost entries or fulfillments, ascending.
    ///
    /// # Errors
    ///
    /// [`StoreError::Inconsistent`] if there is no block yet or `cursor` is ahead.
    async fn rewind(&self, cursor: Cursor) -> Result<Vec<ContractId>, StoreError>;

    /// Every contract that has an entry 0, ascending.
    async fn contracts(&self) -> Result<Vec<ContractId>, StoreError>;

    /// One entry.
    async fn entry(
        &self,
        contract: ContractId,
        seq: u64,
    ) -> Result<Option<EntryRecord>, StoreError>;

    /// At most `limit` entries from `from` on, in order.
    async fn entries(
        &self,
        contract: ContractId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<EntryRecord>, StoreError>;

    /// The last entry of a contract's log.
    async fn last_entry(&self, contract: ContractId) -> Result<Option<EntryRecord>, StoreError>;

    /// Keeps the proof of an entry's slot, as fetched at inclusion.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownEntry`] if the entry is not in the store.
    async fn put_proof(
        &self,
        contract: ContractId,
        seq: u64,
        proof: SlotProof,
    ) -> Result<(), StoreError>;

    /// The proof of an entry's slot.
    async fn proof(&self, contract: ContractId, seq: u64) -> Result<Option<SlotProof>, StoreError>;

    /// How the chain has an entry's result.
    async fn fulfillment(
        &self,
        contract: ContractId,
        seq: u64,
    ) -> Result<Option<FulfillmentRecord>, StoreError>;

    /// The head that the chain had at the cursor, as the fulfillments say; `None` if there are
    /// none. Meaningless for stateless contracts.
    async fn chain_head(&self, contract: ContractId) -> Result<Option<Head>, StoreError>;
}
