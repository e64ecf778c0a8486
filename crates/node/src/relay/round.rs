// SPDX-License-Identifier: Apache-2.0
//! One batch after the other: chosen, signed, sent, and learnt from.

use std::{collections::BTreeSet, sync::Arc};

use subrosa_store::StoreError;
use subrosa_types::frame::{ErrorCode, HeaderFrame};
use tracing::{debug, warn};

use super::{
    backlog::Backlog,
    batch::{Batch, Limits, select},
    needs::Needs,
    verdict::judge,
};
use crate::{
    enclave::EnclaveError,
    failpoint::failpoint,
    serving::Serving,
    step::{Fault, Next},
    transactions::Fulfilled,
};

/// Sends what the backlog has.
pub(super) struct Relay {
    pub(super) backlog: Backlog,
    needs: Arc<Needs>,
    /// Number of the round, which says whose results come first.
    turn: usize,
}

impl Relay {
    pub(super) fn new(needs: Arc<Needs>) -> Self {
        Self {
            backlog: Backlog::new(Arc::clone(&needs)),
            needs,
            turn: 0,
        }
    }

    /// Sends one batch and waits until it is mined.
    pub(super) async fn round(&mut self, serving: &Serving) -> Result<Next, StoreError> {
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
        self.backlog.open(self.needs.offers.take());
        let queues = self.backlog.queues().await?;
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
        let progressed = !verdict.fulfilled.is_empty();
        self.backlog.learn(verdict).await?;
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
            self.backlog.reread(group.contract).await?;
        }
        Ok(Next::Retry)
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
            self.backlog.narrow(group.contract);
        }
        Ok(())
    }
}

/// Blocks an anchor may be behind what was followed; the oracle looks back 256 blocks for certain.
const MAX_ANCHOR_AGE: u64 = 64;
