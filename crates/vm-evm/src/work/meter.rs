// SPDX-License-Identifier: Apache-2.0
//! The count of one execution.

use core::cell::Cell;

/// Work that one execution may still do. Shared by everything that does some.
#[derive(Debug)]
pub(crate) struct Meter {
    limit: i64,
    /// Below zero once the limit is passed.
    left: Cell<i64>,
}

impl Meter {
    pub(crate) fn new(limit: u64) -> Self {
        let limit = signed(limit);
        Self {
            limit,
            left: Cell::new(limit),
        }
    }

    /// Counts work, done or about to be; says whether it is within the limit.
    pub(crate) fn spend(&self, work: u64) -> bool {
        self.left.set(self.left.get().saturating_sub(signed(work)));
        !self.is_exhausted()
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.left.get() < 0
    }

    /// What is left; below zero if too much was done.
    #[inline]
    pub(crate) fn left(&self) -> i64 {
        self.left.get()
    }

    /// All that was counted.
    pub(crate) fn used(&self) -> u64 {
        self.limit.saturating_sub(self.left.get()).unsigned_abs()
    }
}

fn signed(work: u64) -> i64 {
    i64::try_from(work).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_can_be_used_and_nothing_beyond() {
        let meter = Meter::new(10);
        assert!(meter.spend(10) && !meter.is_exhausted());
        assert!(meter.spend(0));
        assert!(!meter.spend(1) && meter.is_exhausted());
        assert_eq!(meter.used(), 11);
    }

    #[test]
    fn counts_do_not_wrap() {
        let meter = Meter::new(u64::MAX);
        for _ in 0..4 {
            meter.spend(u64::MAX);
        }
        assert!(meter.is_exhausted());
        assert_eq!(meter.used(), i64::MAX.unsigned_abs());
    }
}
