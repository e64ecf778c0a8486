// SPDX-License-Identifier: Apache-2.0
//! Results onto the chain: one transaction in flight, the next as soon as it is mined.
//!
//! Everything is kept simple by one rule: the oracle's head is the only memory that counts. The
//! relay holds what it believes of heads in memory, corrects it from events, and reads it from the
//! chain whenever anything is odd.

mod backlog;
mod batch;
mod needs;
mod outstanding;
mod round;
mod verdict;

use std::{sync::Arc, time::Duration};

use subrosa_store::StoreError;
use tracing::warn;

pub(crate) use self::needs::Needs;
use self::{backlog::DOUBT_AFTER, round::Relay};
use crate::{backoff::Backoff, shutdown::Shutdown, step::Next};

/// Sends results until shutdown; a transaction in flight is waited for first.
///
/// # Errors
///
/// Only if the store fails.
pub(crate) async fn run(needs: Needs, mut shutdown: Shutdown) -> Result<(), StoreError> {
    let mut serving = needs.stage.watch();
    let clock = Arc::clone(&needs.clock);
    let needs = Arc::new(needs);
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
    while !shutdown.is_requested() {
        let now = serving.borrow_and_update().clone();
        let next = match now {
            Some(serving) => relay.round(&serving).await?,
            None => Next::Wait,
        };
        let delay = match next {
            Next::Continue => {
                backoff.reset();
                continue;
            }
            Next::Again => continue,
            // A receipt can be of a block that the chain drops before it is followed: what only
            // receipts say is looked at again.
            Next::Wait if relay.backlog.believes() => Some(DOUBT_AFTER),
            Next::Wait => None,
            Next::Retry => Some(backoff.step()),
        };
        let failed = matches!(next, Next::Retry);
        tokio::select! {
            () = shutdown.requested() => {}
            // A round that failed is not repeated sooner because there is more to send.
            () = needs.offers.changed(), if !failed => {}
            changed = serving.changed() => if changed.is_err() { break },
            () = clock.sleep(delay.unwrap_or_default()), if delay.is_some() => {}
        }
    }
    Ok(())
}
