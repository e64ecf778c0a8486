// SPDX-License-Identifier: Apache-2.0
//! One contract's snapshots: when they are taken, and when they are stored.

use std::sync::Arc;

use subrosa_store::StoreError;
use subrosa_types::{
    ContractId,
    frame::{BlobKind, StateBlob},
};
use tracing::debug;

use super::{needs::Needs, plan::SinceSnapshot};
use crate::{serving::Serving, step::Fault};

/// The snapshots of one contract.
pub(super) struct Snapshots {
    needs: Arc<Needs>,
    contract: ContractId,
    /// `None` until first computed.
    since: Option<SinceSnapshot>,
    /// A snapshot that is not stored yet, see [`Self::keep`].
    unkept: Option<StateBlob>,
}

impl Snapshots {
    pub(super) fn new(needs: Arc<Needs>, contract: ContractId) -> Self {
        Self {
            needs,
            contract,
            since: None,
            unkept: None,
        }
    }

    /// Counts blobs that were stored, and takes a snapshot if one is due.
    pub(super) async fn count(
        &mut self,
        serving: &Serving,
        sizes: Vec<(BlobKind, usize)>,
    ) -> Result<(), Fault> {
        let since = match (self.since, sizes.first()) {
            (Some(since), _) => Some(since),
            // Nothing before a snapshot counts.
            (None, Some((BlobKind::Snapshot, _))) => Some(SinceSnapshot::default()),
            (None, _) => None,
        };
        let since = match since {
            Some(mut since) => {
                for (kind, bytes) in sizes {
                    match kind {
                        BlobKind::Snapshot => since = SinceSnapshot::restart(bytes),
                        BlobKind::Delta => since.add_delta(bytes),
                    }
                }
                since
            }
            None => self.stored_since().await?,
        };
        self.since = Some(since);
        if since.is_due() {
            self.take(serving).await?;
        }
        Ok(())
    }

    /// What has piled up since the newest snapshot that is stored.
    async fn stored_since(&self) -> Result<SinceSnapshot, StoreError> {
        let Some(last) = self.needs.store.last_result(self.contract).await? else {
            return Ok(SinceSnapshot::default());
        };
        let blobs = self
            .needs
            .store
            .blobs_for_load(self.contract, last.seq)
            .await?;
        let mut sizes = blobs.iter().map(|blob| blob.sealed.len());
        let mut since = SinceSnapshot::restart(sizes.next().unwrap_or_default());
        sizes.for_each(|size| since.add_delta(size));
        Ok(since)
    }

    async fn take(&mut self, serving: &Serving) -> Result<(), Fault> {
        let blob = serving.link.snapshot(self.contract).await?;
        self.since = Some(SinceSnapshot::restart(blob.sealed.len()));
        self.unkept = Some(blob);
        Ok(())
    }

    /// Stores a snapshot once the chain's head has passed it: a contract that is loaded from it
    /// can then still sign every result that the chain awaits. Lost before, it is taken again.
    pub(super) async fn keep(&mut self) -> Result<(), StoreError> {
        let (contract, store) = (self.contract, Arc::clone(&self.needs.store));
        let head = store.chain_head(contract).await?.unwrap_or_default();
        let Some(blob) = self.unkept.take_if(|blob| head.seq > blob.seq) else {
            return Ok(());
        };
        // A rewind may have replaced the entry it was taken after.
        let current = store.result(contract, blob.seq).await?;
        if current.is_some_and(|result| result.digest == blob.digest) {
            let (seq, bytes) = (blob.seq, blob.sealed.len());
            self.needs.store.put_blob(contract, blob).await?;
            self.needs.metrics.snapshots.increment(1);
            debug!(%contract, seq, bytes, "snapshot stored");
        } else {
            self.since = None;
        }
        Ok(())
    }
}
