// SPDX-License-Identifier: Apache-2.0
//! The storage's interface over an [`Engine`], wherever its calls run.

use alloy_primitives::{Address, Bytes};
use async_trait::async_trait;
use subrosa_types::{
    ContractId,
    frame::{ExecutedEntry, SlotProof, StateBlob},
    result::Head,
};

use crate::{
    AdmissionRecord, BlobStore, Block, CodeOf, Cursor, EntryRecord, FulfillmentRecord, Intent,
    IntentStore, LogStore, ResultRecord, StoreError, engine::Engine,
};

/// An engine, and where its calls run.
pub(crate) trait Calls: Send + Sync {
    /// Does `work` with the engine.
    ///
    /// # Errors
    ///
    /// What `work` fails with, and [`StoreError::Engine`] if it cannot be done at all.
    fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;
}

#[async_trait]
impl<C: Calls> LogStore for C {
    async fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        self.call(Engine::cursor).await
    }

    async fn apply_block(&self, block: Block) -> Result<(), StoreError> {
        self.call(move |engine| engine.apply_block(&block)).await
    }

    async fn rewind(&self, cursor: Cursor) -> Result<Vec<ContractId>, StoreError> {
        self.call(move |engine| engine.rewind(cursor)).await
    }

    async fn contracts(&self) -> Result<Vec<ContractId>, StoreError> {
        self.call(Engine::contracts).await
    }

    async fn entry(
        &self,
        contract: ContractId,
        seq: u64,
    ) -> Result<Option<EntryRecord>, StoreError> {
        self.call(move |engine| engine.entry(contract, seq)).await
    }

    async fn entries(
        &self,
        contract: ContractId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<EntryRecord>, StoreError> {
        self.call(move |engine| engine.entries(contract, from, limit))
            .await
    }

    async fn last_entry(&self, contract: ContractId) -> Result<Option<EntryRecord>, StoreError> {
        self.call(move |engine| engine.last_entry(contract)).await
    }

    async fn put_proof(
        &self,
        contract: ContractId,
        seq: u64,
        proof: SlotProof,
    ) -> Result<(), StoreError> {
        self.call(move |engine| engine.put_proof(contract, seq, &proof))
            .await
    }

    async fn proof(&self, contract: ContractId, seq: u64) -> Result<Option<SlotProof>, StoreError> {
        self.call(move |engine| engine.proof(contract, seq)).await
    }

    async fn fulfillment(
        &self,
        contract: ContractId,
        seq: u64,
    ) -> Result<Option<FulfillmentRecord>, StoreError> {
        self.call(move |engine| engine.fulfillment(contract, seq))
            .await
    }

    async fn chain_head(&self, contract: ContractId) -> Result<Option<Head>, StoreError> {
        self.call(move |engine| engine.chain_head(contract)).await
    }
}

#[async_trait]
impl<C: Calls> BlobStore for C {
    async fn put_code_envelope(
        &self,
        contract: ContractId,
        code: CodeOf,
        envelope: Bytes,
    ) -> Result<(), StoreError> {
        self.call(move |engine| engine.put_code_envelope(contract, code, envelope))
            .await
    }

    async fn code_envelope(
        &self,
        contract: ContractId,
        code: CodeOf,
    ) -> Result<Option<Bytes>, StoreError> {
        self.call(move |engine| engine.code_envelope(contract, code))
            .await
    }

    async fn commit_execution(
        &self,
        contract: ContractId,
        executed: Vec<ExecutedEntry>,
    ) -> Result<(), StoreError> {
        self.call(move |engine| engine.commit_execution(contract, &executed))
            .await
    }

    async fn put_blob(&self, contract: ContractId, blob: StateBlob) -> Result<(), StoreError> {
        self.call(move |engine| engine.put_blob(contract, &blob))
            .await
    }

    async fn result(
        &self,
        contract: ContractId,
        seq: u64,
    ) -> Result<Option<ResultRecord>, StoreError> {
        self.call(move |engine| engine.result(contract, seq)).await
    }

    async fn results(
        &self,
        contract: ContractId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<ResultRecord>, StoreError> {
        self.call(move |engine| engine.results(contract, from, limit))
            .await
    }

    async fn last_result(&self, contract: ContractId) -> Result<Option<ResultRecord>, StoreError> {
        self.call(move |engine| engine.last_result(contract)).await
    }

    async fn blobs_for_load(
        &self,
        contract: ContractId,
        up_to: u64,
        skip: usize,
        bytes: usize,
    ) -> Result<Vec<StateBlob>, StoreError> {
        self.call(move |engine| engine.blobs_for_load(contract, up_to, skip, bytes))
            .await
    }

    async fn prune_blobs(&self, contract: ContractId, from: u64) -> Result<usize, StoreError> {
        self.call(move |engine| engine.prune_blobs(contract, from))
            .await
    }

    async fn put_epoch(&self, group: u32, epoch: u32, sealed: Bytes) -> Result<(), StoreError> {
        self.call(move |engine| engine.put_epoch(group, epoch, &sealed))
            .await
    }

    async fn epochs(&self) -> Result<Vec<(u32, u32, Bytes)>, StoreError> {
        self.call(Engine::epochs).await
    }
}

#[async_trait]
impl<C: Calls> IntentStore for C {
    async fn put_intent(
        &self,
        sender: Address,
        nonce: u64,
        intent: Intent,
    ) -> Result<(), StoreError> {
        self.call(move |engine| engine.put_intent(sender, nonce, &intent))
            .await
    }

    async fn intents(&self, sender: Address) -> Result<Vec<(u64, Intent)>, StoreError> {
        self.call(move |engine| engine.intents(sender)).await
    }

    async fn settle_intents(&self, sender: Address, nonce: u64) -> Result<usize, StoreError> {
        self.call(move |engine| engine.settle_intents(sender, nonce))
            .await
    }

    async fn put_admission(
        &self,
        signer: Address,
        admission: AdmissionRecord,
    ) -> Result<(), StoreError> {
        self.call(move |engine| engine.put_admission(signer, &admission))
            .await
    }

    async fn admission(&self, signer: Address) -> Result<Option<AdmissionRecord>, StoreError> {
        self.call(move |engine| engine.admission(signer)).await
    }
}
