// SPDX-License-Identifier: Apache-2.0
//! What is encrypted to enclaves and what they sealed: code envelopes, state, results, epochs.

use alloy_primitives::{B256, Bytes};
use async_trait::async_trait;
use subrosa_types::{
    ContractId,
    frame::{ExecutedEntry, StateBlob},
};

use crate::{ResultRecord, StoreError};

/// Code envelopes, results and the sealed blobs that came with them. What holds for every method
/// is said at [`Storage`](crate::Storage).
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Keeps a code envelope; a later one for the same code takes its place. Durable.
    async fn put_code_envelope(
        &self,
        contract: ContractId,
        code: CodeOf,
        envelope: Bytes,
    ) -> Result<(), StoreError>;

    /// A code envelope.
    async fn code_envelope(
        &self,
        contract: ContractId,
        code: CodeOf,
    ) -> Result<Option<Bytes>, StoreError>;

    /// Keeps results and the blobs that came with them. Durable: only after it returns may a
    /// result be submitted.
    ///
    /// # Errors
    ///
    /// [`StoreError::Inconsistent`] unless the entries are consecutive and each blob is of its
    /// entry; [`StoreError::UnknownEntry`] if a blob's digest is not that of the entry in the
    /// store, which a reorganisation may have replaced.
    async fn commit_execution(
        &self,
        contract: ContractId,
        executed: Vec<ExecutedEntry>,
    ) -> Result<(), StoreError>;

    /// Keeps a further blob, usually a part of a snapshot: parts are put in their order, and none of
    /// them counts before the last one is there. Durable.
    async fn put_blob(&self, contract: ContractId, blob: StateBlob) -> Result<(), StoreError>;

    /// One result.
    async fn result(
        &self,
        contract: ContractId,
        seq: u64,
    ) -> Result<Option<ResultRecord>, StoreError>;

    /// At most `limit` results from `from` on, in order.
    async fn results(
        &self,
        contract: ContractId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<ResultRecord>, StoreError>;

    /// The result of the last entry that has one.
    async fn last_result(&self, contract: ContractId) -> Result<Option<ResultRecord>, StoreError>;

    /// What an enclave needs to be in the state after entry `up_to`, or after the last entry that
    /// has a blob if that is earlier: the parts of the newest snapshot that is complete, then the deltas
    /// after it. Of these, without the first `skip`, as many as `bytes` sealed bytes hold, but at least
    /// one; empty if there are no more, or no snapshot.
    ///
    /// # Errors
    ///
    /// [`StoreError::MissingDelta`] if they are not consecutive.
    async fn blobs_for_load(
        &self,
        contract: ContractId,
        up_to: u64,
        skip: usize,
        bytes: usize,
    ) -> Result<Vec<StateBlob>, StoreError>;

    /// Drops the blobs that [`Self::blobs_for_load`] needs for no state from `from` on. Returns
    /// how many.
    async fn prune_blobs(&self, contract: ContractId, from: u64) -> Result<usize, StoreError>;

    /// Keeps a sealed epoch secret. Durable.
    async fn put_epoch(&self, group: u32, epoch: u32, sealed: Bytes) -> Result<(), StoreError>;

    /// All sealed epoch secrets (group, epoch, bytes), ascending.
    async fn epochs(&self) -> Result<Vec<(u32, u32, Bytes)>, StoreError>;
}

/// The code of a contract that a code envelope carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeOf {
    /// That of entry 0.
    Deploy,
    /// The code that this commitment commits to, of an upgrade that may not be on the log yet. Of
    /// each contract the [`MAX_UPGRADE_ENVELOPES`] that were handed in last are kept.
    Upgrade(B256),
}

/// Most code envelopes for upgrades of one contract. Whoever hands them in has checked that the
/// owner announced the code.
pub const MAX_UPGRADE_ENVELOPES: usize = 16;
