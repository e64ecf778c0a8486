// SPDX-License-Identifier: Apache-2.0
//! Waiting longer and longer.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::clock::Clock;

/// Delays that double from a first to a longest one, for as long as it takes.
#[derive(Debug)]
pub(crate) struct Backoff {
    policy: ExponentialBuilder,
    delays: ExponentialBackoff,
    most: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        let policy = ExponentialBuilder::new()
            .with_factor(2.0)
            .with_min_delay(first)
            .with_max_delay(most)
            .without_max_times();
        Self {
            delays: policy.build(),
            policy,
            most,
        }
    }

    /// The delay before the next attempt.
    pub(crate) fn step(&mut self) -> Duration {
        self.delays.next().unwrap_or(self.most)
    }

    /// Waits for [`Self::step`].
    pub(crate) async fn wait(&mut self, clock: &dyn Clock) {
        clock.sleep(self.step()).await;
    }

    /// Starts over after a success.
    pub(crate) fn reset(&mut self) {
        self.delays = self.policy.build();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_to_a_limit_and_start_over() {
        let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(35));
        let delays: Vec<_> = (0..4).map(|_| backoff.step().as_millis()).collect();
        assert_eq!(delays, [10, 20, 35, 35]);
        backoff.reset();
        assert_eq!(backoff.step().as_millis(), 10);
    }
}
