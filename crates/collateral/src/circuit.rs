// SPDX-License-Identifier: Apache-2.0
//! A circuit breaker for a source that does not answer.
//!
//! Closed, everything is asked. Open, nothing is, until a time that the source named or that
//! doubles with each failure; then one question probes it.
//!
//! Our own: failsafe, recloser and tower-resilience's breaker take no Retry-After, do not say until
//! when they are open, and read a clock of their own.

use crate::waits::Waits;

/// Whether a source is asked.
#[derive(Debug)]
pub(crate) struct Circuit {
    /// Failures since the last answer.
    failures: u32,
    /// What follows once it has opened.
    pauses: Waits,
    /// Open until, Unix seconds.
    until: u64,
}

impl Default for Circuit {
    fn default() -> Self {
        Self {
            failures: 0,
            pauses: Waits::doubling(FIRST_PAUSE, LONGEST_PAUSE),
            until: 0,
        }
    }
}

impl Circuit {
    /// Whether to ask at `now`; if not, from when. The question that is let through after a
    /// pause keeps the others waiting for its outcome.
    pub(crate) fn ask(&mut self, now: u64) -> Result<(), u64> {
        if now < self.until {
            return Err(self.until);
        }
        if self.failures >= PATIENCE {
            self.until = now.saturating_add(PROBE);
        }
        Ok(())
    }

    /// It answered; that it had nothing is an answer.
    pub(crate) fn answered(&mut self) {
        *self = Self::default();
    }

    /// It failed; `retry_after` is how many seconds it asked to be left alone, if it did.
    pub(crate) fn failed(&mut self, now: u64, retry_after: Option<u64>) {
        self.failures = self.failures.saturating_add(1);
        if retry_after.is_some() {
            self.failures = self.failures.max(PATIENCE);
        }
        if self.failures >= PATIENCE {
            let pause = self
                .pauses
                .next()
                .max(retry_after.unwrap_or(0).min(LONGEST_REQUEST));
            self.until = now.saturating_add(pause);
        }
    }

    /// Whether it is open at `now`.
    pub(crate) fn is_open(&self, now: u64) -> bool {
        now < self.until
    }
}

/// Failures in a row that open it.
const PATIENCE: u32 = 4;
/// Pauses, seconds.
const FIRST_PAUSE: u64 = 15;
const LONGEST_PAUSE: u64 = 900;
/// Longest pause that a source may ask for, seconds.
const LONGEST_REQUEST: u64 = 3600;
/// How long a probe keeps others waiting, seconds.
const PROBE: u64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_with_an_answer() {
        let mut circuit = Circuit::default();
        for _ in 0..3 {
            assert_eq!(circuit.ask(100), Ok(()));
            circuit.failed(100, None);
        }
        circuit.answered();
        for _ in 0..4 {
            assert_eq!(circuit.ask(100), Ok(()));
            circuit.failed(100, None);
        }
        assert!(circuit.is_open(114) && !circuit.is_open(115));
        assert_eq!(circuit.ask(114), Err(115));
        assert_eq!(circuit.ask(115), Ok(()), "one probes");
        assert_eq!(circuit.ask(115), Err(175), "the others wait for it");
        circuit.failed(116, None);
        assert_eq!(circuit.ask(116), Err(146), "twice as long");
        assert_eq!(circuit.ask(146), Ok(()));
        circuit.answered();
        assert_eq!(circuit.ask(146), Ok(()));
        assert_eq!(circuit.ask(146), Ok(()));
    }

    #[test]
    fn a_source_is_left_alone_as_long_as_it_asks_within_reason() {
        let mut circuit = Circuit::default();
        circuit.failed(0, Some(120));
        assert_eq!(circuit.ask(119), Err(120));
        circuit.answered();
        circuit.failed(0, Some(u64::MAX));
        assert_eq!(circuit.ask(0), Err(3600));
        circuit.answered();
        circuit.failed(0, Some(0));
        assert_eq!(circuit.ask(0), Err(15), "never shorter than its own pause");
    }

    #[test]
    fn pauses_have_an_end() {
        let mut circuit = Circuit::default();
        for _ in 0..100 {
            circuit.failed(0, None);
        }
        assert_eq!(circuit.ask(0), Err(900));
    }
}
