// SPDX-License-Identifier: Apache-2.0
//! How often each client address may ask: a token bucket per address, in a table that is bounded.
//!
//! Limits what one address asks, in one process. It does not limit many addresses together, and knows
//! nothing of proxies: whoever serves says whose address counts.
//!
//! Start at [`Limiter`].
#![forbid(unsafe_code)]

mod elapsed;
mod subscriber;

use std::{
    fmt,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use governor::{
    Quota, RateLimiter, clock::Clock as _, middleware::NoOpMiddleware, nanos::Nanos,
    state::keyed::HashMapStateStore,
};

use self::elapsed::Elapsed;
pub use self::{elapsed::Now, subscriber::subscriber};

/// One quota, for each client.
pub struct Limiter {
    quota: Quota,
    now: Now,
    clients: RwLock<Clients>,
}

type Clients = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, Elapsed, NoOpMiddleware<Nanos>>;

impl Limiter {
    /// `rate` requests a second, `burst` at once; 0 counts as 1.
    pub fn per_second(rate: u32, burst: u32, now: &Now) -> Self {
        Self::new(Quota::per_second(positive(rate)), burst, now)
    }

    /// `rate` requests a minute, `burst` at once; 0 counts as 1.
    pub fn per_minute(rate: u32, burst: u32, now: &Now) -> Self {
        Self::new(Quota::per_minute(positive(rate)), burst, now)
    }

    fn new(quota: Quota, burst: u32, now: &Now) -> Self {
        let quota = quota.allow_burst(positive(burst.min(MAX_BURST)));
        Self {
            quota,
            now: Arc::clone(now),
            clients: RwLock::new(clients(quota, now)),
        }
    }

    /// Counts a request of `client`.
    ///
    /// # Errors
    ///
    /// How long to wait, if the client has used up its quota; the request is not counted then.
    pub fn admit(&self, client: IpAddr) -> Result<(), Duration> {
        self.make_room();
        let clients = self.clients.read().unwrap_or_else(PoisonError::into_inner);
        clients
            .check_key(&subscriber(client))
            .map_err(|not_until| not_until.wait_time_from(clients.clock().now()))
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
            *held = clients(self.quota, &self.now);
        }
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").finish_non_exhaustive()
    }
}

fn clients(quota: Quota, now: &Now) -> Clients {
    RateLimiter::hashmap_with_clock(quota, Elapsed::since_now(now))
}

/// Configurations are checked to contain no zero.
fn positive(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

/// Bound on the table, clients.
pub const MAX_CLIENTS: usize = 65_536;
/// Largest burst that is told from a larger one: at one a minute, what accrues in 30 years.
const MAX_BURST: u32 = 1 << 24;

#[cfg(test)]
mod tests;
