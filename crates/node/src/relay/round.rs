// SPDX-License-Identifier: Apache-2.0
//! Batches: chosen, signed, sent, and learnt from when they are mined.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt, future::BoxFuture, stream::FuturesOrdered};
use subrosa_store::StoreError;
use subrosa_types::{
    ContractId,
    frame::{ErrorCode, ResultRef},
};
use tracing::{debug, warn};

use super::{
    backlog::Backlog,
    batch::{Batch, Limits, select},
    cosigned::Cosigned,
    fees::{Fees, LOOK_AGAIN},
    needs::Needs,
    promises::FlightId,
    unsigned::{Loaded, Unsigned},
    verdict::judge,
};
use crate::{
    chain::ChainAccessError, clock::elapsed, enclave::EnclaveError, failpoint::failpoint,
    serving::Serving, step::Fault, transactions::Fulfilled,
};

/// Sends what the backlog has.
pub(super) struct Relay {
    pub(super) backlog: Backlog,
    needs: Arc<Needs>,
    limits: Limits,
    /// Whose fees cover what they cost.
    fees: Fees,
    cosigned: Cosigned,
    /// What is loaded so that it can be signed.
    unsigned: Unsigned,
    /// What is in flight, in the order in which it was sent.
    flights: FuturesOrdered<BoxFuture<'static, Landed>>,
    /// The last transaction moved nothing: the next one is sent alone.
    careful: bool,
    /// Since when there has been something to send.
    waiting: Option<Duration>,
    /// Number of the round, which says whose results come first.
    turn: usize,
}

/// A transaction whose fate is known.
pub(super) struct Landed {
    flight: FlightId,
    batch: Batch,
    outcome: Result<Fulfilled, ChainAccessError>,
}

/// Something that was under way has come to its end.
pub(super) enum News {
    Landed(Landed),
    Loaded(Result<Loaded, StoreError>),
}

/// What to do after a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Afterwards {
    /// There may be more to send.
    Continue,
    /// Nothing can be done until something changes, or this long.
    Wait(Option<Duration>),
    /// Something failed that may pass by itself.
    Retry,
}

impl Relay {
    pub(super) fn new(needs: Arc<Needs>) -> Self {
        let limits = Limits {
            items: needs.settings.max_items,
            gas: needs.settings.max_gas,
            bytes: MAX_BYTES,
        };
        Self {
            backlog: Backlog::new(Arc::clone(&needs), limits.most_items()),
            fees: Fees::new(Arc::clone(&needs)),
            cosigned: Cosigned::new(Arc::clone(&needs)),
            unsigned: Unsigned::new(Arc::clone(&needs)),
            needs,
            limits,
            flights: FuturesOrdered::new(),
            careful: false,
            waiting: None,
            turn: 0,
        }
    }

    /// Waits until the fate of the transaction that was sent first is known; `None` if nothing is in
    /// flight. Cancel safe.
    pub(super) async fn landed(&mut self) -> Option<Landed> {
        self.flights.next().await
    }

    /// Waits until something that is under way has come to its end; `None` if nothing is. Cancel safe.
    pub(super) async fn news(&mut self) -> Option<News> {
        let (is_loading, is_flying) = (!self.unsigned.is_idle(), !self.flights.is_empty());
        tokio::select! {
            Some(landed) = self.flights.next(), if is_flying => Some(News::Landed(landed)),
            Some(loaded) = self.unsigned.loaded(), if is_loading => Some(News::Loaded(loaded)),
            else => None,
        }
    }

    /// A contract that was left out is taken in again.
    pub(super) fn take_back(&mut self, loaded: Loaded) {
        self.backlog.take_back(loaded.contract);
        if loaded.narrow {
            self.backlog.narrow(loaded.contract);
        }
    }

    /// Whether nothing is in flight, and nothing is being loaded.
    pub(super) fn is_idle(&self) -> bool {
        self.flights.is_empty() && self.unsigned.is_idle()
    }

    /// Sends one batch, if there is one and room for it.
    pub(super) async fn round(&mut self, serving: &Arc<Serving>) -> Result<Afterwards, StoreError> {
        let outcome = self.send_batch(serving).await;
        // Whether or not it came to signing: nobody waits for what is loaded here and not signed for.
        self.unsigned.release();
        self.judge_fault(outcome)
    }

    /// What a fault means for what comes next.
    fn judge_fault(
        &mut self,
        outcome: Result<Afterwards, Fault>,
    ) -> Result<Afterwards, StoreError> {
        let fault = match outcome {
            Ok(afterwards) => return Ok(afterwards),
            Err(Fault::Store(error)) => return Err(error),
            Err(Fault::Enclave(EnclaveError::Disconnected)) => return Ok(Afterwards::Wait(None)),
            Err(Fault::Enclave(error)) => Box::new(error) as Box<dyn std::error::Error>,
            Err(Fault::Chain(error)) => {
                self.needs.metrics.failed.increment(1);
                Box::new(error) as Box<dyn std::error::Error>
            }
        };
        warn!(error = &*fault, "trying again");
        Ok(Afterwards::Retry)
    }

    async fn send_batch(&mut self, serving: &Arc<Serving>) -> Result<Afterwards, Fault> {
        let window = if self.careful {
            1
        } else {
            self.needs.settings.max_in_flight
        };
        if self.flights.len() >= window {
            return Ok(Afterwards::Wait(None));
        }
        self.backlog.open(self.needs.offers.take());
        let mut queues = self.backlog.queues().await?;
        let cosigned = self.cosigned.leave_aside(&mut queues).await?;
        let held_back = self.fees.hold_back(&mut queues).await?;
        let batch = select(&queues, self.turn, self.limits);
        if batch.is_empty() {
            self.waiting = None;
            if held_back || cosigned {
                return Ok(Afterwards::Wait(Some(LOOK_AGAIN)));
            }
            if let Some(queue) = queues.first() {
                warn!(contract = %queue.contract, "callback gas exceeds relay.max_gas");
                return Ok(Afterwards::Retry);
            }
            return Ok(Afterwards::Wait(None));
        }
        if let Some(remaining) = self.patience(&batch) {
            return Ok(Afterwards::Wait(Some(remaining)));
        }
        self.turn = self.turn.wrapping_add(1);
        let payee = self.needs.chain.address();
        let signed = serving.link.sign(batch.results(), payee).await;
        let signed = match signed {
            Err(error) if is_unsignable(&error) => {
                return self.leave_out(serving, &batch, error.code()).await;
            }
            outcome => outcome?,
        };
        let contracts = batch.groups.iter().map(|group| group.contract);
        self.unsigned.signed(contracts);
        failpoint!("after_sign_before_send");
        let Some(packed) = batch.packed(&signed, payee) else {
            // What selects keeps to what a batch can hold.
            return Ok(Afterwards::Retry);
        };
        let most = self.fees.most_per_gas(&batch).await?;
        let sent = self
            .needs
            .transactions
            .fulfill(packed, batch.results(), batch.gas, most)
            .await?;
        self.waiting = None;
        self.needs.metrics.sent.increment(1);
        for result in batch.results() {
            if let Some(elapsed) = self.needs.latency.sent(result.contract, result.seq) {
                self.needs.metrics.latency_seconds.record(elapsed);
            }
        }
        let flight = self.backlog.sent(&batch);
        let transactions = Arc::clone(&self.needs.transactions);
        self.flights.push_back(Box::pin(async move {
            let outcome = transactions.fulfilled(sent).await;
            Landed {
                flight,
                batch,
                outcome,
            }
        }));
        self.count();
        failpoint!("after_send_before_receipt");
        Ok(Afterwards::Continue)
    }

    /// How long a batch may still wait for company; `None` if it is sent now.
    fn patience(&mut self, batch: &Batch) -> Option<Duration> {
        let clock = self.needs.clock.as_ref();
        let since = *self.waiting.get_or_insert_with(|| clock.monotonic());
        if self.flights.is_empty() || batch.full {
            return None;
        }
        let remaining = self
            .needs
            .settings
            .max_wait
            .saturating_sub(elapsed(clock, since));
        (!remaining.is_zero()).then_some(remaining)
    }

    /// Learns from a transaction whose fate is known.
    pub(super) async fn settle(
        &mut self,
        serving: Option<&Serving>,
        landed: Landed,
    ) -> Result<Afterwards, StoreError> {
        self.count();
        let outcome = self.learn(serving, landed).await;
        self.judge_fault(outcome)
    }

    async fn learn(
        &mut self,
        serving: Option<&Serving>,
        landed: Landed,
    ) -> Result<Afterwards, Fault> {
        let Landed {
            flight,
            batch,
            outcome,
        } = landed;
        let mined = match outcome {
            Ok(mined) => mined,
            Err(error) => {
                self.careful = true;
                self.backlog.learn(flight, &batch, None).await?;
                return Err(error.into());
            }
        };
        let metrics = &self.needs.metrics;
        let Some(events) = &mined.events else {
            metrics.failed.increment(1);
            warn!(transaction = %mined.transaction, "fulfill reverted");
            self.careful = true;
            self.backlog.learn(flight, &batch, None).await?;
            return self.doubt(serving).await;
        };
        let verdict = judge(&batch, events);
        self.cosigned.doubt(&batch, &verdict);
        let fulfilled = verdict.fulfilled.len();
        metrics.fulfilled.increment(fulfilled as u64);
        metrics.skipped.increment((batch.len() - fulfilled) as u64);
        debug!(
            transaction = %mined.transaction,
            sent = batch.len(),
            fulfilled,
            "fulfill mined"
        );
        if fulfilled == 0 && self.backlog.is_void(flight) {
            self.backlog.learn(flight, &batch, Some(verdict)).await?;
            return Ok(Afterwards::Wait(None));
        }
        self.careful = fulfilled == 0;
        self.backlog.learn(flight, &batch, Some(verdict)).await?;
        // Of a batch that moved nothing, someone else may have moved all of it; if not, sending
        // it again at once would move nothing again.
        Ok(if fulfilled > 0 {
            Afterwards::Continue
        } else {
            Afterwards::Retry
        })
    }

    /// After a revert: is it the signer, or is it what was sent?
    async fn doubt(&mut self, serving: Option<&Serving>) -> Result<Afterwards, Fault> {
        if let Some(serving) = serving
            && !self.needs.chain.is_accepted(&serving.started).await?
        {
            self.needs.distrusted.notify_one();
        }
        Ok(Afterwards::Retry)
    }

    fn count(&self) {
        let flights = self.flights.len() as f64;
        self.needs.metrics.in_flight.set(flights);
    }

    /// Leaves contracts out whose results the enclave cannot sign, and has them loaded, or leaves them
    /// to those who take their snapshots.
    async fn leave_out(
        &mut self,
        serving: &Arc<Serving>,
        batch: &Batch,
        refusal: Option<ErrorCode>,
    ) -> Result<Afterwards, Fault> {
        let mut by_contract: BTreeMap<ContractId, Vec<ResultRef>> = BTreeMap::new();
        for result in batch.results() {
            by_contract.entry(result.contract).or_default().push(result);
        }
        let alone = by_contract.len() == 1;
        let mut afterwards = Afterwards::Retry;
        for (contract, results) in by_contract {
            let Some(first) = results.first().map(|result| result.seq) else {
                continue;
            };
            // A refusal does not say whose results they are.
            let refusal = if alone {
                refusal
            } else {
                match serving.link.sign(results, self.needs.chain.address()).await {
                    Ok(_) => continue,
                    Err(error) if is_unsignable(&error) => error.code(),
                    Err(error) => return Err(error.into()),
                }
            };
            self.backlog.set_aside(contract);
            if refusal == Some(ErrorCode::OutOfOrder) {
                debug!(%contract, first, "results wait for a snapshot");
                self.unsigned.wait(contract);
            } else {
                debug!(%contract, first, "loading results to sign them");
                self.unsigned.load(serving, contract, first);
            }
            afterwards = Afterwards::Continue;
        }
        Ok(afterwards)
    }
}

/// Whether a refusal to sign is about some of the results: they are not there, or wait for a snapshot.
fn is_unsignable(error: &EnclaveError) -> bool {
    matches!(
        error.code(),
        Some(ErrorCode::Sequence | ErrorCode::UnknownContract | ErrorCode::OutOfOrder)
    )
}

/// Longest transaction: pools refuse those of more than 128 KiB.
const MAX_BYTES: usize = 120_000;
