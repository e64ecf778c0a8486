// SPDX-License-Identifier: Apache-2.0
//! One contract's task: entries in, stored results out.

use std::{collections::VecDeque, pin::pin, sync::Arc, time::Duration};

use alloy_primitives::Bytes;
use futures::{StreamExt, stream::FuturesOrdered};
use subrosa_store::{EntryRecord, ResultRecord, StoreError};
use subrosa_types::{
    ContractId,
    entry::EntryKind,
    frame::{
        Ended, EntryProof, ErrorCode, Executed, ExecutedEntry, FrameError, Loaded, LoggedEntry,
        Reassignment,
    },
    result::Head,
};
use tokio::sync::{Mutex, Notify};
use tracing::{debug, warn};

use super::{
    envelopes::Envelopes,
    needs::Needs,
    plan::{ENTRIES_ABREAST, FRAMES_AHEAD, MAX_BATCH, frame_sizes},
    proofs::{self, Proofs},
    reassign::{self, Reassigning},
    snapshots::{Kept, Snapshots},
};
use crate::{
    backoff::Backoff,
    clock::elapsed,
    enclave::EnclaveError,
    failpoint::failpoint,
    loading::{Held, LoadError, Manners, Need},
    serving::Serving,
    shutdown::Shutdown,
    stateless::is_stateless,
    step::{Fault, Next},
    stops::{Cause, stop_of},
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
        proofs: Mutex::default(),
        backoff: Backoff::new(Duration::from_millis(20), Duration::from_secs(30)),
        ahead: true,
        dropped: 0,
        held: None,
        shutdown: shutdown.clone(),
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
    /// What shows that entries are on the log.
    proofs: Mutex<Proofs>,
    backoff: Backoff,
    /// Whether the last frame ended where it was to, so that the one behind it is worth sending.
    ahead: bool,
    /// How often in a row the enclave did not have the contract, though it should have.
    dropped: usize,
    /// Since the contract was loaded, until it was made use of.
    held: Option<Held>,
    shutdown: Shutdown,
}

/// What a look at the store comes to.
enum Found {
    /// Something was done, or nothing is to be.
    Next(Next),
    /// First the contract has to be loaded as it was after this result.
    Unloaded {
        last: Box<ResultRecord>,
        stateless: bool,
    },
}

impl Task {
    async fn step(&mut self, serving: &Serving) -> Result<Next, StoreError> {
        let started = self.needs.clock.monotonic();
        let needs = Arc::clone(&self.needs);
        let (last, stateless) = {
            // Entries that are read here stay in the store until their results are.
            let entries = needs.rewinds.read().await;
            self.snapshots.rewound(*entries);
            let found = self.execute(serving, started).await;
            self.held = None;
            match found {
                Ok(Found::Next(next)) => return Ok(next),
                Ok(Found::Unloaded { last, stateless }) => (last, stateless),
                Err(fault) => return self.judge(serving, fault).await,
            }
        };
        // Loading may take its time, and nobody who rewinds waits for that: what is loaded is held
        // against the store again before anything is executed on it.
        self.load(serving, &last, stateless).await
    }

    /// What a fault means for what comes next.
    async fn judge(&mut self, serving: &Serving, fault: Fault) -> Result<Next, StoreError> {
        match fault {
            Fault::Store(error) => Err(error),
            Fault::Enclave(EnclaveError::Refused(refusal)) => self.refusal(serving, refusal).await,
            Fault::Enclave(EnclaveError::Disconnected) => Ok(Next::Wait),
            Fault::Enclave(error) => Ok(self.retry(&error)),
            Fault::Chain(error) => Ok(self.retry(&error)),
        }
    }

    /// Loads the contract as it was after a result.
    async fn load(
        &mut self,
        serving: &Serving,
        last: &ResultRecord,
        stateless: bool,
    ) -> Result<Next, StoreError> {
        let manners = if self.dropped < PATIENCE {
            Manners::InCompany
        } else {
            Manners::Alone
        };
        let (contract, needs) = (self.contract, Arc::clone(&self.needs));
        let contracts = &serving.contracts;
        let loading = contracts.load(
            needs.store.as_ref(),
            contract,
            last.seq,
            Need::Entry,
            manners,
        );
        match self.shutdown.cancel(loading).await {
            None | Some(Err(LoadError::Enclave(EnclaveError::Disconnected))) => Ok(Next::Wait),
            Some(Ok(held)) if stateless || stands_after(&held.loaded, last) => {
                self.held = Some(held);
                Ok(Next::Again)
            }
            Some(Ok(held)) => {
                let stands = held.loaded.head.seq;
                warn!(%contract, stands, "results without state blobs");
                Ok(Next::Retry)
            }
            Some(Err(LoadError::Store(error))) => Err(error),
            Some(Err(LoadError::Enclave(error))) => {
                // What others load meanwhile had it dropped before all of it was there.
                self.dropped += usize::from(error.code() == Some(ErrorCode::OutOfOrder));
                Ok(self.retry(&error))
            }
        }
    }

    /// Executes what comes next and stores it.
    async fn execute(&mut self, serving: &Serving, started: Duration) -> Result<Found, Fault> {
        let store = Arc::clone(&self.needs.store);
        let last = store.last_result(self.contract).await?;
        let next = last.as_ref().map_or(0, |last| last.seq + 1);
        let frames = if self.ahead { FRAMES_AHEAD } else { 1 };
        let limit = frames * MAX_BATCH;
        let mut entries = store.entries(self.contract, next, limit).await?;
        // A gap is an entry that the follower could not read.
        let Some(first) = entries
            .first()
            .filter(|first| first.logged.entry.seq() == next)
        else {
            return match last {
                Some(last) => self.catch_up(serving, last).await,
                None => Ok(Found::Next(Next::Wait)),
            };
        };
        let stateless = first.logged.entry.is_stateless();
        let code = match entries.iter().position(brings_code) {
            Some(0) => {
                let Some(envelope) = self.envelopes.of(first).await? else {
                    self.stopped_without_code(next);
                    return Ok(Found::Next(Next::Wait));
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
        let sizes = if stateless {
            vec![1; entries.len()]
        } else {
            let head = store.chain_head(self.contract).await?.unwrap_or_default();
            let mut sizes = frame_sizes(next, entries.len(), next.saturating_sub(head.seq));
            sizes.truncate(frames);
            sizes
        };
        if sizes.is_empty() {
            return Ok(Found::Next(Next::Wait));
        }
        if let Some(last) = last
            && !self.stands_after(serving, &last, stateless)
        {
            let last = Box::new(last);
            return Ok(Found::Unloaded { last, stateless });
        }
        let abreast = if stateless {
            ENTRIES_ABREAST
        } else {
            FRAMES_AHEAD
        };
        let (results, ended) = self
            .execute_frames(serving, &entries, sizes, abreast, code)
            .await?;
        self.ahead = ended == Ended::Complete;
        self.keep(serving, results, stateless).await?;
        self.needs
            .metrics
            .batch_seconds
            .record(elapsed(self.needs.clock.as_ref(), started));
        match ended {
            Ended::Refused(refusal) => Err(Fault::Enclave(EnclaveError::Refused(refusal))),
            // The rest is asked for next.
            Ended::Complete | Ended::Budget | Ended::Full => Ok(Found::Next(Next::Continue)),
        }
    }

    /// Has entries executed in frames of these sizes, so many of them under way at a time, and sent in
    /// their order. When one ends early, those behind it do not count: they are refused where they
    /// continue it, and planned anew in any case.
    ///
    /// # Errors
    ///
    /// The first frame's fault. Another's shows again when it is the first.
    async fn execute_frames(
        &self,
        serving: &Serving,
        entries: &[EntryRecord],
        sizes: Vec<usize>,
        abreast: usize,
        code: Option<Bytes>,
    ) -> Result<(Vec<ExecutedEntry>, Ended), Fault> {
        let mut results = Vec::with_capacity(entries.len());
        let (mut rest, mut sizes) = (entries, sizes.into_iter());
        let mut under_way = FuturesOrdered::new();
        let mut answered = VecDeque::new();
        let mut behind = None;
        loop {
            while behind.is_none()
                && under_way.len() + answered.len() < abreast
                && let Some(size) = sizes.next()
                && let Some((frame, after)) = rest.split_at_checked(size)
                && let Some(last) = frame.last()
            {
                rest = after;
                let mut made = pin!(self.frame(serving, frame, last, code.clone()));
                // Those before it are on their way meanwhile, whatever its proof takes.
                let made = loop {
                    tokio::select! {
                        biased;
                        made = &mut made => break made,
                        Some(answer) = under_way.next(), if !under_way.is_empty() => {
                            answered.push_back(answer);
                        }
                    }
                };
                match made {
                    Ok(frame) => under_way.push_back(self.execute_frame(serving, frame)),
                    Err(fault) => behind = Some(fault),
                }
            }
            let first = match answered.pop_front() {
                Some(answer) => Some(answer),
                None => under_way.next().await,
            };
            match (first, behind.take()) {
                (Some(Ok(executed)), fault) => {
                    behind = fault;
                    results.extend(executed.results);
                    if executed.ended != Ended::Complete {
                        return Ok((results, executed.ended));
                    }
                }
                (Some(Err(fault)), _) | (None, Some(fault)) if results.is_empty() => {
                    return Err(fault);
                }
                // What was executed before is kept.
                _ => return Ok((results, Ended::Complete)),
            }
        }
    }

    /// Takes the snapshot that results wait for, if a host before this one, or a try, did not.
    async fn catch_up(&mut self, serving: &Serving, last: ResultRecord) -> Result<Found, Fault> {
        if self.snapshots.are_awaited().await? {
            let stateless = is_stateless(self.needs.store.as_ref(), self.contract).await?;
            if !self.stands_after(serving, &last, stateless) {
                let last = Box::new(last);
                return Ok(Found::Unloaded { last, stateless });
            }
            self.snapshots.take_if_due(serving, stateless).await?;
            self.needs.offers.offer(self.contract);
        }
        Ok(Found::Next(Next::Wait))
    }

    /// Whether the enclave stands after the last stored result, which is where the next entry
    /// continues. It may be elsewhere: behind if it was restarted, ahead if a host was killed before
    /// it stored what was executed, nowhere if the contract is not loaded.
    fn stands_after(&self, serving: &Serving, last: &ResultRecord, stateless: bool) -> bool {
        let position = serving.contracts.position(self.contract);
        position.is_some_and(|loaded| stateless || stands_after(&loaded, last))
    }

    /// What has entries executed, of which `last` is the last.
    async fn frame(
        &self,
        serving: &Serving,
        entries: &[EntryRecord],
        last: &EntryRecord,
        code: Option<Bytes>,
    ) -> Result<Frame, Fault> {
        Ok(Frame {
            reassignment: self.reassignment(serving, last).await?,
            proof: self.proof(serving, last).await?,
            entries: entries.iter().map(|entry| entry.logged.clone()).collect(),
            code,
        })
    }

    async fn execute_frame(&self, serving: &Serving, frame: Frame) -> Result<Executed, Fault> {
        let Frame {
            entries,
            code,
            reassignment,
            proof,
        } = frame;
        let executed = serving
            .link
            .execute(self.contract, entries, code, reassignment, proof)
            .await?;
        failpoint!("after_execute_before_persist");
        Ok(executed)
    }

    async fn proof(&self, serving: &Serving, entry: &EntryRecord) -> Result<EntryProof, Fault> {
        let mut proofs = self.proofs.lock().await;
        proofs.of(&self.needs, &serving.link, entry).await
    }

    /// What is shown with a frame that ends with `last`, if anything is.
    async fn reassignment(
        &self,
        serving: &Serving,
        last: &EntryRecord,
    ) -> Result<Option<Reassignment>, Fault> {
        let Some(Reassigning { runtime, .. }) = self.reassigning else {
            return Ok(None);
        };
        let store = self.needs.store.as_ref();
        let Some((between, runtime)) = reassign::shown(store, self.contract, last, runtime).await?
        else {
            return Ok(None);
        };
        let proof = self.proof(serving, &runtime).await?;
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
            serving.contracts.moved(contract, head, digest);
            self.proofs.get_mut().pass(head.seq);
        }
        // Before results are offered: those of another key epoch wait for a snapshot under its keys.
        self.snapshots.count(serving, blobs, stateless).await?;
        self.needs.offers.offer(contract);
        self.dropped = 0;
        self.needs.metrics.executed.increment(count);
        debug!(%contract, seq = head.seq, count, "executed");
        self.envelopes.executed(head.seq - 1);
        self.needs.stops.goes_on(contract);
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
            self.needs.stops.stopped(self.contract, Cause::Entry, stop);
        }
    }

    /// Acts on a refusal, by who must act.
    async fn refusal(
        &mut self,
        serving: &Serving,
        refusal: FrameError,
    ) -> Result<Next, StoreError> {
        let last = self.needs.store.last_result(self.contract).await?;
        self.stopped(last.as_ref().map_or(0, |last| last.seq + 1), &refusal);
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
            ErrorCode::UnknownContract if last.is_some() => {
                // Dropped for others; it is loaded again at once.
                serving.contracts.forget(self.contract);
                self.dropped += 1;
                return Ok(Next::Again);
            }
            ErrorCode::Sequence => serving.contracts.forget(self.contract),
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
        self.proofs.get_mut().forget();
        let mut shown = entries;
        if let Some(reassigning) = self.reassigning {
            let runtime = self
                .needs
                .store
                .entry(self.contract, reassigning.runtime)
                .await?;
            shown.extend(runtime);
        }
        for entry in shown {
            let seq = entry.logged.entry.seq();
            if self.needs.store.proof(self.contract, seq).await?.is_none() {
                continue;
            }
            match proofs::afresh(&self.needs, &entry).await {
                Ok(Some(_)) => {}
                Ok(None) => self.proofs.get_mut().refuse(seq),
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

/// A request to execute.
struct Frame {
    entries: Vec<LoggedEntry>,
    code: Option<Bytes>,
    reassignment: Option<Reassignment>,
    proof: EntryProof,
}

/// How often a contract may be dropped before it is loaded alone.
const PATIENCE: usize = 2;

/// Whether a loaded contract stands after a result.
fn stands_after(loaded: &Loaded, last: &ResultRecord) -> bool {
    loaded.head.seq == last.seq + 1 && loaded.digest == last.digest
}

/// Whether an entry needs a code envelope.
fn brings_code(entry: &EntryRecord) -> bool {
    matches!(
        reassign::kind(entry),
        Some(EntryKind::Deploy | EntryKind::Upgrade)
    )
}
