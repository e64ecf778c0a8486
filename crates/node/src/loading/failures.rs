// SPDX-License-Identifier: Apache-2.0
//! Contracts that could not be loaded, and when to try again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use subrosa_types::{ContractId, frame::FrameError};

use crate::backoff::Backoff;

/// Contracts that could not be loaded.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<ContractId, Failure>>);

#[derive(Debug)]
struct Failure {
    why: FrameError,
    backoff: Backoff,
    /// Reading of the clock before which it is not tried again.
    not_before: Duration,
}

impl Failures {
    /// Why a contract is not to be tried at this time; `None` if it is.
    pub(super) fn standing(&self, contract: ContractId, now: Duration) -> Option<FrameError> {
        let failures = self.lock();
        let failure = failures.get(&contract)?;
        (now < failure.not_before).then(|| failure.why.clone())
    }

    /// Notes that a contract could not be loaded. It waits longer each time.
    pub(super) fn failed(&self, contract: ContractId, why: FrameError, now: Duration) {
        let mut failures = self.lock();
        let failure = failures.entry(contract).or_insert_with(|| Failure {
            why: why.clone(),
            backoff: Backoff::new(FIRST_DELAY, LONGEST_DELAY),
            not_before: now,
        });
        failure.why = why;
        failure.not_before = now.saturating_add(failure.backoff.step());
    }

    /// Notes that a contract is loaded.
    pub(super) fn succeeded(&self, contract: ContractId) {
        self.lock().remove(&contract);
    }

    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ContractId, Failure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use subrosa_types::frame::ErrorCode;

    use super::*;

    /// Delays are computed with less precision than a clock has.
    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn a_failure_stands_longer_each_time_until_there_is_a_success() {
        let failures = Failures::default();
        let contract = ContractId::repeat_byte(1);
        let why = FrameError::new(ErrorCode::Blob, "damaged");
        let mut now = Duration::ZERO;
        for delay in [FIRST_DELAY, FIRST_DELAY * 2, FIRST_DELAY * 4] {
            failures.failed(contract, why.clone(), now);
            let almost = now + delay - MILLISECOND;
            assert_eq!(failures.standing(contract, almost), Some(why.clone()));
            now += delay + MILLISECOND;
            assert_eq!(failures.standing(contract, now), None);
            assert_eq!(failures.count(), 1);
        }
        failures.succeeded(contract);
        assert_eq!(failures.count(), 0);
        failures.failed(contract, why.clone(), now);
        assert_eq!(
            failures.standing(contract, now + FIRST_DELAY + MILLISECOND),
            None
        );
    }
}
