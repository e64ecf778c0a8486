// SPDX-License-Identifier: Apache-2.0
//! The oracle's log into the store, block by block, and back out when the chain takes some back.

mod error;
mod intake;
mod needs;

use std::time::Duration;

use tracing::warn;

pub use self::error::FollowError;
pub(crate) use self::needs::Needs;
use self::{error::Fault, intake::Intake};
use crate::{backoff::Backoff, shutdown::Shutdown};

/// Follows the oracle until shutdown.
///
/// # Errors
///
/// [`FollowError`] if the store fails, or the oracle speaks of something this build does not know.
pub(crate) async fn run(needs: Needs, mut shutdown: Shutdown) -> Result<(), FollowError> {
    let mut intake = Intake::new(needs);
    let Some(events) = shutdown.cancel(intake.start()).await else {
        return Ok(());
    };
    let mut events = events?;
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(10));
    while let Some(event) = shutdown.cancel(events.next()).await {
        let event = event?;
        // The chain has moved on: what it yielded must be taken in, however long that takes.
        loop {
            match intake.take(&event).await {
                Ok(()) => break,
                Err(Fault::Store(error)) => return Err(error.into()),
                Err(Fault::Chain(error)) => {
                    intake.needs.metrics.failures.increment(1);
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot take in a block yet"
                    );
                }
            }
            if shutdown
                .cancel(backoff.wait(intake.needs.clock.as_ref()))
                .await
                .is_none()
            {
                return Ok(());
            }
        }
        backoff.reset();
    }
    Ok(())
}
