// SPDX-License-Identifier: Apache-2.0
//! A token bucket per client address.
//!
//! Limits what one address asks, in one process. It does not limit many addresses together, and
//! behind a proxy every client has the proxy's address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

/// The buckets. A token is worth as many units as its period has seconds, so that a second earns
/// whole units.
#[derive(Debug)]
pub(crate) struct Limiter {
    units_per_second: u64,
    token: u64,
    full: u64,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    units: u64,
    /// When `units` was true, seconds.
    at: u64,
}

impl Limiter {
    /// `rate` tokens a second, `burst` at once.
    pub(crate) fn per_second(rate: u32, burst: u32) -> Self {
        Self::new(rate, 1, burst)
    }

    /// `rate` tokens a minute, `burst` at once.
    pub(crate) fn per_minute(rate: u32, burst: u32) -> Self {
        Self::new(rate, 60, burst)
    }

    fn new(rate: u32, period: u64, burst: u32) -> Self {
        Self {
            units_per_second: u64::from(rate).max(1),
            token: period,
            full: u64::from(burst).saturating_mul(period),
            buckets: Mutex::default(),
        }
    }

    /// Takes a token for `client` at `now` (seconds), or says how many seconds to wait.
    pub(crate) fn admit(&self, client: IpAddr, now: u64) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_CLIENTS {
            // A full bucket is as good as none.
            buckets.retain(|_, bucket| self.refilled(*bucket, now).units < self.full);
            if buckets.len() >= MAX_CLIENTS {
                buckets.clear();
            }
        }
        let full = Bucket {
            units: self.full,
            at: now,
        };
        let bucket = buckets.entry(subscriber(client)).or_insert(full);
        *bucket = self.refilled(*bucket, now);
        match bucket.units.checked_sub(self.token) {
            Some(left) => {
                bucket.units = left;
                Ok(())
            }
            None => Err((self.token - bucket.units).div_ceil(self.units_per_second)),
        }
    }

    fn refilled(&self, bucket: Bucket, now: u64) -> Bucket {
        // A clock that goes back refills nothing and starts counting from there.
        let earned = now
            .saturating_sub(bucket.at)
            .saturating_mul(self.units_per_second);
        Bucket {
            units: bucket.units.saturating_add(earned).min(self.full),
            at: now,
        }
    }
}

/// Who is behind an address: with IPv6, whoever has the /64.
fn subscriber(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V6(v6) => {
            const NETWORK: u128 = !(u64::MAX as u128);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & NETWORK))
        }
        v4 => v4,
    }
}

/// Bound on the table, clients. Past it full buckets are dropped first, then all.
const MAX_CLIENTS: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(last: u32) -> IpAddr {
        IpAddr::from(last.to_be_bytes())
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let limiter = Limiter::per_second(2, 3);
        for _ in 0..3 {
            assert_eq!(limiter.admit(v4(1), 100), Ok(()));
        }
        assert_eq!(limiter.admit(v4(1), 100), Err(1));
        assert_eq!(
            limiter.admit(v4(2), 100),
            Ok(()),
            "another client has its own bucket"
        );
        assert_eq!(limiter.admit(v4(1), 101), Ok(()));
        assert_eq!(limiter.admit(v4(1), 101), Ok(()));
        assert_eq!(limiter.admit(v4(1), 101), Err(1));
        for _ in 0..3 {
            assert_eq!(
                limiter.admit(v4(1), 1_000),
                Ok(()),
                "no more than a burst accrues"
            );
        }
        assert_eq!(limiter.admit(v4(1), 1_000), Err(1));
        assert_eq!(
            limiter.admit(v4(1), 500),
            Err(1),
            "a clock that goes back refills nothing"
        );
    }

    #[test]
    fn a_slow_rate_says_how_long_to_wait() {
        let limiter = Limiter::per_minute(2, 2);
        assert_eq!(limiter.admit(v4(1), 100), Ok(()));
        assert_eq!(limiter.admit(v4(1), 100), Ok(()));
        assert_eq!(limiter.admit(v4(1), 100), Err(30));
        assert_eq!(limiter.admit(v4(1), 129), Err(1));
        assert_eq!(limiter.admit(v4(1), 130), Ok(()));
        assert_eq!(limiter.admit(v4(1), 130), Err(30));
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        let limiter = Limiter::per_second(1, 1);
        assert_eq!(limiter.admit("2001:db8::1".parse().unwrap(), 0), Ok(()));
        assert_eq!(limiter.admit("2001:db8::2".parse().unwrap(), 0), Err(1));
        assert_eq!(limiter.admit("2001:db8:0:1::1".parse().unwrap(), 0), Ok(()));
    }

    #[test]
    fn the_table_is_bounded() {
        let limiter = Limiter::per_second(1, 1);
        for client in 0..=u32::try_from(MAX_CLIENTS).unwrap() {
            assert_eq!(limiter.admit(v4(client), 0), Ok(()));
        }
        assert!(limiter.buckets.lock().unwrap().len() <= MAX_CLIENTS);
    }
}
