// SPDX-License-Identifier: Apache-2.0
//! One contract's task: entries in, stored results out.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{B256, Bytes, keccak256};
use subrosa_store::{EntryRecord, ResultRecord, StoreError};
use subrosa_types::{
    ContractId,
    frame::{ErrorCode, ExecutedEntry, FrameError, LoggedEntry, StateBlob, StorageProof},
    result::Head,
    slot,
};
use tokio::sync::Notify;
use tracing::{debug, info, warn};

use super::{
    DeploymentOutcome,
    plan::{MAX_BATCH, SinceSnapshot, batch_size},
};
use crate::{
    backoff::Backoff,
    enclave::EnclaveError,
    failpoint::failpoint,
    host::Host,
    ledger::LedgerError,
    serving::{LoadError, Serving},
    shutdown::Shutdown,
};

/// Works for one contract until shutdown.
///
/// # Errors
///
/// Only if the store fails.
pub(super) async fn run(
    host: Arc<Host>,
    contract: ContractId,
    woken: Arc<Notify>,
    mut shutdown: Shutdown,
) -> Result<(), StoreError> {
    let mut serving = host.serving();
    let mut task = Task {
        host,
        contract,
        since: None,
        unkept: None,
        tried: None,
        refused: None,
        backoff: Backoff::new(Duration::from_millis(20), Duration::from_secs(30)),
    };
    while !shutdown.is_requested() {
        let now = serving.borrow_and_update().clone();
        let next = match now {
            Some(serving) => task.step(&serving).await?,
            None => Next::Wait,
        };
        let delay = match next {
            Next::Continue => {
                task.backoff.reset();
                continue;
            }
            Next::Wait => None,
            Next::Retry => Some(task.backoff.step()),
        };
        tokio::select! {
            () = shutdown.requested() => {}
            () = woken.notified() => {}
            changed = serving.changed() => if changed.is_err() { break },
            () = tokio::time::sleep(delay.unwrap_or_default()), if delay.is_some() => {}
        }
    }
    Ok(())
}

/// What to do after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// There may be more to do.
    Continue,
    /// Nothing can be done until something changes.
    Wait,
    /// Something failed that may pass by itself.
    Retry,
}

struct Task {
    host: Arc<Host>,
    contract: ContractId,
    /// `None` until first computed.
    since: Option<SinceSnapshot>,
    /// A snapshot that is not stored yet, see [`Task::keep_snapshot`].
    unkept: Option<StateBlob>,
    /// keccak256 of the deployment envelope that was tried last.
    tried: Option<B256>,
    /// keccak256 of the deployment envelope that the enclave refused last.
    refused: Option<B256>,
    backoff: Backoff,
}

/// Why a step came to nothing.
enum Fault {
    Store(StoreError),
    Enclave(EnclaveError),
    Ledger(LedgerError),
    /// There are results, but no blobs to continue from.
    NoBlobs,
}

impl Task {
    async fn step(&mut self, serving: &Serving) -> Result<Next, StoreError> {
        let started = Instant::now();
        let host = Arc::clone(&self.host);
        // Entries that are read here stay in the store until their results are.
        let _entries = host.rewinds.read().await;
        let outcome = match self.execute(serving, started).await {
            Ok(next) => match self.keep_snapshot().await {
                Ok(()) => return Ok(next),
                Err(error) => Err(Fault::Store(error)),
            },
            Err(fault) => Err(fault),
        };
        match outcome {
            Err(Fault::Store(error)) => Err(error),
            Err(Fault::Enclave(EnclaveError::Refused(refusal))) => {
                self.refusal(serving, refusal).await
            }
            Err(Fault::Enclave(EnclaveError::Disconnected)) => Ok(Next::Wait),
            Err(Fault::Enclave(error)) => Ok(self.retry(&error)),
            Err(Fault::Ledger(error)) => Ok(self.retry(&error)),
            Err(Fault::NoBlobs) => {
                warn!(contract = %self.contract, "results without state blobs");
                Ok(Next::Retry)
            }
            Ok(next) => Ok(next),
        }
    }

    /// Executes what comes next and stores it.
    async fn execute(&mut self, serving: &Serving, started: Instant) -> Result<Next, Fault> {
        let store = Arc::clone(&self.host.store);
        let last = store.last_result(self.contract)?;
        let next = last.as_ref().map_or(0, |last| last.seq + 1);
        let mut entries = store.entries(self.contract, next, MAX_BATCH)?;
        // A gap is an entry that the follower could not read.
        let Some(first) = entries
            .first()
            .filter(|first| first.logged.entry.seq() == next)
        else {
            return Ok(Next::Wait);
        };
        let stateless = next > 0 && first.logged.entry.previousDigest.is_zero();
        let deployment = if next == 0 {
            // Alone, so that what is refused with it is its envelope.
            entries.truncate(1);
            match store.deployment(self.contract)? {
                Some(envelope) if self.refused != Some(keccak256(&envelope)) => {
                    self.tried = Some(keccak256(&envelope));
                    Some(envelope)
                }
                _ => return Ok(Next::Wait),
            }
        } else {
            None
        };
        if !stateless {
            let head = store.chain_head(self.contract)?.unwrap_or_default();
            entries.truncate(batch_size(entries.len(), next.saturating_sub(head.seq)));
            if entries.is_empty() {
                return Ok(Next::Wait);
            }
        }
        if let Some(last) = &last {
            self.stand_after(serving, last, stateless).await?;
        }
        let frames = if stateless { 1 } else { entries.len() };
        let mut results = Vec::with_capacity(entries.len());
        let mut refused = None;
        for entries in entries.chunks(frames) {
            match self
                .execute_frame(serving, entries, deployment.clone())
                .await
            {
                Ok(executed) => {
                    results.extend(executed.results);
                    refused = executed.refused;
                }
                Err(Fault::Enclave(EnclaveError::Refused(refusal))) if !results.is_empty() => {
                    refused = Some(refusal);
                }
                Err(fault) if results.is_empty() => return Err(fault),
                // What was executed before is kept; the fault shows again at once.
                Err(_) => break,
            }
            if refused.is_some() {
                break;
            }
        }
        self.keep(serving, results, stateless).await?;
        self.host
            .metrics
            .execute
            .batch_seconds
            .record(started.elapsed());
        match refused {
            Some(refusal) => Err(Fault::Enclave(EnclaveError::Refused(refusal))),
            None => Ok(Next::Continue),
        }
    }

    /// Makes sure that the enclave stands after the last stored result, which is where the next
    /// entry continues. It may be elsewhere: behind if it was restarted, ahead if a host was
    /// killed before it stored what was executed.
    async fn stand_after(
        &mut self,
        serving: &Serving,
        last: &ResultRecord,
        stateless: bool,
    ) -> Result<(), Fault> {
        let stands = serving.position(self.contract).is_some_and(|loaded| {
            stateless || (loaded.head.seq == last.seq + 1 && loaded.digest == last.digest)
        });
        if stands {
            return Ok(());
        }
        let store = self.host.store.as_ref();
        match serving.load(store, self.contract, last.seq).await? {
            Some(_) => Ok(()),
            None => Err(Fault::NoBlobs),
        }
    }

    async fn execute_frame(
        &self,
        serving: &Serving,
        entries: &[EntryRecord],
        deployment: Option<Bytes>,
    ) -> Result<subrosa_types::frame::Executed, Fault> {
        let Some(last) = entries.last() else {
            return Err(Fault::NoBlobs);
        };
        let proof = self.proof(last.logged.entry.seq(), false).await?;
        let logged: Vec<LoggedEntry> = entries.iter().map(|entry| entry.logged.clone()).collect();
        let executed = serving
            .link
            .execute(self.contract, logged, deployment, proof)
            .await?;
        failpoint!("after_execute_before_persist");
        Ok(executed)
    }

    /// Stores results and offers them to the relay, in this order.
    async fn keep(
        &mut self,
        serving: &Serving,
        results: Vec<ExecutedEntry>,
        stateless: bool,
    ) -> Result<(), Fault> {
        let Some(last) = results.last() else {
            return Ok(());
        };
        let head = Head {
            seq: last.seq + 1,
            commitment: last.commitment,
        };
        let (digest, is_deployment) = (last.blob.digest, last.seq == 0);
        let count = results.len() as u64;
        let sizes: Vec<usize> = results
            .iter()
            .map(|result| result.blob.sealed.len())
            .collect();
        let contract = self.contract;
        self.host
            .durably(move |store| store.commit_execution(contract, &results))
            .await?;
        failpoint!("after_persist_before_sign");
        self.host.offer(contract);
        self.host.metrics.execute.executed.increment(count);
        debug!(%contract, seq = head.seq, count, "executed");
        if is_deployment {
            self.since = Some(SinceSnapshot::restart(sizes.iter().sum()));
            self.announce(None);
            info!(%contract, "deployed");
        }
        if stateless {
            return Ok(());
        }
        serving.moved(contract, head, digest);
        if !is_deployment {
            let since = match self.since {
                Some(mut since) => {
                    sizes.iter().for_each(|size| since.add_delta(*size));
                    since
                }
                None => self.stored_since()?,
            };
            self.since = Some(since);
            if since.is_due() {
                self.take_snapshot(serving).await?;
            }
        }
        Ok(())
    }

    /// What has piled up since the newest snapshot that is stored.
    fn stored_since(&self) -> Result<SinceSnapshot, StoreError> {
        let Some(last) = self.host.store.last_result(self.contract)? else {
            return Ok(SinceSnapshot::default());
        };
        let blobs = self.host.store.blobs_for_load(self.contract, last.seq)?;
        let mut sizes = blobs.iter().map(|blob| blob.sealed.len());
        let mut since = SinceSnapshot::restart(sizes.next().unwrap_or_default());
        sizes.for_each(|size| since.add_delta(size));
        Ok(since)
    }

    async fn take_snapshot(&mut self, serving: &Serving) -> Result<(), Fault> {
        let blob = serving.link.snapshot(self.contract).await?;
        self.since = Some(SinceSnapshot::restart(blob.sealed.len()));
        self.unkept = Some(blob);
        Ok(())
    }

    /// Stores a snapshot once the chain's head has passed it: a contract that is loaded from it
    /// can then still sign every result that the chain awaits. Lost before, it is taken again.
    async fn keep_snapshot(&mut self) -> Result<(), StoreError> {
        let (contract, store) = (self.contract, Arc::clone(&self.host.store));
        let head = store.chain_head(contract)?.unwrap_or_default();
        let Some(blob) = self.unkept.take_if(|blob| head.seq > blob.seq) else {
            return Ok(());
        };
        // A rewind may have replaced the entry it was taken after.
        let current = store.result(contract, blob.seq)?;
        if current.is_some_and(|result| result.digest == blob.digest) {
            let (seq, bytes) = (blob.seq, blob.sealed.len());
            self.host
                .durably(move |store| store.put_blob(contract, &blob))
                .await?;
            self.host.metrics.execute.snapshots.increment(1);
            debug!(%contract, seq, bytes, "snapshot stored");
        } else {
            self.since = None;
        }
        Ok(())
    }

    /// The proof of an entry's slot: as kept at inclusion, or at the tip now.
    async fn proof(&self, seq: u64, afresh: bool) -> Result<StorageProof, Fault> {
        if !afresh && let Some(proof) = self.host.store.proof(self.contract, seq)? {
            return Ok(proof);
        }
        let tip = self.host.ledger.tip().await?;
        let slot = slot::entry(self.contract, seq);
        let proof = self
            .host
            .ledger
            .proof(self.host.enclave_config.oracle, slot, tip)
            .await?;
        self.host.store.put_proof(self.contract, seq, &proof)?;
        self.host.saw_header(tip.number, &proof.header);
        Ok(proof)
    }

    /// Acts on a refusal, by who must act.
    async fn refusal(
        &mut self,
        serving: &Serving,
        refusal: FrameError,
    ) -> Result<Next, StoreError> {
        match refusal.code {
            ErrorCode::Deployment => {
                self.announce(Some(refusal.message));
                return Ok(Next::Wait);
            }
            ErrorCode::Proof => {
                if let Some(next) = self.refetch_proof().await? {
                    return Ok(next);
                }
            }
            ErrorCode::Sequence | ErrorCode::UnknownContract => serving.forget(self.contract),
            _ => {}
        }
        Ok(self.retry(&refusal))
    }

    /// Replaces the proof of the entries that come next by one at the tip.
    async fn refetch_proof(&mut self) -> Result<Option<Next>, StoreError> {
        let last = self.host.store.last_result(self.contract)?;
        let next = last.map_or(0, |last| last.seq + 1);
        let entries = self.host.store.entries(self.contract, next, MAX_BATCH)?;
        // Each of them could be the last of a frame; the failed one is refetched, the others when
        // they fail in turn.
        for entry in &entries {
            let seq = entry.logged.entry.seq();
            if self.host.store.proof(self.contract, seq)?.is_none() {
                continue;
            }
            match self.proof(seq, true).await {
                Ok(_) => {}
                Err(Fault::Store(error)) => return Err(error),
                Err(Fault::Ledger(error)) => return Ok(Some(self.retry(&error))),
                Err(_) => return Ok(Some(Next::Retry)),
            }
        }
        Ok(None)
    }

    /// Tells whoever waits for the deployment what became of it.
    fn announce(&mut self, refused: Option<String>) {
        let Some(envelope) = self.tried else {
            return;
        };
        if let Some(reason) = &refused {
            warn!(contract = %self.contract, reason, "deployment refused");
            self.refused = Some(envelope);
        }
        self.host.executors.deployed(DeploymentOutcome {
            contract: self.contract,
            envelope,
            refused,
        });
    }

    fn retry(&self, error: &(dyn std::error::Error + 'static)) -> Next {
        self.host.metrics.execute.retries.increment(1);
        warn!(contract = %self.contract, error, "no result, trying again");
        Next::Retry
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<EnclaveError> for Fault {
    fn from(error: EnclaveError) -> Self {
        Self::Enclave(error)
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<LoadError> for Fault {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => Self::Store(error),
            LoadError::Enclave(error) => Self::Enclave(error),
        }
    }
}
