// SPDX-License-Identifier: Apache-2.0
//! One contract's snapshots: when they are taken, how they are stored, and what they make superfluous.

use std::sync::Arc;

use subrosa_store::StoreError;
use subrosa_types::{
    ContractId,
    frame::{BlobKind, StateBlob},
};
use tokio::task::JoinHandle;
use tracing::{debug, warn};

use super::{needs::Needs, plan::SinceSnapshot};
use crate::{
    enclave::{EnclaveError, Link},
    serving::Serving,
    step::Fault,
};

/// The snapshots of one contract.
pub(super) struct Snapshots {
    needs: Arc<Needs>,
    contract: ContractId,
    /// `None` until first computed.
    since: Option<SinceSnapshot>,
    /// One that is being taken while execution goes on.
    under_way: Option<JoinHandle<Result<Option<SinceSnapshot>, Fault>>>,
    /// Number of rewinds that the above knows of.
    rewinds: u64,
}

/// What counts of a blob that was stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    kind: BlobKind,
    epoch: u32,
    bytes: usize,
}

impl Kept {
    pub(super) fn of(blob: &StateBlob) -> Self {
        Self {
            kind: blob.kind,
            epoch: blob.epoch,
            bytes: blob.sealed.len(),
        }
    }
}

impl Snapshots {
    pub(super) fn new(needs: Arc<Needs>, contract: ContractId) -> Self {
        Self {
            needs,
            contract,
            since: None,
            under_way: None,
            rewinds: 0,
        }
    }

    /// After a rewind, nothing that was counted may be there any more.
    pub(super) fn rewound(&mut self, rewinds: u64) {
        if self.rewinds != rewinds {
            self.rewinds = rewinds;
            self.since = None;
            if let Some(under_way) = self.under_way.take() {
                under_way.abort();
            }
        }
    }

    /// Whether results wait for a snapshot that is not there.
    pub(super) async fn are_awaited(&mut self) -> Result<bool, StoreError> {
        if self.since.is_none() {
            self.since = Some(self.stored_since().await?);
        }
        Ok(self.since.is_some_and(|since| since.is_awaited()))
    }

    /// Counts blobs that were stored, and takes a snapshot if one is due: beside execution, unless
    /// results wait for it.
    pub(super) async fn count(
        &mut self,
        serving: &Serving,
        blobs: Vec<Kept>,
        stateless: bool,
    ) -> Result<(), Fault> {
        let mut since = match (self.since, blobs.first()) {
            (Some(since), _) => since,
            // Nothing before a snapshot counts.
            (None, Some(first)) if first.kind == BlobKind::Snapshot => SinceSnapshot::default(),
            // What was stored counts already.
            (None, _) => {
                self.since = Some(self.stored_since().await?);
                return self.take_if_due(serving, stateless).await;
            }
        };
        for blob in blobs {
            match blob.kind {
                BlobKind::Snapshot => since = SinceSnapshot::restart(blob.epoch, blob.bytes),
                BlobKind::Delta => since.add_delta(blob.epoch, blob.bytes),
            }
        }
        self.since = Some(since);
        self.take_if_due(serving, stateless).await
    }

    /// Takes a snapshot if one is due. The state of a stateless contract never changes, so that of it
    /// none is but what results wait for.
    pub(super) async fn take_if_due(
        &mut self,
        serving: &Serving,
        stateless: bool,
    ) -> Result<(), Fault> {
        let Some(since) = self.since else {
            return Ok(());
        };
        let taking = Taking {
            needs: Arc::clone(&self.needs),
            link: serving.link.clone(),
            contract: self.contract,
            stateless,
        };
        if since.is_awaited() {
            if let Some(under_way) = self.under_way.take() {
                under_way.abort();
            }
            // Whoever executes has made sure that no rewind is under way.
            self.since = taking.run(&Held::ByExecution).await?;
            return Ok(());
        }
        if let Some(under_way) = self.under_way.take_if(|under_way| under_way.is_finished()) {
            match under_way.await {
                Ok(Ok(since)) => self.since = since,
                Ok(Err(Fault::Store(error))) => return Err(error.into()),
                // It is taken again.
                Ok(Err(_)) | Err(_) => {}
            }
        }
        let due = self.since.is_some_and(|since| since.is_due());
        if self.under_way.is_none() && due && !stateless {
            let taken = async move { taking.run(&Held::ForEachPart).await };
            self.under_way = Some(tokio::spawn(taken));
        }
        Ok(())
    }

    /// What has piled up since the newest snapshot that is stored.
    async fn stored_since(&self) -> Result<SinceSnapshot, StoreError> {
        let store = self.needs.store.as_ref();
        let Some(last) = store.last_result(self.contract).await? else {
            return Ok(SinceSnapshot::default());
        };
        // Nobody closes it.
        let _looking = self.needs.looking.acquire().await.ok();
        let mut since = SinceSnapshot::default();
        let mut taken = 0;
        loop {
            let page = store
                .blobs_for_load(self.contract, last.seq, taken, PAGE_BYTES)
                .await;
            let page = match page {
                // Whoever needs the contract has it loaded, and is told.
                Err(error) if error.is_local() => return Ok(SinceSnapshot::default()),
                page => page?,
            };
            if page.is_empty() {
                return Ok(since);
            }
            taken += page.len();
            for blob in page {
                let bytes = blob.sealed.len();
                match blob.kind {
                    BlobKind::Snapshot if blob.part == 0 => {
                        since = SinceSnapshot::restart(blob.epoch, bytes);
                    }
                    BlobKind::Snapshot => since.add_part(bytes),
                    BlobKind::Delta => since.add_delta(blob.epoch, bytes),
                }
            }
        }
    }
}

impl Drop for Snapshots {
    fn drop(&mut self) {
        if let Some(under_way) = &self.under_way {
            under_way.abort();
        }
    }
}

/// A snapshot that is being taken and stored.
struct Taking {
    needs: Arc<Needs>,
    link: Link,
    contract: ContractId,
    stateless: bool,
}

/// Who keeps entries from being rewound while what belongs to them is stored.
enum Held {
    ByExecution,
    ForEachPart,
}

impl Taking {
    /// What has piled up since, which is nothing; `None` if what it was of is not there any more.
    async fn run(&self, entries: &Held) -> Result<Option<SinceSnapshot>, Fault> {
        let outcome = self.take(entries).await;
        if let Err(error) = &outcome {
            warn!(contract = %self.contract, ?error, "no snapshot");
        }
        outcome
    }

    async fn take(&self, entries: &Held) -> Result<Option<SinceSnapshot>, Fault> {
        let (mut part, mut bytes) = (0, 0);
        let mut of = None;
        loop {
            let blob = self.link.snapshot(self.contract, part).await?;
            let (seq, parts, epoch) = (blob.seq, blob.parts, blob.epoch);
            let same = (seq, parts, epoch, blob.digest);
            if *of.get_or_insert(same) != same {
                // Another one was begun meanwhile.
                return Err(EnclaveError::OutOfStep { asked: "snapshot" }.into());
            }
            bytes += blob.sealed.len();
            {
                // What is stored here belongs to entries that are in the store.
                let _entries = match entries {
                    Held::ByExecution => None,
                    Held::ForEachPart => Some(self.needs.rewinds.read().await),
                };
                let result = self.needs.store.result(self.contract, seq).await?;
                if result.is_none_or(|result| result.digest != blob.digest) {
                    debug!(contract = %self.contract, seq, "a snapshot of what was replaced");
                    return Ok(None);
                }
                self.needs.store.put_blob(self.contract, blob).await?;
            }
            part += 1;
            if part >= parts {
                self.needs.metrics.snapshots.increment(1);
                debug!(contract = %self.contract, seq, bytes, parts, "snapshot stored");
                self.prune().await?;
                return Ok(Some(SinceSnapshot::restart(epoch, bytes)));
            }
        }
    }

    /// Drops blobs from before a snapshot that no reorganization reaches any more, and whose results
    /// the chain has.
    async fn prune(&self) -> Result<(), Fault> {
        if self.stateless {
            // Its deltas are results that may still have to be signed, in any order.
            return Ok(());
        }
        let store = self.needs.store.as_ref();
        let head = store.chain_head(self.contract).await?.unwrap_or_default();
        let cursor = store.cursor().await?.map_or(0, |cursor| cursor.number);
        let settled = cursor.saturating_sub(REORGANIZATION_BLOCKS);
        // Entries are in the order of their blocks.
        let (mut low, mut high) = (0, head.seq);
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = store.entry(self.contract, middle).await?;
            if entry.is_some_and(|entry| entry.block_number <= settled) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if let Some(last) = low.checked_sub(1) {
            let count = store.prune_blobs(self.contract, last).await?;
            if count > 0 {
                debug!(contract = %self.contract, count, "pruned blobs");
            }
        }
        Ok(())
    }
}

/// Bytes of blobs read at a time.
const PAGE_BYTES: usize = 8 << 20;

/// Blocks behind the newest that no reorganization is expected to reach. An Ethereum block is final
/// after 64 to 96.
const REORGANIZATION_BLOCKS: u64 = 1_024;
