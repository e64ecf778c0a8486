// SPDX-License-Identifier: Apache-2.0
//! Time that only goes on.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::nanos::Nanos;

/// The time since some moment, by the clock of whoever serves.
pub type Now = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The time that has passed by a clock. A clock that goes back makes nothing pass, and is counted on
/// from there.
pub(crate) struct Elapsed {
    now: Now,
    /// What the clock said last, and what had passed by then.
    last: Mutex<(Duration, Duration)>,
}

impl Elapsed {
    pub(crate) fn since_now(now: &Now) -> Self {
        Self {
            last: Mutex::new((now(), Duration::ZERO)),
            now: Arc::clone(now),
        }
    }
}

impl governor::clock::Clock for Elapsed {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let now = (self.now)();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (then, passed) = *last;
        let passed = passed
            .saturating_add(now.saturating_sub(then))
            .min(MOST_PASSED);
        *last = (now, passed);
        passed.into()
    }
}

/// Well below what nanoseconds in 64 bits can say, so that a quota can be added: 146 years.
const MOST_PASSED: Duration = Duration::from_nanos(u64::MAX / 4);
