// SPDX-License-Identifier: Apache-2.0
//! Simulated time: it stands still while anything can run, and jumps to the next wake-up when
//! nothing can.

use std::time::Duration;

use async_trait::async_trait;
use subrosa_node::Clock;
use tokio::time::Instant;

/// A clock over the paused time of a current-thread tokio runtime (`start_paused`).
#[derive(Clone, Copy, Debug)]
pub struct SimulatedClock {
    origin: Instant,
    unix: u64,
}

impl SimulatedClock {
    /// A clock that says `unix` (Unix seconds) now.
    pub fn starting_at(unix: u64) -> Self {
        Self {
            origin: Instant::now(),
            unix,
        }
    }
}

#[async_trait]
impl Clock for SimulatedClock {
    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }

    fn unix(&self) -> u64 {
        self.unix + self.origin.elapsed().as_secs()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
