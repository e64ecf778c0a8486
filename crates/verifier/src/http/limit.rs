// SPDX-License-Identifier: Apache-2.0
//! How often each client address may ask.
//!
//! Behind a proxy every client has the proxy's address.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use subrosa_collateral::Clock;
use subrosa_quota::{Limiter, Now};

/// By the service's clock, and answering in its unit: seconds. Fetches are limited as well as
/// requests.
pub(super) struct Quota(Limiter);

impl Quota {
    /// `rate` requests a second, `burst` at once.
    pub(super) fn per_second(rate: u32, burst: u32, clock: &Clock) -> Self {
        Self(Limiter::per_second(rate, burst, &passed(clock)))
    }

    /// `rate` requests a minute, `burst` at once.
    pub(super) fn per_minute(rate: u32, burst: u32, clock: &Clock) -> Self {
        Self(Limiter::per_minute(rate, burst, &passed(clock)))
    }

    /// Counts a request of `client`, or says how many seconds to wait.
    pub(super) fn admit(&self, client: IpAddr) -> Result<(), u64> {
        self.0
            .admit(client)
            .map_err(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    }
}

fn passed(clock: &Clock) -> Now {
    let clock = Clock::clone(clock);
    Arc::new(move || Duration::from_secs(clock()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn waiting_is_counted_in_whole_seconds_of_the_service_s_clock() {
        let hand = Arc::new(AtomicU64::new(100));
        let shown = Arc::clone(&hand);
        let clock: Clock = Arc::new(move || shown.load(Ordering::SeqCst));
        let client = IpAddr::from([192, 0, 2, 1]);
        let quota = Quota::per_second(2, 1, &clock);
        assert_eq!(quota.admit(client), Ok(()));
        assert_eq!(quota.admit(client), Err(1));
        hand.store(101, Ordering::SeqCst);
        assert_eq!(quota.admit(client), Ok(()));
        let slow = Quota::per_minute(2, 1, &clock);
        assert_eq!(slow.admit(client), Ok(()));
        assert_eq!(slow.admit(client), Err(30));
    }
}
