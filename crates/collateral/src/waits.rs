// SPDX-License-Identifier: Apache-2.0
//! Waits after failures in a row.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// Ever longer waits, without end.
#[derive(Debug)]
pub(crate) struct Waits(<ExponentialBuilder as BackoffBuilder>::Backoff);

impl Waits {
    /// `first` seconds, doubled each time, at most `longest`.
    pub(crate) fn doubling(first: u64, longest: u64) -> Self {
        let builder = ExponentialBuilder::new()
            .with_min_delay(Duration::from_secs(first))
            .with_max_delay(Duration::from_secs(longest))
            .without_max_times();
        Self(builder.build())
    }

    /// The next wait, seconds.
    pub(crate) fn next(&mut self) -> u64 {
        self.0.next().unwrap_or(Duration::MAX).as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut waits = Waits::doubling(10, 60);
        let first: Vec<u64> = (0..6).map(|_| waits.next()).collect();
        assert_eq!(first, [10, 20, 40, 60, 60, 60]);
    }
}
