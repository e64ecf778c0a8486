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
    entry::EntryKind,
    frame::{
        BlobKind, ErrorCode, ExecutedEntry, FrameError, LoggedEntry, Reassignment, StateBlob,
        StorageProof,
    },
    result::Head,
    slot,
};
use tokio::sync::Notify;
use tracing::{debug, info, warn};

use super::{
    CodeOutcome,
    plan::{MAX_BATCH, SinceSnapshot, batch_size},
    reassign::{self, Reassigning},
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
        reassigning: None,
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
            Next::Again => continue,
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
    /// The same in another way, at once.
    Again,
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
    /// The entry and the envelope with its code that were tried last.
    tried: Option<Tried>,
    /// What the enclave refused last for its envelope.
    refused: Option<Tried>,
    /// What is shown with entries of a generation that the enclave does not have.
    reassigning: Option<Reassigning>,
    backoff: Backoff,
}

/// An entry that brings code, and keccak256 of the envelope that the code is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tried {
    seq: u64,
    envelope: B256,
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
        let stateless = first.logged.entry.is_stateless();
        let code = match entries.iter().position(brings_code) {
            Some(0) => {
                // Alone, so that what is refused with it is its envelope.
                entries.truncate(1);
                match self.code(next, &entries)? {
                    Some(envelope) => Some(envelope),
                    None => return Ok(Next::Wait),
                }
            }
            Some(others) => {
                entries.truncate(others);
                None
            }
            None => None,
        };
        if let Some(reassigning) = self.reassigning {
            let alike = entries
                .iter()
                .take_while(|entry| reassign::generation(entry) == Some(reassigning.generation));
            match alike.count() {
                0 => self.reassigning = None,
                alike => entries.truncate(alike),
            }
        }
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
            match self.execute_frame(serving, entries, code.clone()).await {
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
        code: Option<Bytes>,
    ) -> Result<subrosa_types::frame::Executed, Fault> {
        let Some(last) = entries.last() else {
            return Err(Fault::NoBlobs);
        };
        let reassignment = self.reassignment(last).await?;
        let proof = self.proof(last.logged.entry.seq(), false).await?;
        let logged: Vec<LoggedEntry> = entries.iter().map(|entry| entry.logged.clone()).collect();
        let executed = serving
            .link
            .execute(self.contract, logged, code, reassignment, proof)
            .await?;
        failpoint!("after_execute_before_persist");
        Ok(executed)
    }

    /// The envelope with the code of the entry that comes next, unless it was refused already.
    fn code(&mut self, next: u64, entries: &[EntryRecord]) -> Result<Option<Bytes>, StoreError> {
        let store = self.host.store.as_ref();
        let envelope = match entries.first() {
            Some(upgrade) if next > 0 => {
                store.upgrade(self.contract, upgrade.logged.entry.inputHash)?
            }
            _ => store.deployment(self.contract)?,
        };
        let tried = |envelope: &Bytes| Tried {
            seq: next,
            envelope: keccak256(envelope),
        };
        let envelope = envelope.filter(|envelope| self.refused != Some(tried(envelope)));
        if let Some(envelope) = &envelope {
            self.tried = Some(tried(envelope));
        }
        Ok(envelope)
    }

    /// What is shown with a frame that ends with `last`, if anything is.
    async fn reassignment(&self, last: &EntryRecord) -> Result<Option<Reassignment>, Fault> {
        let Some(Reassigning { runtime, .. }) = self.reassigning else {
            return Ok(None);
        };
        let store = self.host.store.as_ref();
        let Some((between, runtime)) = reassign::shown(store, self.contract, last, runtime)? else {
            return Ok(None);
        };
        let proof = self.proof(runtime.logged.entry.seq(), false).await?;
        Ok(Some(Reassignment {
            between,
            runtime: runtime.logged,
            proof,
        }))
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
        let digest = last.blob.digest;
        let count = results.len() as u64;
        let sizes: Vec<(BlobKind, usize)> = results
            .iter()
            .map(|result| (result.blob.kind, result.blob.sealed.len()))
            .collect();
        let contract = self.contract;
        self.host
            .durably(move |store| store.commit_execution(contract, &results))
            .await?;
        failpoint!("after_persist_before_sign");
        self.host.offer(contract);
        self.host.metrics.execute.executed.increment(count);
        debug!(%contract, seq = head.seq, count, "executed");
        self.announce(head.seq - 1, None);
        if stateless {
            return Ok(());
        }
        serving.moved(contract, head, digest);
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
            None => self.stored_since()?,
        };
        self.since = Some(since);
        if since.is_due() {
            self.take_snapshot(serving).await?;
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
            ErrorCode::CodeEnvelope => {
                if let Some(tried) = self.tried {
                    self.announce(tried.seq, Some(refusal.message));
                }
                return Ok(Next::Wait);
            }
            ErrorCode::Generation if self.reassign()? => return Ok(Next::Again),
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

    /// Has the next RUNTIME entry further up the log shown; `false` if there is none.
    fn reassign(&mut self) -> Result<bool, StoreError> {
        let store = self.host.store.as_ref();
        let last = store.last_result(self.contract)?;
        let next = last.map_or(0, |last| last.seq + 1);
        let Some(next) = store.entry(self.contract, next)? else {
            return Ok(false);
        };
        self.reassigning = reassign::candidate(store, self.contract, &next, self.reassigning)?;
        Ok(self.reassigning.is_some())
    }

    /// Replaces the proof of the entries that come next by one at the tip.
    async fn refetch_proof(&mut self) -> Result<Option<Next>, StoreError> {
        let last = self.host.store.last_result(self.contract)?;
        let next = last.map_or(0, |last| last.seq + 1);
        let entries = self.host.store.entries(self.contract, next, MAX_BATCH)?;
        // Each of them could be the last of a frame; the failed one is refetched, the others when
        // they fail in turn.
        let shown = self.reassigning.map(|reassigning| reassigning.runtime);
        let pending = entries.iter().map(|entry| entry.logged.entry.seq());
        for seq in pending.chain(shown) {
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

    /// Tells whoever waits what became of the envelope with the code of entry `seq`, if it was
    /// that entry's turn.
    fn announce(&mut self, seq: u64, refused: Option<String>) {
        let Some(tried) = self.tried.take_if(|tried| tried.seq == seq) else {
            return;
        };
        match &refused {
            Some(reason) => {
                warn!(contract = %self.contract, seq, reason, "code refused");
                self.refused = Some(tried);
            }
            None => info!(contract = %self.contract, seq, "code executed"),
        }
        self.host.executors.executed_code(CodeOutcome {
            contract: self.contract,
            seq,
            envelope: tried.envelope,
            refused,
        });
    }

    fn retry(&self, error: &(dyn std::error::Error + 'static)) -> Next {
        self.host.metrics.execute.retries.increment(1);
        warn!(contract = %self.contract, error, "no result, trying again");
        Next::Retry
    }
}

/// Whether an entry needs an envelope with code.
fn brings_code(entry: &EntryRecord) -> bool {
    matches!(
        reassign::kind(entry),
        Some(EntryKind::Deploy | EntryKind::Upgrade)
    )
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
