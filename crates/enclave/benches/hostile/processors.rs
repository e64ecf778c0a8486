// SPDX-License-Identifier: Apache-2.0
//! Who had the machine's processors: this process and the enclave, or somebody else.

use std::time::Instant;

/// Processor time so far.
pub(crate) struct Usage {
    at: Instant,
    ours: f64,
    all: f64,
}

/// Processors that were busy, on average.
#[derive(Clone, Copy)]
pub(crate) struct Busy {
    /// With this process and the enclave.
    pub(crate) ours: f64,
    /// With anything else.
    pub(crate) others: f64,
}

impl Usage {
    pub(crate) fn now(enclave: u32) -> Self {
        Self {
            at: Instant::now(),
            ours: of_process("self") + of_process(&enclave.to_string()),
            all: of_machine(),
        }
    }

    /// Since `before`.
    pub(crate) fn since(&self, before: &Self) -> Busy {
        let seconds = (self.at - before.at).as_secs_f64();
        let ours = (self.ours - before.ours) / seconds;
        let all = (self.all - before.all) / seconds;
        Busy {
            ours,
            others: (all - ours).max(0.0),
        }
    }
}

fn of_process(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    seconds(fields.split_whitespace().skip(11).take(2))
}

/// Everything but idling: the fourth and fifth column.
fn of_machine() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap();
    let columns = stat.lines().next().unwrap().split_whitespace().skip(1);
    let busy = columns.take(8).enumerate();
    seconds(busy.filter_map(|(column, ticks)| (!matches!(column, 3 | 4)).then_some(ticks)))
}

/// Ticks of user space have had this length on every Linux.
fn seconds<'a>(ticks: impl Iterator<Item = &'a str>) -> f64 {
    ticks
        .map(|ticks| ticks.parse::<f64>().unwrap())
        .sum::<f64>()
        / 100.0
}
