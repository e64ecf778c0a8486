// SPDX-License-Identifier: Apache-2.0
//! What is left to send: the stored results, held against what is known of heads.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use subrosa_types::{ContractId, result::Head};
use tracing::warn;

use super::{
    batch::{Batch, Candidate, Queue},
    needs::Needs,
    outstanding,
    promises::{FlightId, Promises},
    verdict::Verdict,
};
use crate::{clock::elapsed, stateless::is_stateless, step::Fault};

/// A head that the store does not confirm yet.
#[derive(Clone, Copy, Debug)]
struct Belief {
    head: Head,
    since: Duration,
}

/// Contracts with results that may not be on chain, and what is believed of them.
pub(super) struct Backlog {
    needs: Arc<Needs>,
    /// Contracts with results that may not be on chain.
    open: BTreeSet<ContractId>,
    /// What transactions in flight will leave.
    promises: Promises,
    /// Heads that this relay knows from receipts, ahead of the store, which follows the chain's
    /// events a moment later.
    heads: BTreeMap<ContractId, Belief>,
    /// Entries of stateless contracts that receipts say are fulfilled, likewise.
    fulfilled: BTreeMap<(ContractId, u64), Duration>,
    /// Of stateless contracts: everything below is fulfilled.
    low: BTreeMap<ContractId, u64>,
    /// Contracts known to be stateless.
    stateless: BTreeSet<ContractId>,
    /// Contracts of which only the first outstanding result can be signed at a time.
    narrow: BTreeSet<ContractId>,
    /// Contracts whose results cannot be signed before they are loaded.
    unloaded: BTreeSet<ContractId>,
    /// Most results of a contract that are looked at.
    limit: usize,
    /// Number of rewinds that the above knows of.
    rewinds: u64,
}

impl Backlog {
    /// Looks at up to `limit` results of a contract at a time.
    pub(super) fn new(needs: Arc<Needs>, limit: usize) -> Self {
        Self {
            needs,
            open: BTreeSet::new(),
            promises: Promises::default(),
            heads: BTreeMap::new(),
            fulfilled: BTreeMap::new(),
            low: BTreeMap::new(),
            stateless: BTreeSet::new(),
            narrow: BTreeSet::new(),
            unloaded: BTreeSet::new(),
            limit,
            rewinds: 0,
        }
    }

    /// Adds contracts that may have results to send.
    pub(super) fn open(&mut self, contracts: impl IntoIterator<Item = ContractId>) {
        self.open.extend(contracts);
    }

    /// Lets only the first outstanding result of a contract be sent at a time, until none is left.
    pub(super) fn narrow(&mut self, contract: ContractId) {
        self.narrow.insert(contract);
    }

    /// Leaves a contract out while it is loaded.
    pub(super) fn set_aside(&mut self, contract: ContractId) {
        self.unloaded.insert(contract);
    }

    /// Takes a contract in again.
    pub(super) fn take_back(&mut self, contract: ContractId) {
        self.unloaded.remove(&contract);
        self.open.insert(contract);
    }

    /// A batch is on its way.
    pub(super) fn sent(&mut self, batch: &Batch) -> FlightId {
        self.promises.make(batch)
    }

    /// Whether a transaction in flight is known to change nothing.
    pub(super) fn is_void(&self, flight: FlightId) -> bool {
        self.promises.is_void(flight)
    }

    /// Learns what became of a transaction; `None` if it did nothing.
    pub(super) async fn learn(
        &mut self,
        flight: FlightId,
        batch: &Batch,
        verdict: Option<Verdict>,
    ) -> Result<(), Fault> {
        self.notice_rewinds().await?;
        self.open(batch.groups.iter().map(|group| group.contract));
        let broken = self.promises.settle(flight, verdict.as_ref());
        let since = self.needs.clock.monotonic();
        let verdict = verdict.unwrap_or_default();
        for (contract, head) in verdict.heads {
            let belief = self.heads.entry(contract).or_insert(Belief { head, since });
            if belief.head.seq <= head.seq {
                *belief = Belief { head, since };
            }
        }
        for group in batch.groups.iter().filter(|group| group.stateless) {
            let items = group.items.iter().map(|item| item.entry.seq());
            for seq in items.filter(|seq| verdict.fulfilled.contains(&(group.contract, *seq))) {
                self.fulfilled.insert((group.contract, seq), since);
            }
        }
        let mut outcome = Ok(());
        for contract in broken {
            let head = self.reread(contract).await;
            self.promises.void(contract, head.as_ref().ok().copied());
            outcome = outcome.and(head.map(|_| ()));
        }
        outcome
    }

    /// Takes a contract's head from the chain.
    async fn reread(&mut self, contract: ContractId) -> Result<Head, Fault> {
        let head = self.needs.chain.head(contract).await?;
        let since = self.needs.clock.monotonic();
        self.heads.insert(contract, Belief { head, since });
        Ok(head)
    }

    /// Whether anything is believed that the store does not confirm yet.
    pub(super) fn believes(&self) -> bool {
        !self.heads.is_empty() || !self.fulfilled.is_empty()
    }

    /// A contract's head: the store's, or a later one that is believed and not doubted, or a still
    /// later one that is promised.
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
        let known = match self.heads.get(&contract) {
            Some(belief) if belief.head.seq > stored.seq => belief.head,
            _ => {
                self.heads.remove(&contract);
                stored
            }
        };
        let promised = self.promises.head(contract);
        Ok(promised
            .filter(|promised| promised.seq > known.seq)
            .unwrap_or(known))
    }

    /// Forgets what a rewind of the store took back.
    async fn notice_rewinds(&mut self) -> Result<(), Fault> {
        {
            let rewinds = *self.needs.rewinds.read().await;
            if rewinds == self.rewinds {
                return Ok(());
            }
            self.rewinds = rewinds;
        }
        self.promises.doubt();
        self.heads.clear();
        self.fulfilled.clear();
        self.low.clear();
        self.stateless.clear();
        self.narrow.clear();
        self.open.extend(self.needs.store.contracts().await?);
        Ok(())
    }

    async fn is_stateless(&mut self, contract: ContractId) -> Result<bool, Fault> {
        if self.stateless.contains(&contract) {
            return Ok(true);
        }
        let stateless = is_stateless(self.needs.store.as_ref(), contract).await?;
        if stateless {
            self.stateless.insert(contract);
        }
        Ok(stateless)
    }

    /// What is outstanding and not in flight, by contract. Contracts with nothing leave
    /// [`Self::open`].
    pub(super) async fn queues(&mut self) -> Result<Vec<Queue>, Fault> {
        self.notice_rewinds().await?;
        let mut queues = Vec::new();
        let mut total = self.promises.carried();
        for contract in self.open.clone() {
            if self.promises.is_unsure(contract) || self.unloaded.contains(&contract) {
                continue;
            }
            let stateless = self.is_stateless(contract).await?;
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
        let limit = self.limit;
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
        let limit = self.limit;
        self.heads.remove(&contract);
        let mut from = self.low.get(&contract).copied().unwrap_or_default();
        let mut candidates = Vec::new();
        let mut is_low = true;
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
                is_low &= is_known;
                if is_low {
                    self.low.insert(contract, seq + 1);
                }
                if is_known || is_believed || self.promises.carries(contract, seq) {
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
}

/// After this long, what only a receipt says is read from the chain again.
pub(super) const DOUBT_AFTER: Duration = Duration::from_secs(10);
