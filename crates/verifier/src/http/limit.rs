// SPDX-License-Identifier: Apache-2.0
//! How often each client address may ask.
//!
//! Limits what one address asks, in one process. It does not limit many addresses together, and
//! behind a proxy every client has the proxy's address.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError, RwLock};

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use subrosa_collateral::Clock;

/// One quota, for each client. Not tower_governor: this answers in the service's own form, knows
/// the service's clock, and fetches are limited by it as well.
pub(super) struct Limiter {
    quota: Quota,
    clock: Clock,
    clients: RwLock<Clients>,
}

type Clients = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, Elapsed, NoOpMiddleware<Nanos>>;

impl Limiter {
    /// `rate` requests a second, `burst` at once.
    pub(super) fn per_second(rate: u32, burst: u32, clock: &Clock) -> Self {
        Self::new(Quota::per_second(positive(rate)), burst, clock)
    }

    /// `rate` requests a minute, `burst` at once.
    pub(super) fn per_minute(rate: u32, burst: u32, clock: &Clock) -> Self {
        Self::new(Quota::per_minute(positive(rate)), burst, clock)
    }

    fn new(quota: Quota, burst: u32, clock: &Clock) -> Self {
        let quota = quota.allow_burst(positive(burst.min(MAX_BURST)));
        Self {
            quota,
            clock: Clock::clone(clock),
            clients: RwLock::new(clients(quota, clock)),
        }
    }

    /// Counts a request of `client`, or says how many seconds to wait.
    pub(super) fn admit(&self, client: IpAddr) -> Result<(), u64> {
        self.make_room();
        let clients = self.clients.read().unwrap_or_else(PoisonError::into_inner);
        clients.check_key(&subscriber(client)).map_err(|not_until| {
            let wait = not_until.wait_time_from(clients.clock().now());
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
        })
    }

    /// Forgets clients that ask rarely if there are too many, and everybody if that does not help.
    fn make_room(&self) {
        let full = |clients: &Clients| clients.len() >= MAX_CLIENTS;
        {
            let held = self.clients.read().unwrap_or_else(PoisonError::into_inner);
            if !full(&held) {
                return;
            }
            held.retain_recent();
            if !full(&held) {
                return;
            }
        }
        let mut held = self.clients.write().unwrap_or_else(PoisonError::into_inner);
        // Another request may have been faster.
        if full(&held) {
            *held = clients(self.quota, &self.clock);
        }
    }
}

/// The time that has passed by the service's clock. A clock that goes back makes nothing pass, and
/// is counted on from there.
struct Elapsed {
    clock: Clock,
    /// What the clock said last, and what had passed by then, seconds.
    last: Mutex<(u64, u64)>,
}

impl governor::clock::Clock for Elapsed {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        const SECOND: u64 = 1_000_000_000;
        let now = (self.clock)();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (then, passed) = *last;
        // Bounded well below what nanoseconds can say, so that a quota can be added.
        let passed = passed
            .saturating_add(now.saturating_sub(then))
            .min(u64::MAX / SECOND / 4);
        *last = (now, passed);
        Nanos::new(passed * SECOND)
    }
}

fn clients(quota: Quota, clock: &Clock) -> Clients {
    let elapsed = Elapsed {
        last: Mutex::new((clock(), 0)),
        clock: Clock::clone(clock),
    };
    RateLimiter::hashmap_with_clock(quota, elapsed)
}

/// Configurations are checked to contain no zero.
fn positive(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

/// Who is behind an address: with IPv6, whoever has the /64. One of IPv4 that came in by a listener
/// of IPv6 is of IPv4.
fn subscriber(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(v6) => {
            const NETWORK: u128 = !(u64::MAX as u128);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & NETWORK))
        }
        v4 => v4,
    }
}

/// Bound on the table, clients.
const MAX_CLIENTS: usize = 65_536;
/// Largest burst that is told from a larger one: at one a minute, what accrues in 30 years.
const MAX_BURST: u32 = 1 << 24;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn an_address_of_ipv4_is_one_by_whichever_listener() {
        let mapped = |text: &str| subscriber(text.parse().unwrap());
        assert_eq!(mapped("::ffff:192.0.2.1"), mapped("192.0.2.1"));
        assert_ne!(mapped("::ffff:192.0.2.1"), mapped("::ffff:192.0.2.2"));
        assert_eq!(mapped("2001:db8::1"), mapped("2001:db8::2"));
    }

    /// A clock that starts at `now`, and its hand.
    fn clock(now: u64) -> (Clock, Arc<AtomicU64>) {
        let hand = Arc::new(AtomicU64::new(now));
        let shown = Arc::clone(&hand);
        (Arc::new(move || shown.load(Ordering::SeqCst)), hand)
    }

    /// What `limiter` answers at `now`.
    fn at(hand: &AtomicU64, now: u64, limiter: &Limiter, client: IpAddr) -> Result<(), u64> {
        hand.store(now, Ordering::SeqCst);
        limiter.admit(client)
    }

    fn v4(last: u32) -> IpAddr {
        IpAddr::from(last.to_be_bytes())
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let (clock, hand) = clock(0);
        let limiter = Limiter::per_second(2, 3, &clock);
        for _ in 0..3 {
            assert_eq!(at(&hand, 100, &limiter, v4(1)), Ok(()));
        }
        assert_eq!(at(&hand, 100, &limiter, v4(1)), Err(1));
        assert_eq!(
            at(&hand, 100, &limiter, v4(2)),
            Ok(()),
            "another client has its own bucket"
        );
        assert_eq!(at(&hand, 101, &limiter, v4(1)), Ok(()));
        assert_eq!(at(&hand, 101, &limiter, v4(1)), Ok(()));
        assert_eq!(at(&hand, 101, &limiter, v4(1)), Err(1));
        for _ in 0..3 {
            assert_eq!(
                at(&hand, 1_000, &limiter, v4(1)),
                Ok(()),
                "no more than a burst accrues"
            );
        }
        assert_eq!(at(&hand, 1_000, &limiter, v4(1)), Err(1));
        assert_eq!(
            at(&hand, 500, &limiter, v4(1)),
            Err(1),
            "a clock that goes back refills nothing"
        );
    }

    #[test]
    fn a_slow_rate_says_how_long_to_wait() {
        let (clock, hand) = clock(0);
        let limiter = Limiter::per_minute(2, 2, &clock);
        assert_eq!(at(&hand, 100, &limiter, v4(1)), Ok(()));
        assert_eq!(at(&hand, 100, &limiter, v4(1)), Ok(()));
        assert_eq!(at(&hand, 100, &limiter, v4(1)), Err(30));
        assert_eq!(at(&hand, 129, &limiter, v4(1)), Err(1));
        assert_eq!(at(&hand, 130, &limiter, v4(1)), Ok(()));
        assert_eq!(at(&hand, 130, &limiter, v4(1)), Err(30));
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        let (clock, hand) = clock(0);
        let limiter = Limiter::per_second(1, 1, &clock);
        assert_eq!(
            at(&hand, 0, &limiter, "2001:db8::1".parse().unwrap()),
            Ok(())
        );
        assert_eq!(
            at(&hand, 0, &limiter, "2001:db8::2".parse().unwrap()),
            Err(1)
        );
        assert_eq!(
            at(&hand, 0, &limiter, "2001:db8:0:1::1".parse().unwrap()),
            Ok(())
        );
    }

    #[test]
    fn the_table_is_bounded() {
        let (clock, hand) = clock(0);
        let limiter = Limiter::per_second(1, 1, &clock);
        for client in 0..=u32::try_from(MAX_CLIENTS).unwrap() {
            assert_eq!(at(&hand, 0, &limiter, v4(client)), Ok(()));
        }
        assert!(limiter.clients.read().unwrap().len() <= MAX_CLIENTS);
    }

    #[test]
    fn the_largest_configuration_is_no_overflow() {
        let (clock, hand) = clock(0);
        let slow = Limiter::per_minute(1, u32::MAX, &clock);
        let fast = Limiter::per_second(u32::MAX, u32::MAX, &clock);
        for now in [0, 1, u64::MAX, 0, u64::MAX] {
            assert_eq!(at(&hand, now, &slow, v4(1)), Ok(()), "{now}");
            assert_eq!(at(&hand, now, &fast, v4(1)), Ok(()), "{now}");
        }
    }
}
