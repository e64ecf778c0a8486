// SPDX-License-Identifier: Apache-2.0
//! Sees one transaction through: looks for its receipt, replaces it when it is stuck.

use std::{sync::Arc, time::Instant};

use alloy::{primitives::Bytes, providers::Provider, rpc::types::TransactionReceipt};
use tokio::sync::watch;

use super::{
    attempt::{Attempt, Fees},
    call::Call,
    error::{Refusal, SendError},
    pending::{Fate, Pending},
    record::Record,
    shared::{MAX_TRIES, Shared},
    table::Table,
};
use crate::{ChainError, endpoint::within};

/// A transaction that is not known to be mined.
pub(super) struct InFlight {
    call: Call,
    gas: u64,
    /// Oldest first, never empty.
    attempts: Vec<Attempt>,
    record: Record,
    /// When it was first sent, or taken up again.
    first: Instant,
    /// When the last attempt was broadcast; `None` if that is not known to have worked.
    since: Option<Instant>,
}

impl InFlight {
    pub(super) fn new(call: Call, gas: u64, attempt: Attempt, record: Record) -> Self {
        Self {
            call,
            gas,
            attempts: vec![attempt],
            record,
            first: Instant::now(),
            since: Some(Instant::now()),
        }
    }

    /// The same, if it is not known whether the broadcast worked.
    pub(super) fn unsent(self) -> Self {
        Self {
            since: None,
            ..self
        }
    }

    /// From recorded attempts; `None` if there are none.
    pub(super) fn resumed(attempts: Vec<Attempt>, record: Record, capped: bool) -> Option<Self> {
        let last = attempts.last()?;
        let most = capped.then_some(last.fees.max);
        Some(Self {
            call: last.call.clone().with_max_fee(most),
            gas: last.gas,
            attempts,
            record,
            first: Instant::now(),
            since: None,
        })
    }
}

impl Shared {
    /// As [`Sender::send`](super::Sender::send).
    pub(super) async fn submit(
        self: Arc<Self>,
        call: Call,
        record: Record,
    ) -> Result<Pending, SendError> {
        let gas = match call.gas {
            Some(gas) => gas,
            None => self.estimate(&call).await?,
        };
        // Held while the nonce is in question, so that nonces are used in order.
        let mut table = self.table.lock().await;
        let limit = call.limit(self.config.max_fee_per_gas);
        let mut fees = self.fees(&mut table).await?.limited(limit);
        for _ in 0..MAX_TRIES {
            let nonce = table.free_nonce();
            let attempt = self.sign(&call, nonce, gas, fees)?;
            record(attempt.clone()).await.map_err(SendError::Record)?;
            match self.broadcast(&attempt).await {
                Ok(()) | Err(Refusal::Known) => {
                    return Ok(self.watch(&mut table, InFlight::new(call, gas, attempt, record)));
                }
                Err(Refusal::NonceTooLow) => table.confirm(self.mined().await?),
                Err(Refusal::Underpriced) => match fees.raised(None, limit) {
                    Some(raised) => fees = raised,
                    None => return Err(SendError::Refused("underpriced at the fee limit".into())),
                },
                Err(Refusal::Other(reason)) => return Err(SendError::Refused(reason)),
                // It may have arrived: keep the nonce and try again until that is known.
                Err(Refusal::Unclear(error)) => {
                    tracing::warn!(nonce, %error, "broadcast failed, will try again");
                    let in_flight = InFlight::new(call, gas, attempt, record);
                    return Ok(self.watch(&mut table, in_flight.unsent()));
                }
            }
        }
        Err(SendError::Refused("no usable nonce or fee".into()))
    }

    /// Starts the task that sees a transaction through.
    pub(super) fn watch(self: &Arc<Self>, table: &mut Table, in_flight: InFlight) -> Pending {
        let (fate, receiver) = watch::channel(None);
        let (nonce, hash) = match in_flight.attempts.first() {
            Some(attempt) => (attempt.nonce, attempt.hash),
            None => (0, Default::default()),
        };
        let task = Driver {
            shared: Arc::clone(self),
            nonce,
            in_flight,
        };
        let mut stop = self.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                ended = task.run() => {
                    let _ = fate.send(Some(ended));
                }
                // Nothing is ever sent: this is the end of the sender.
                _ = stop.changed() => {}
            }
        });
        table.start(nonce);
        Pending::new(nonce, hash, receiver)
    }
}

/// The task of one nonce.
struct Driver {
    shared: Arc<Shared>,
    nonce: u64,
    in_flight: InFlight,
}

impl Driver {
    async fn run(mut self) -> Fate {
        let mut heads = self.shared.heads.subscribe();
        let mut missing = 0;
        loop {
            match self.look().await {
                Ok(Look::Mined(receipt, raw)) => {
                    self.finish(Some(raw)).await;
                    return Fate::Mined(receipt);
                }
                // A node may count a transaction before it has its receipt.
                Ok(Look::Taken) if missing < TAKEN_AFTER => missing += 1,
                Ok(Look::Taken) => {
                    self.finish(None).await;
                    return Fate::NonceTaken;
                }
                Ok(Look::Waiting { mined }) => {
                    missing = 0;
                    if let Err(error) = self.push(mined).await {
                        tracing::warn!(nonce = self.nonce, %error, "transaction is stuck");
                    }
                }
                Err(error) => {
                    tracing::debug!(nonce = self.nonce, %error, "no receipt yet");
                }
            }
            // Not backon's retry: a new head cuts the pause short.
            let wait = self.shared.config.poll_interval;
            let _ = tokio::time::timeout(wait, heads.changed()).await;
        }
    }

    async fn finish(&self, raw: Option<Bytes>) {
        self.shared.table.lock().await.finish(self.nonce, raw);
    }

    /// What the chain has under this nonce.
    async fn look(&self) -> Result<Look, ChainError> {
        let provider = &self.shared.provider;
        // Counted first: what is counted then has a receipt now.
        let mined = self.shared.mined().await?;
        for attempt in self.in_flight.attempts.iter().rev() {
            let receipt =
                within(async { provider.get_transaction_receipt(attempt.hash).await }).await?;
            if let Some(receipt) = receipt {
                return Ok(Look::Mined(Box::new(receipt), attempt.raw.clone()));
            }
        }
        Ok(if mined > self.nonce {
            Look::Taken
        } else {
            Look::Waiting { mined }
        })
    }

    /// Helps an unmined transaction on, if it is time.
    async fn push(&mut self, mined: u64) -> Result<(), ChainError> {
        let due = match self.in_flight.since {
            Some(since) => since.elapsed() >= self.shared.config.replace_after,
            None => return self.broadcast_last().await,
        };
        if !due {
            return Ok(());
        }
        self.in_flight.since = Some(Instant::now());
        if mined < self.nonce {
            // It waits for an earlier one; replacing it would not help.
            let dropped = self.shared.table.lock().await.dropped(mined);
            if let Some(raw) = dropped {
                tracing::info!(nonce = mined, "broadcasting again what the chain dropped");
                let provider = &self.shared.provider;
                let _ = within(async { provider.send_raw_transaction(&raw).await }).await?;
            }
            return self.broadcast_last().await;
        }
        self.replace().await
    }

    /// Broadcasts the last attempt as it is.
    async fn broadcast_last(&mut self) -> Result<(), ChainError> {
        let Some(last) = self.in_flight.attempts.last() else {
            return Ok(());
        };
        match self.shared.broadcast(last).await {
            Err(Refusal::Unclear(error)) => Err(error),
            Err(Refusal::Underpriced) => self.replace().await,
            Ok(()) | Err(_) => {
                self.in_flight.since = Some(Instant::now());
                Ok(())
            }
        }
    }

    /// Replaces the last attempt by one that offers more.
    async fn replace(&mut self) -> Result<(), ChainError> {
        let Some(last) = self.in_flight.attempts.last() else {
            return Ok(());
        };
        let mut fees = last.fees;
        let asked = {
            let mut table = self.shared.table.lock().await;
            table.forget_fees();
            self.shared.fees(&mut table).await?
        };
        if self.is_hopeless(asked) {
            self.give_up().await?;
        }
        let most = self.shared.config.max_fee_per_gas;
        let limit = self.in_flight.call.limit(most);
        let current = asked.limited(limit);
        for _ in 0..MAX_TRIES {
            let Some(raised) = fees.raised(Some(current), limit) else {
                tracing::warn!(nonce = self.nonce, limit, "fee limit reached");
                self.in_flight.since = Some(Instant::now());
                // As it is: a pool may have dropped what offers too little for the moment.
                if let Some(last) = self.in_flight.attempts.last() {
                    let _ = self.shared.broadcast(last).await;
                }
                return Ok(());
            };
            fees = raised;
            let (call, gas) = (&self.in_flight.call, self.in_flight.gas);
            let attempt = match self.shared.sign(call, self.nonce, gas, fees) {
                Ok(attempt) => attempt,
                Err(error) => {
                    tracing::error!(nonce = self.nonce, %error, "cannot sign a replacement");
                    return Ok(());
                }
            };
            if let Err(error) = (self.in_flight.record)(attempt.clone()).await {
                tracing::error!(nonce = self.nonce, %error, "cannot record a replacement");
                return Ok(());
            }
            // Recorded, it may be mined whatever the answer is.
            self.in_flight.attempts.push(attempt.clone());
            match self.shared.broadcast(&attempt).await {
                Ok(()) => {
                    tracing::info!(
                        nonce = self.nonce,
                        max_fee = fees.max,
                        "transaction replaced"
                    );
                    self.in_flight.since = Some(Instant::now());
                    return Ok(());
                }
                Err(Refusal::Underpriced) => {}
                Err(Refusal::Unclear(error)) => {
                    self.in_flight.since = None;
                    return Err(error);
                }
                Err(refusal) => {
                    tracing::debug!(nonce = self.nonce, ?refusal, "replacement not taken");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Whether the transaction may not pay what the network asks, and has waited for long.
    fn is_hopeless(&self, asked: Fees) -> bool {
        let most = self.in_flight.call.max_fee_per_gas;
        most.is_some_and(|most| asked.now() > most)
            && self.in_flight.first.elapsed() >= self.shared.config.give_up_after
    }

    /// From now on it is a transfer of nothing that is to be mined under this nonce: whatever has a later one
    /// waits for it. An earlier attempt may still be mined instead.
    async fn give_up(&mut self) -> Result<(), ChainError> {
        let call = Call::new(self.shared.key.address(), Bytes::new());
        let gas = self.shared.estimate(&call).await;
        let gas = gas.map_err(|_| ChainError::Inconsistent("no estimate of a plain transfer"))?;
        tracing::warn!(
            nonce = self.nonce,
            "giving up a transaction that may not pay what the network asks"
        );
        (self.in_flight.call, self.in_flight.gas) = (call, gas);
        Ok(())
    }
}

/// What a look at the chain shows.
enum Look {
    /// The receipt of the attempt with this encoding.
    Mined(Box<TransactionReceipt>, Bytes),
    /// The nonce is used up by something that is not ours.
    Taken,
    /// Nothing yet; this many transactions of the key are mined.
    Waiting { mined: u64 },
}

/// How many looks must agree that another transaction has the nonce.
const TAKEN_AFTER: usize = 3;
