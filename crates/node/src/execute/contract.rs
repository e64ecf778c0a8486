// SPDX-License-Identifier: Apache-2.0
//! One contract's task: entries in, stored results out.

use std::{sync::Arc, time::Duration};

use alloy_primitives::Bytes;
use subrosa_store::{EntryRecord, ResultRecord, StoreError};
use subrosa_types::{
    ContractId,
    entry::EntryKind,
    frame::{Ended, ErrorCode, Executed, ExecutedEntry, FrameError, LoggedEntry, Reassignment},
    result::Head,
};
use tokio::sync::Notify;
use tracing::{debug, warn};

use super::{
    envelopes::Envelopes,
    needs::Needs,
    plan::{MAX_BATCH, batch_size},
    proofs,
    reassign::{self, Reassigning},
    snapshots::{Kept, Snapshots},
};
use crate::{
    backoff::Backoff,
    clock::elapsed,
    enclave::EnclaveError,
    failpoint::failpoint,
    serving::Serving,
    shutdown::Shutdown,
    stateless::is_stateless,
    step::{Fault, Next},
    stops::stop_of,
};

/// Works for one contract until shutdown.
///
/// # Errors
///
/// Only if the store fails.
pub(super) async fn run(
    needs: Arc<Needs>,
    contract: ContractId,
    woken: Arc<Notify>,
    mut shutdown: Shutdown,
) -> Result<(), StoreError> {
    let mut serving = needs.stage.watch();
    let clock = Arc::clone(&needs.clock);
    let mut task = Task {
        envelopes: Envelopes::new(Arc::clone(&needs), contract),
        snapshots: Snapshots::new(Arc::clone(&needs), contract),
        needs,
        contract,
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
            () = clock.sleep(delay.unwrap_or_default()), if delay.is_some() => {}
        }
    }
    Ok(())
}

struct Task {
    needs: Arc<Needs>,
    contract: ContractId,
    envelopes: Envelopes,
    snapshots: Snapshots,
    /// What is shown with entries of a generation that the enclave does not have.
    reassigning: Option<Reassigning>,
    backoff: Backoff,
}

impl Task {
    async fn step(&mut self, serving: &Serving) -> Result<Next, StoreError> {
        let started = self.needs.clock.monotonic();
        let needs = Arc::clone(&self.needs);
        // Entries that are read here stay in the store until their results are.
        let entries = needs.rewinds.read().await;
        self.snapshots.rewound(*entries);
        let fault = match self.execute(serving, started).await {
            Ok(next) => return Ok(next),
            Err(fault) => fault,
        };
        match fault {
            Fault::Store(error) => Err(error),
            Fault::Enclave(EnclaveError::Refused(refusal)) => self.refusal(serving, refusal).await,
            Fault::Enclave(EnclaveError::Disconnected) => Ok(Next::Wait),
            Fault::Enclave(error) => Ok(self.retry(&error)),
            Fault::Chain(error) => Ok(self.retry(&error)),
        }
    }

    /// Executes what comes next and stores it.
    async fn execute(&mut self, serving: &Serving, started: Duration) -> Result<Next, Fault> {
        let store = Arc::clone(&self.needs.store);
        let last = store.last_result(self.contract).await?;
        let next = last.as_ref().map_or(0, |last| last.seq + 1);
        let mut entries = store.entries(self.contract, next, MAX_BATCH).await?;
        // A gap is an entry that the follower could not read.
        let Some(first) = entries
            .first()
            .filter(|first| first.logged.entry.seq() == next)
        else {
            if let Some(last) = &last {
                self.catch_up(serving, last).await?;
            }
            return Ok(Next::Wait);
        };
        let stateless = first.logged.entry.is_stateless();
        let code = match entries.iter().position(brings_code) {
            Some(0) => {
                let Some(envelope) = self.envelopes.of(first).await? else {
                    self.stopped_without_code(next);
                    return Ok(Next::Wait);
                };
                // Alone, so that what is refused with it is its code envelope.
                entries.truncate(1);
                Some(envelope)
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
            let head = store.chain_head(self.contract).await?.unwrap_or_default();
            let outstanding = next.saturating_sub(head.seq);
            entries.truncate(batch_size(next, entries.len(), outstanding));
            if entries.is_empty() {
                return Ok(Next::Wait);
            }
        }
        if let Some(last) = &last
            && !self.stand_after(serving, last, stateless).await?
        {
            warn!(contract = %self.contract, "results without state blobs");
            return Ok(Next::Retry);
        }
        let frames = if stateless { 1 } else { entries.len() };
        let mut results = Vec::with_capacity(entries.len());
        let mut ended = Ended::Complete;
        for frame in entries.chunks(frames) {
            let [.., last] = frame else { break };
            let executed = self.execute_frame(serving, frame, last, code.clone());
            match executed.await {
                Ok(executed) => {
                    results.extend(executed.results);
                    ended = executed.ended;
                }
                Err(Fault::Enclave(EnclaveError::Refused(refusal))) if !results.is_empty() => {
                    ended = Ended::Refused(refusal);
                }
                Err(fault) if results.is_empty() => return Err(fault),
                // What was executed before is kept; the fault shows again at once.
                Err(_) => break,
            }
            if ended != Ended::Complete {
                break;
            }
        }
        self.keep(serving, results, stateless).await?;
        self.needs
            .metrics
            .batch_seconds
            .record(elapsed(self.needs.clock.as_ref(), started));
        match ended {
            Ended::Refused(refusal) => Err(Fault::Enclave(EnclaveError::Refused(refusal))),
            // The rest is asked for next.
            Ended::Complete | Ended::Budget | Ended::Full => Ok(Next::Continue),
        }
    }

    /// Takes the snapshot that results wait for, if a host before this one, or a try, did not.
    async fn catch_up(&mut self, serving: &Serving, last: &ResultRecord) -> Result<(), Fault> {
        if !self.snapshots.are_awaited().await? {
            return Ok(());
        }
        let stateless = is_stateless(self.needs.store.as_ref(), self.contract).await?;
        if self.stand_after(serving, last, stateless).await? {
            self.snapshots.take_if_due(serving, stateless).await?;
            self.needs.offers.offer(self.contract);
        }
        Ok(())
    }

    /// Makes sure that the enclave stands after the last stored result, which is where the next
    /// entry continues. It may be elsewhere: behind if it was restarted, ahead if a host was
    /// killed before it stored what was executed. `false` if there are no blobs to continue from.
    async fn stand_after(
        &mut self,
        serving: &Serving,
        last: &ResultRecord,
        stateless: bool,
    ) -> Result<bool, Fault> {
        let stands = serving.position(self.contract).is_some_and(|loaded| {
            stateless || (loaded.head.seq == last.seq + 1 && loaded.digest == last.digest)
        });
        if stands {
            return Ok(true);
        }
        let store = self.needs.store.as_ref();
        let loaded = serving.load(store, self.contract, last.seq).await?;
        Ok(loaded.is_some())
    }

    /// Has a frame's entries executed, of which `last` is the last.
    async fn execute_frame(
        &self,
        serving: &Serving,
        entries: &[EntryRecord],
        last: &EntryRecord,
        code: Option<Bytes>,
    ) -> Result<Executed, Fault> {
        let reassignment = self.reassignment(last).await?;
        let proof = proofs::kept(&self.needs, self.contract, last.logged.entry.seq()).await?;
        let logged: Vec<LoggedEntry> = entries.iter().map(|entry| entry.logged.clone()).collect();
        let executed = serving
            .link
            .execute(self.contract, logged, code, reassignment, proof)
            .await?;
        failpoint!("after_execute_before_persist");
        Ok(executed)
    }

    /// What is shown with a frame that ends with `last`, if anything is.
    async fn reassignment(&self, last: &EntryRecord) -> Result<Option<Reassignment>, Fault> {
        let Some(Reassigning { runtime, .. }) = self.reassigning else {
            return Ok(None);
        };
        let store = self.needs.store.as_ref();
        let Some((between, runtime)) = reassign::shown(store, self.contract, last, runtime).await?
        else {
            return Ok(None);
        };
        let proof = proofs::kept(&self.needs, self.contract, runtime.logged.entry.seq()).await?;
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
        let blobs: Vec<Kept> = results
            .iter()
            .map(|result| Kept::of(&result.blob))
            .collect();
        let contract = self.contract;
        self.needs.store.commit_execution(contract, results).await?;
        failpoint!("after_persist_before_sign");
        if !stateless {
            serving.moved(contract, head, digest);
        }
        // Before results are offered: those of another key epoch wait for a snapshot under its keys.
        self.snapshots.count(serving, blobs, stateless).await?;
        self.needs.offers.offer(contract);
        self.needs.metrics.executed.increment(count);
        debug!(%contract, seq = head.seq, count, "executed");
        self.envelopes.executed(head.seq - 1);
        let stopped = self.needs.stops.goes_on(contract);
        self.needs.metrics.stopped.set(stopped as f64);
        Ok(())
    }

    /// Says that the log waits for a code envelope, unless one was refused: then that is said already.
    fn stopped_without_code(&self, seq: u64) {
        let known = self.needs.stops.of(self.contract);
        if known.is_none_or(|stop| stop.seq != seq) {
            let message = "no code envelope was handed in";
            let refusal = FrameError::new(ErrorCode::CodeEnvelope, message);
            self.stopped(seq, &refusal);
        }
    }

    fn stopped(&self, seq: u64, refusal: &FrameError) {
        if let Some(stop) = stop_of(seq, refusal) {
            let stopped = self.needs.stops.stopped(self.contract, stop);
            self.needs.metrics.stopped.set(stopped as f64);
        }
    }

    /// Acts on a refusal, by who must act.
    async fn refusal(
        &mut self,
        serving: &Serving,
        refusal: FrameError,
    ) -> Result<Next, StoreError> {
        let last = self.needs.store.last_result(self.contract).await?;
        self.stopped(last.map_or(0, |last| last.seq + 1), &refusal);
        match refusal.code {
            ErrorCode::CodeEnvelope => {
                self.envelopes.refused(refusal.message);
                return Ok(Next::Wait);
            }
            ErrorCode::Generation if self.reassign().await? => return Ok(Next::Again),
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
    async fn reassign(&mut self) -> Result<bool, StoreError> {
        let store = self.needs.store.as_ref();
        let last = store.last_result(self.contract).await?;
        let next = last.map_or(0, |last| last.seq + 1);
        let Some(next) = store.entry(self.contract, next).await? else {
            return Ok(false);
        };
        self.reassigning =
            reassign::candidate(store, self.contract, &next, self.reassigning).await?;
        Ok(self.reassigning.is_some())
    }

    /// Replaces the proof of the entries that come next by one at the tip.
    async fn refetch_proof(&mut self) -> Result<Option<Next>, StoreError> {
        let last = self.needs.store.last_result(self.contract).await?;
        let next = last.map_or(0, |last| last.seq + 1);
        let entries = self
            .needs
            .store
            .entries(self.contract, next, MAX_BATCH)
            .await?;
        // Each of them could be the last of a frame; the failed one is refetched, the others when
        // they fail in turn.
        let shown = self.reassigning.map(|reassigning| reassigning.runtime);
        let pending = entries.iter().map(|entry| entry.logged.entry.seq());
        for seq in pending.chain(shown) {
            if self.needs.store.proof(self.contract, seq).await?.is_none() {
                continue;
            }
            match proofs::afresh(&self.needs, self.contract, seq).await {
                Ok(_) => {}
                Err(Fault::Store(error)) => return Err(error),
                Err(Fault::Chain(error)) => return Ok(Some(self.retry(&error))),
                Err(_) => return Ok(Some(Next::Retry)),
            }
        }
        Ok(None)
    }

    fn retry(&self, error: &(dyn std::error::Error + 'static)) -> Next {
        self.needs.metrics.retries.increment(1);
        warn!(contract = %self.contract, error, "no result, trying again");
        Next::Retry
    }
}

/// Whether an entry needs a code envelope.
fn brings_code(entry: &EntryRecord) -> bool {
    matches!(
        reassign::kind(entry),
        Some(EntryKind::Deploy | EntryKind::Upgrade)
    )
}
