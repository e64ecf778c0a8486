// SPDX-License-Identifier: Apache-2.0
//! What one client address may ask: so much in a while, and so much at once.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use subrosa_quota::{Limiter, Now, subscriber};

use super::{caller::Caller, error::RpcError};
use crate::{clock::Clock, config::Limits};

/// What a call costs the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The enclave's time, or a look at every contract.
    Query,
    /// A quote, and the verifier's time.
    Attestation,
    /// Calls to the chain, and durable storage.
    Deploy,
}

/// What every client address may ask, and has asked.
#[derive(Debug)]
pub(super) struct Quotas {
    queries: Limiter,
    attestations: Limiter,
    deploys: Limiter,
    under_way: Arc<UnderWay>,
}

impl Quotas {
    pub(super) fn new(limits: &Limits, clock: &Arc<dyn Clock>) -> Self {
        let clock = Arc::clone(clock);
        let now: Now = Arc::new(move || clock.monotonic());
        Self {
            queries: Limiter::per_second(limits.queries_per_second, limits.query_burst, &now),
            attestations: Limiter::per_minute(
                limits.attestations_per_minute,
                limits.attestation_burst,
                &now,
            ),
            deploys: Limiter::per_minute(limits.deploys_per_minute, limits.deploy_burst, &now),
            under_way: UnderWay::at_most(limits.max_waiting),
        }
    }

    /// Counts a call, which is under way until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// [`RpcError::TooOften`] and [`RpcError::TooMany`].
    pub(super) fn admit(&self, kind: Kind, caller: Caller) -> Result<Admitted, RpcError> {
        let Caller(address) = caller;
        let admitted = self.under_way.enter(address).ok_or(RpcError::TooMany)?;
        let limiter = match kind {
            Kind::Query => &self.queries,
            Kind::Attestation => &self.attestations,
            Kind::Deploy => &self.deploys,
        };
        limiter.admit(address).map_err(RpcError::TooOften)?;
        Ok(admitted)
    }
}

/// Calls or connections under way by address. No longer than there are any.
#[derive(Debug)]
pub(super) struct UnderWay {
    most: usize,
    calls: Mutex<HashMap<IpAddr, usize>>,
}

impl UnderWay {
    /// For this many of each address.
    pub(super) fn at_most(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            calls: Mutex::default(),
        })
    }

    /// Counts one, which is under way until what is returned is dropped; `None` if it is one too many.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Admitted> {
        let client = subscriber(address);
        let mut calls = self.calls();
        let count = calls.entry(client).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(calls);
        Some(Admitted {
            client,
            under_way: Arc::clone(self),
        })
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call or a connection that is under way until this is dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    client: IpAddr,
    under_way: Arc<UnderWay>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut calls = self.under_way.calls();
        if let Some(count) = calls.get_mut(&self.client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                calls.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::SystemClock;

    fn quotas(limits: Limits) -> Quotas {
        Quotas::new(&limits, &SystemClock::shared())
    }

    fn client(last: u8) -> Caller {
        Caller(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn one_address_floods_and_another_is_served() {
        let quotas = quotas(Limits {
            attestations_per_minute: 1,
            attestation_burst: 3,
            ..Limits::default()
        });
        for _ in 0..3 {
            quotas.admit(Kind::Attestation, client(1)).unwrap();
        }
        let refused = quotas.admit(Kind::Attestation, client(1)).unwrap_err();
        let RpcError::TooOften(wait) = refused else {
            panic!("{refused}");
        };
        assert!(wait <= Duration::from_secs(60), "{wait:?}");
        quotas.admit(Kind::Attestation, client(2)).unwrap();
        quotas.admit(Kind::Query, client(1)).unwrap();
        quotas.admit(Kind::Deploy, client(1)).unwrap();
    }

    #[test]
    fn an_address_has_only_so_many_calls_under_way_and_none_is_remembered_after() {
        let quotas = quotas(Limits {
            max_waiting: 2,
            ..Limits::default()
        });
        let first = quotas.admit(Kind::Query, client(1)).unwrap();
        let second = quotas.admit(Kind::Attestation, client(1)).unwrap();
        let third = quotas.admit(Kind::Deploy, client(1));
        assert!(matches!(third, Err(RpcError::TooMany)));
        let other = quotas.admit(Kind::Query, client(2)).unwrap();
        drop(first);
        let again = quotas.admit(Kind::Query, client(1)).unwrap();
        drop((second, other, again));
        assert!(quotas.under_way.calls().is_empty());
    }
}
