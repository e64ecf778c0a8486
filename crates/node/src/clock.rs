// SPDX-License-Identifier: Apache-2.0
//! The clock port: what a node knows of time, and how it waits.

use std::{
    fmt,
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use tokio::time::Instant;

/// A clock. Everything that ages, backs off or gives up in a node goes by one.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync {
    /// Time since a moment of the clock's own; never goes back.
    fn monotonic(&self) -> Duration;

    /// Unix seconds; may jump either way.
    fn unix(&self) -> u64;

    /// Waits until [`Self::monotonic`] is later by `duration`. Cancel safe.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// The machine's clock, its monotonic time counted from now on.
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    /// [`Self::new`], to be shared.
    pub fn shared() -> Arc<dyn Clock> {
        Arc::new(Self::new())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }

    fn unix(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_secs())
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// What `work` gives, or `None` if it takes longer than `patience`.
pub(crate) async fn within<T>(
    clock: &dyn Clock,
    patience: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        value = work => Some(value),
        () = clock.sleep(patience) => None,
    }
}

/// Time since `moment`, a reading of [`Clock::monotonic`].
pub(crate) fn elapsed(clock: &dyn Clock, moment: Duration) -> Duration {
    clock.monotonic().saturating_sub(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_machine_s_clock_conforms() {
        crate::conformance::clock(&SystemClock::new()).await;
    }
}
