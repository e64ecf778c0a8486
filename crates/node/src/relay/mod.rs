// SPDX-License-Identifier: Apache-2.0
//! Results onto the chain: one transaction in flight, the next as soon as it is mined.
//!
//! Everything is kept simple by one rule: the oracle's head is the only memory that counts. The
//! relay holds what it believes of heads in memory, corrects it from events, and reads it from the
//! chain whenever anything is odd.

mod batch;
mod needs;
mod outstanding;
mod verdict;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use subrosa_chain::ChainError;
use subrosa_store::StoreError;
use subrosa_types::{
    ContractId,
    frame::{ErrorCode, HeaderFrame},
    result::Head,
};
use tokio::sync::Notify;
use tracing::{debug, warn};

use self::{
    batch::{Batch, Candidate, Limits, Queue, select},
    verdict::judge,
};
use crate::{
    backoff::Backoff,
    chain::ChainAccessError,
    clock::elapsed,
    enclave::EnclaveError,
    failpoint::failpoint,
    serving::{LoadError, Serving},
    shutdown::Shutdown,
    stateless::is_stateless,
    transactions::Fulfilled,
};

pub(crate) use self::{batch::LARGEST_RESULT_GAS, needs::Needs};

/// Contracts that may have results to send.
#[derive(Debug, Default)]
pub(crate) struct Offers {
    contracts: Mutex<BTreeSet<ContractId>>,
    changed: Notify,
}

impl Offers {
    /// Adds a contract.
    pub(crate) fn offer(&self, contract: ContractId) {
        let mut contracts = self
            .contracts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        contracts.insert(contract);
        self.changed.notify_one();
    }

    fn take(&self) -> BTreeSet<ContractId> {
        std::mem::take(
            &mut *self
                .contracts
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

/// Sends results until shutdown; a transaction in flight is waited for first.
///
/// # Errors
///
/// Only if the store fails.
pub(crate) async fn run(needs: Needs, mut shutdown: Shutdown) -> Result<(), StoreError> {
    let mut serving = needs.stage.watch();
    let clock = Arc::clone(&needs.clock);
    let mut relay = Relay::new(needs);
    relay.open.extend(relay.needs.store.contracts().await?);
    loop {
        match shutdown
            .cancel(relay.needs.transactions.settle_leftovers())
            .await
        {
            None => return Ok(()),
            Some(Ok(())) => break,
            Some(Err(error)) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "waiting for an earlier run's transactions"
                );
                shutdown.cancel(relay.backoff.wait(clock.as_ref())).await;
            }
        }
    }
    relay.backoff.reset();
    while !shutdown.is_requested() {
        let now = serving.borrow_and_update().clone();
        let next = match now {
            Some(serving) => relay.round(&serving).await?,
            None => Next::Wait,
        };
        let delay = match next {
            Next::Continue => {
                relay.backoff.reset();
                continue;
            }
            // A receipt can be of a block that the chain drops before it is followed: what only
            // receipts say is looked at again.
            Next::Wait if relay.believes() => Some(DOUBT_AFTER),
            Next::Wait => None,
            Next::Retry => Some(relay.backoff.step()),
        };
        let failed = matches!(next, Next::Retry);
        tokio::select! {
            () = shutdown.requested() => {}
            // A round that failed is not repeated sooner because there is more to send.
            () = relay.needs.offers.changed.notified(), if !failed => {}
            changed = serving.changed() => if changed.is_err() { break },
            () = clock.sleep(delay.unwrap_or_default()), if delay.is_some() => {}
        }
    }
    Ok(())
}

/// What to do after a round.
enum Next {
    Continue,
    Wait,
    Retry,
}

/// Why a round came to nothing.
enum Fault {
    Store(StoreError),
    Enclave(EnclaveError),
    Chain(ChainAccessError),
}

/// A head that the store does not confirm yet.
#[derive(Clone, Copy, Debug)]
struct Belief {
    head: Head,
    since: Duration,
}

struct Relay {
    needs: Needs,
    /// Contracts with results that may not be on chain.
    open: BTreeSet<ContractId>,
    /// Heads that this relay knows from receipts, ahead of the store, which follows the chain's
    /// events a moment later.
    heads: BTreeMap<ContractId, Belief>,
    /// Entries of stateless contracts that receipts say are fulfilled, likewise.
    fulfilled: BTreeMap<(ContractId, u64), Duration>,
    /// Of stateless contracts: everything below is fulfilled.
    low: BTreeMap<ContractId, u64>,
    /// Contracts of which only the first outstanding result can be signed at a time.
    narrow: BTreeSet<ContractId>,
    /// Number of rewinds that the above knows of.
    rewinds: u64,
    turn: usize,
    backoff: Backoff,
}

impl Relay {
    fn new(needs: Needs) -> Self {
        Self {
            needs,
            open: BTreeSet::new(),
            heads: BTreeMap::new(),
            fulfilled: BTreeMap::new(),
            low: BTreeMap::new(),
            narrow: BTreeSet::new(),
            rewinds: 0,
            turn: 0,
            backoff: Backoff::new(Duration::from_millis(50), Duration::from_secs(10)),
        }
    }

    /// Sends one batch and waits until it is mined.
    async fn round(&mut self, serving: &Serving) -> Result<Next, StoreError> {
        let (next, fault) = match self.send_batch(serving).await {
            Ok(next) => return Ok(next),
            Err(Fault::Store(error)) => return Err(error),
            Err(Fault::Enclave(EnclaveError::Disconnected)) => return Ok(Next::Wait),
            Err(Fault::Enclave(error)) => {
                if error.code() == Some(ErrorCode::Proof) {
                    self.needs.anchor.forget();
                }
                (Next::Retry, Box::new(error) as Box<dyn std::error::Error>)
            }
            Err(Fault::Chain(error)) => {
                self.needs.metrics.failed.increment(1);
                (Next::Retry, Box::new(error) as Box<dyn std::error::Error>)
            }
        };
        warn!(error = &*fault, "nothing sent, trying again");
        Ok(next)
    }

    async fn send_batch(&mut self, serving: &Serving) -> Result<Next, Fault> {
        self.open.extend(self.needs.offers.take());
        let queues = self.queues().await?;
        let limits = Limits {
            items: self.needs.settings.max_items,
            gas: self.needs.settings.max_gas,
        };
        let batch = select(&queues, self.turn, limits);
        if batch.is_empty() {
            if let Some(queue) = queues.first() {
                warn!(contract = %queue.contract, "callback gas exceeds relay.max_gas");
                return Ok(Next::Retry);
            }
            return Ok(Next::Wait);
        }
        self.turn = self.turn.wrapping_add(1);
        let signed = match serving
            .link
            .sign(batch.results(), self.anchor().await?)
            .await
        {
            Err(error)
                if matches!(
                    error.code(),
                    Some(ErrorCode::Sequence | ErrorCode::UnknownContract)
                ) =>
            {
                debug!(
                    error = &error as &dyn std::error::Error,
                    "loading results to sign them"
                );
                self.make_signable(serving, &batch).await?;
                return Ok(Next::Retry);
            }
            outcome => outcome?,
        };
        failpoint!("after_sign_before_send");
        let fulfillment = batch.fulfillment(&signed);
        let sent = self
            .needs
            .transactions
            .fulfill(fulfillment, batch.results(), batch.gas)
            .await?;
        self.needs.metrics.sent.increment(1);
        for result in batch.results() {
            if let Some(elapsed) = self.needs.latency.sent(result.contract, result.seq) {
                self.needs.metrics.latency_seconds.record(elapsed);
            }
        }
        failpoint!("after_send_before_receipt");
        let mined = self.needs.transactions.fulfilled(sent).await?;
        self.settle(serving, &batch, &mined).await
    }

    /// Learns from a mined transaction.
    async fn settle(
        &mut self,
        serving: &Serving,
        batch: &Batch,
        mined: &Fulfilled,
    ) -> Result<Next, Fault> {
        let metrics = &self.needs.metrics;
        let Some(events) = &mined.events else {
            metrics.failed.increment(1);
            warn!(transaction = %mined.transaction, "fulfill reverted");
            return self.doubt(serving, batch).await;
        };
        let verdict = judge(batch, events);
        metrics.fulfilled.increment(verdict.fulfilled.len() as u64);
        metrics
            .skipped
            .increment((batch.len() - verdict.fulfilled.len()) as u64);
        debug!(
            transaction = %mined.transaction,
            sent = batch.len(),
            fulfilled = verdict.fulfilled.len(),
            "fulfill mined"
        );
        let since = self.needs.clock.monotonic();
        for (contract, head) in verdict.heads {
            self.heads.insert(contract, Belief { head, since });
        }
        let progressed = !verdict.fulfilled.is_empty();
        for item in verdict.fulfilled {
            if is_stateless(self.needs.store.as_ref(), item.0).await? {
                self.fulfilled.insert(item, since);
            }
        }
        for contract in verdict.doubtful {
            self.reread(contract).await?;
        }
        // Of a batch that moved nothing, someone else may have moved all of it; if not, sending
        // it again at once would move nothing again.
        Ok(if progressed {
            Next::Continue
        } else {
            Next::Retry
        })
    }

    /// After a revert: is it the signer, or is it what was sent?
    async fn doubt(&mut self, serving: &Serving, batch: &Batch) -> Result<Next, Fault> {
        self.needs.anchor.forget();
        if !self.needs.chain.is_accepted(&serving.started).await? {
            self.needs.distrusted.notify_one();
            return Ok(Next::Retry);
        }
        for group in &batch.groups {
            self.reread(group.contract).await?;
        }
        Ok(Next::Retry)
    }

    /// Takes a contract's head from the chain.
    async fn reread(&mut self, contract: ContractId) -> Result<(), Fault> {
        let belief = Belief {
            head: self.needs.chain.head(contract).await?,
            since: self.needs.clock.monotonic(),
        };
        self.heads.insert(contract, belief);
        Ok(())
    }

    /// Whether anything is believed that the store does not confirm yet.
    fn believes(&self) -> bool {
        !self.heads.is_empty() || !self.fulfilled.is_empty()
    }

    /// A contract's head: the store's, or a later one that is believed and not doubted.
    async fn head(&mut self, contract: ContractId) -> Result<Head, Fault> {
        let stored = self
            .needs
            .store
            .chain_head(contract)
            .await?
            .unwrap_or_default();
        let clock = self.needs.clock.as_ref();
        let is_old = |belief: &Belief| elapsed(clock, belief.since) >= DOUBT_AFTER;
        if self.heads.get(&contract).is_some_and(is_old) {
            self.reread(contract).await?;
        }
        match self.heads.get(&contract) {
            Some(belief) if belief.head.seq > stored.seq => Ok(belief.head),
            _ => {
                self.heads.remove(&contract);
                Ok(stored)
            }
        }
    }

    /// What is outstanding, by contract. Contracts with nothing leave [`Self::open`].
    async fn queues(&mut self) -> Result<Vec<Queue>, Fault> {
        {
            let rewinds = *self.needs.rewinds.read().await;
            if rewinds != self.rewinds {
                self.rewinds = rewinds;
                self.heads.clear();
                self.fulfilled.clear();
                self.low.clear();
                self.narrow.clear();
                self.open.extend(self.needs.store.contracts().await?);
            }
        }
        let mut queues = Vec::new();
        let mut total = 0;
        for contract in self.open.clone() {
            let stateless = is_stateless(self.needs.store.as_ref(), contract).await?;
            let mut candidates = if stateless {
                self.stateless(contract).await?
            } else {
                self.stateful(contract).await?
            };
            if candidates.is_empty() {
                let believed = self.heads.contains_key(&contract)
                    || self.fulfilled.keys().any(|(known, _)| *known == contract);
                if !believed {
                    self.open.remove(&contract);
                }
                self.narrow.remove(&contract);
                continue;
            }
            total += candidates.len();
            if self.narrow.contains(&contract) {
                candidates.truncate(1);
            }
            queues.push(Queue {
                contract,
                stateless,
                candidates,
            });
        }
        self.needs.metrics.outstanding.set(total as f64);
        Ok(queues)
    }

    async fn stateful(&mut self, contract: ContractId) -> Result<Vec<Candidate>, Fault> {
        let store = Arc::clone(&self.needs.store);
        let head = self.head(contract).await?;
        let limit = self.needs.settings.max_items;
        let results = store.results(contract, head.seq, limit).await?;
        if results.is_empty() {
            return Ok(Vec::new());
        }
        let entries = store.entries(contract, head.seq, results.len()).await?;
        match outstanding::outstanding(head, entries, results) {
            Ok(candidates) => Ok(candidates),
            Err(mismatch) => {
                // A reorganization that the follower has not seen, or a head that it has not: it
                // will bring the contract up again.
                warn!(%contract, error = &mismatch as &dyn std::error::Error, "waiting for the chain");
                Ok(Vec::new())
            }
        }
    }

    async fn stateless(&mut self, contract: ContractId) -> Result<Vec<Candidate>, Fault> {
        let store = Arc::clone(&self.needs.store);
        let limit = self.needs.settings.max_items;
        let mut from = self.low.get(&contract).copied().unwrap_or_default();
        let mut candidates = Vec::new();
        while candidates.len() < limit {
            let results = store.results(contract, from, limit).await?;
            let Some(last) = results.last() else { break };
            from = last.seq + 1;
            for result in results {
                let seq = result.seq;
                let is_known = store.fulfillment(contract, seq).await?.is_some();
                if is_known {
                    self.fulfilled.remove(&(contract, seq));
                }
                let is_believed = self
                    .fulfilled
                    .get(&(contract, seq))
                    .is_some_and(|since| elapsed(self.needs.clock.as_ref(), *since) < DOUBT_AFTER);
                if is_known || is_believed {
                    if candidates.is_empty() && is_known {
                        self.low.insert(contract, seq + 1);
                    }
                    continue;
                }
                if let Some(entry) = store.entry(contract, seq).await? {
                    candidates.push(outstanding::candidate(entry, result));
                }
            }
        }
        candidates.truncate(limit);
        Ok(candidates)
    }

    /// A header at the tip, at or after every proven entry.
    async fn anchor(&self) -> Result<HeaderFrame, Fault> {
        let followed = self
            .needs
            .store
            .cursor()
            .await?
            .map_or(0, |cursor| cursor.number);
        if let Some((number, header)) = self.needs.anchor.latest()
            && number + MAX_ANCHOR_AGE >= followed
        {
            return Ok(header);
        }
        let tip = self.needs.chain.tip().await?;
        let header = self.needs.chain.header(tip.hash).await?;
        self.needs.anchor.saw(tip.number, &header);
        Ok(header)
    }

    /// Loads a batch's contracts so that its results can be signed.
    async fn make_signable(&mut self, serving: &Serving, batch: &Batch) -> Result<(), Fault> {
        let _entries = self.needs.rewinds.read().await;
        let store = self.needs.store.as_ref();
        let mut done = BTreeSet::new();
        for group in &batch.groups {
            let Some(first) = group.items.first().map(|item| item.entry.seq()) else {
                continue;
            };
            if !done.insert(group.contract) {
                continue;
            }
            let Some(last) = store.last_result(group.contract).await? else {
                continue;
            };
            let loaded = serving.load(store, group.contract, last.seq).await?;
            if loaded.is_none_or(|loaded| loaded.signable_from <= first) {
                continue;
            }
            // A snapshot lies in between: go back before it, one result at a time.
            serving.load(store, group.contract, first).await?;
            self.narrow.insert(group.contract);
        }
        Ok(())
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

impl From<ChainError> for Fault {
    fn from(error: ChainError) -> Self {
        Self::Chain(error.into())
    }
}

impl From<ChainAccessError> for Fault {
    fn from(error: ChainAccessError) -> Self {
        Self::Chain(error)
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

/// After this long, what only a receipt says is read from the chain again.
const DOUBT_AFTER: Duration = Duration::from_secs(10);
/// Blocks an anchor may be behind what was followed; the oracle looks back 256 blocks for certain.
const MAX_ANCHOR_AGE: u64 = 64;
