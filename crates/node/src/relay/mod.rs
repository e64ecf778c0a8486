// SPDX-License-Identifier: Apache-2.0
//! Results onto the chain: several transactions in flight, each continuing what the one before it
//! will leave.
//!
//! Everything is kept simple by one rule: the oracle's head is the only memory that counts. The
//! relay holds in memory what it believes of heads and what its transactions promise, corrects it
//! from receipts and events, and reads heads from the chain whenever a promise is broken. The
//! decision on several transactions in flight (`docs/adr/0011`) has the whole rule.

mod backlog;
mod batch;
mod cosigned;
mod earnings;
mod fees;
mod needs;
mod outstanding;
mod policy;
mod promises;
mod round;
mod unsigned;
mod verdict;

use std::{sync::Arc, time::Duration};

use subrosa_store::StoreError;
use tracing::warn;

pub(crate) use self::needs::Needs;
use self::{
    backlog::DOUBT_AFTER,
    round::{Afterwards, News, Relay},
};
use crate::{backoff::Backoff, shutdown::Shutdown};

/// Sends results until shutdown; what is in flight is waited for first.
///
/// # Errors
///
/// Only if the store fails.
pub(crate) async fn run(needs: Needs, shutdown: Shutdown) -> Result<(), StoreError> {
    let needs = Arc::new(needs);
    let looking_after = tokio::spawn(earnings::run(Arc::clone(&needs), shutdown.clone()));
    let outcome = relay(needs, shutdown).await;
    looking_after.abort();
    outcome
}

async fn relay(needs: Arc<Needs>, mut shutdown: Shutdown) -> Result<(), StoreError> {
    let mut serving = needs.stage.watch();
    let clock = Arc::clone(&needs.clock);
    let mut relay = Relay::new(Arc::clone(&needs));
    relay.backlog.open(needs.store.contracts().await?);
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(10));
    loop {
        match shutdown.cancel(needs.transactions.settle_leftovers()).await {
            None => return Ok(()),
            Some(Ok(())) => break,
            Some(Err(error)) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "waiting for an earlier run's transactions"
                );
                shutdown.cancel(backoff.wait(clock.as_ref())).await;
            }
        }
    }
    backoff.reset();
    // After a failure nothing is sent until it is this late.
    let mut not_before = None;
    while !shutdown.is_requested() {
        let now = serving.borrow_and_update().clone();
        let next = match &now {
            Some(serving) if not_before.is_none() => relay.round(serving).await?,
            _ => Afterwards::Wait(None),
        };
        let delay = match next {
            Afterwards::Continue => {
                backoff.reset();
                continue;
            }
            Afterwards::Retry => {
                not_before = Some(clock.monotonic() + backoff.step());
                None
            }
            Afterwards::Wait(Some(delay)) => Some(delay),
            // A receipt can be of a block that the chain drops before it is followed: what only
            // receipts say is looked at again.
            Afterwards::Wait(None) if relay.backlog.believes() => Some(DOUBT_AFTER),
            Afterwards::Wait(None) => None,
        };
        let pause = not_before.map(|until| until.saturating_sub(clock.monotonic()));
        let is_idle = relay.is_idle();
        tokio::select! {
            () = shutdown.requested() => {}
            Some(news) = relay.news(), if !is_idle => match news {
                News::Landed(landed) => match relay.settle(now.as_deref(), landed).await? {
                    Afterwards::Retry => not_before = Some(clock.monotonic() + backoff.step()),
                    Afterwards::Continue => backoff.reset(),
                    Afterwards::Wait(_) => {}
                },
                News::Loaded(loaded) => relay.take_back(loaded?),
            },
            // A round that failed is not repeated sooner because there is more to send.
            () = needs.offers.changed(), if pause.is_none() => {}
            changed = serving.changed() => {
                if changed.is_err() {
                    break;
                }
                not_before = None;
            }
            () = clock.sleep(pause.or(delay).unwrap_or_default()), if pause.or(delay).is_some() => {
                not_before = None;
            }
        }
    }
    while let Some(landed) = relay.landed().await {
        relay.settle(None, landed).await?;
    }
    Ok(())
}
