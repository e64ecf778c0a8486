// SPDX-License-Identifier: Apache-2.0
//! What is measured: the difference between two guests, per execution of what makes the difference.

use subrosa_vm::Halt;
use subrosa_vm_evm::EvmEngine;

use crate::guest::Guest;

pub(crate) struct Case {
    pub(crate) name: String,
    /// Whether it is one instruction of fixed cost, of which the median is taken.
    pub(crate) is_plain: bool,
    with: Guest,
    without: Guest,
    /// How often the guest does what is measured.
    times: f64,
    /// What is added to the difference, in pairs of DUP and POP.
    pairs: f64,
    fastest_with: f64,
    fastest_without: f64,
    work: f64,
}

impl Case {
    /// What `with` does `times` times over and `without` does not.
    pub(crate) fn new(name: impl Into<String>, times: usize, with: Guest, without: Guest) -> Self {
        Self {
            name: name.into(),
            is_plain: false,
            with,
            without,
            times: times as f64,
            pairs: 0.0,
            fastest_with: f64::INFINITY,
            fastest_without: f64::INFINITY,
            work: 0.0,
        }
    }

    /// One instruction, which takes this many half pairs of DUP and POP more off the stack than the
    /// guest without it does.
    pub(crate) fn plain(mut self, half_pairs: f64) -> Self {
        self.is_plain = true;
        self.pairs = half_pairs / 2.0;
        self
    }

    /// As [`plain`](Self::plain), for an instruction whose cost depends on more.
    pub(crate) fn with_pairs(mut self, half_pairs: f64) -> Self {
        self.pairs = half_pairs / 2.0;
        self
    }

    /// One execution of each guest.
    pub(crate) fn sample(&mut self, engine: &EvmEngine) {
        if self.times < 2.0 {
            // So short that it would show whether the cache of analyzed code has it.
            self.with.execute(engine);
            self.without.execute(engine);
        }
        let (with, execution) = self.with.time(engine);
        assert!(
            matches!(execution.halt, Halt::Succeeded),
            "{}: {:?}",
            self.name,
            execution.halt
        );
        let (without, base) = self.without.time(engine);
        assert_eq!(base.halt, Halt::Succeeded, "{}", self.name);
        self.fastest_with = self.fastest_with.min(with);
        self.fastest_without = self.fastest_without.min(without);
        self.work = execution.work_used as f64 - base.work_used as f64;
    }

    /// Nanoseconds and work of one, given those of a pair of DUP and POP.
    pub(crate) fn each(&self, pair: (f64, f64)) -> (f64, f64) {
        let nanoseconds = (self.fastest_with - self.fastest_without) / self.times;
        let work = self.work / self.times;
        (
            nanoseconds + self.pairs * pair.0,
            work + self.pairs * pair.1,
        )
    }
}
