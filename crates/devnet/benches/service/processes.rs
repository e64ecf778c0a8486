// SPDX-License-Identifier: Apache-2.0
//! Processor time by process.

use serde::Serialize;
use subrosa_devnet::{Devnet, Service};

/// Seconds of processor time, in user and kernel mode.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Seconds {
    pub(crate) chain: f64,
    pub(crate) node: f64,
    pub(crate) enclave: f64,
    /// This benchmark.
    pub(crate) load: f64,
}

impl Seconds {
    /// Since each process started.
    pub(crate) fn now(network: &Devnet) -> Self {
        let of = |service| {
            let process = network.process(service).and_then(|process| process.pid());
            used(process.unwrap())
        };
        Self {
            chain: of(Service::Chain),
            node: of(Service::Node),
            enclave: of(Service::Enclave),
            load: used(std::process::id()),
        }
    }

    pub(crate) fn since(self, before: &Self) -> Self {
        self.with(before, |now, before| now - before)
    }

    pub(crate) fn plus(self, other: &Self) -> Self {
        self.with(other, |one, other| one + other)
    }

    pub(crate) fn total(&self) -> f64 {
        self.chain + self.node + self.enclave + self.load
    }

    fn with(self, other: &Self, combine: impl Fn(f64, f64) -> f64) -> Self {
        let combine = |one, other| crate::report::round(combine(one, other));
        Self {
            chain: combine(self.chain, other.chain),
            node: combine(self.node, other.node),
            enclave: combine(self.enclave, other.enclave),
            load: combine(self.load, other.load),
        }
    }
}

/// `utime` and `stime` of `/proc/PID/stat`.
fn used(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    ticks as f64 / TICKS_PER_SECOND
}

/// USER_HZ, which Linux shows to every process on every machine.
const TICKS_PER_SECOND: f64 = 100.0;
