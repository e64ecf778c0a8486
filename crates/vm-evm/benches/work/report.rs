// SPDX-License-Identifier: Apache-2.0
//! What is told of a run.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{case::Case, hostile::Ended, machine::Machine, overhead::Overhead};

/// How far from the median instruction anything may be.
const FURTHEST: f64 = 10.0;

/// The figure that is held against the project's goals.
#[derive(Serialize)]
struct Headline {
    worst_ns_per_work_ratio: f64,
}

#[derive(Serialize)]
pub(crate) struct Report {
    /// Of this object's keys.
    version: u32,
    machine: Machine,
    rounds: usize,
    /// Of all instructions that cost the same whatever their operands.
    median_ns_per_work: f64,
    /// The most that anything takes for its work, to the median.
    worst_ns_per_work_ratio: f64,
    worst: String,
    /// The other end: the median to the least that anything takes for its work.
    least_ns_per_work_ratio: f64,
    least: String,
    /// The longest that a call with all the fuel there is took.
    largest_call_ms: f64,
    largest_call: String,
    /// Counting, on a loop of the cheapest instructions and on a small call.
    loop_overhead: Overhead,
    call_overhead: Overhead,
    entries: BTreeMap<String, Entry>,
    endless: BTreeMap<String, Ended>,
    summary: Headline,
}

#[derive(Serialize)]
struct Entry {
    ns: f64,
    work: f64,
    /// Nanoseconds per work, to the median.
    ratio: f64,
}

impl Report {
    pub(crate) fn new(
        rounds: usize,
        pair: &Case,
        cases: &[Case],
        endless: BTreeMap<String, Ended>,
        (loop_overhead, call_overhead): (Overhead, Overhead),
    ) -> Self {
        let pair = pair.each((0.0, 0.0));
        let per_work = |case: &Case| {
            let (ns, work) = case.each(pair);
            // Less than the clock can tell apart is taken as that.
            (ns.max(SHORTEST), work)
        };
        let mut plain: Vec<f64> = cases
            .iter()
            .filter(|case| case.is_plain)
            .map(|case| {
                let (ns, work) = per_work(case);
                ns / work
            })
            .collect();
        plain.sort_by(f64::total_cmp);
        let median = plain[plain.len() / 2];
        let entries: BTreeMap<String, Entry> = cases
            .iter()
            .map(|case| {
                let (ns, work) = per_work(case);
                let ratio = ns / work / median;
                (case.name.clone(), Entry { ns, work, ratio })
            })
            .collect();
        let ratio = |(_, entry): &(&String, &Entry)| entry.ratio;
        let by_ratio = |a: &(&String, &Entry), b: &(&String, &Entry)| ratio(a).total_cmp(&ratio(b));
        let worst = entries.iter().max_by(by_ratio).unwrap();
        let least = entries.iter().min_by(by_ratio).unwrap();
        let largest = endless
            .iter()
            .max_by(|a, b| a.1.milliseconds.total_cmp(&b.1.milliseconds))
            .unwrap();
        Self {
            version: 1,
            machine: Machine::here(),
            rounds,
            median_ns_per_work: median,
            worst_ns_per_work_ratio: worst.1.ratio,
            worst: worst.0.clone(),
            least_ns_per_work_ratio: 1.0 / least.1.ratio,
            least: least.0.clone(),
            largest_call_ms: largest.1.milliseconds,
            largest_call: largest.0.clone(),
            loop_overhead,
            call_overhead,
            summary: Headline {
                worst_ns_per_work_ratio: worst.1.ratio,
            },
            entries,
            endless,
        }
    }

    /// Entries that take too long for their work, or far less than it says.
    pub(crate) fn is_within(&self) -> bool {
        self.worst_ns_per_work_ratio <= FURTHEST && self.least_ns_per_work_ratio <= FURTHEST
    }

    pub(crate) fn print_json(&self) {
        println!("{}", serde_json::to_string_pretty(self).unwrap());
    }

    pub(crate) fn print_table(&self) {
        let machine = &self.machine;
        println!(
            "{}, {} logical CPUs, {}, {}\n",
            machine.cpu_model,
            machine.logical_cpus,
            machine.rustc,
            if machine.optimized {
                "optimized"
            } else {
                "NOT OPTIMIZED: these numbers mean nothing"
            }
        );
        println!("{:<44} {:>12} {:>12} {:>8}", "", "ns", "work", "ratio");
        for (name, Entry { ns, work, ratio }) in &self.entries {
            let off = if (1.0 / FURTHEST..=FURTHEST).contains(ratio) {
                ""
            } else {
                "  TOO FAR"
            };
            println!("{name:<44} {ns:>12.2} {work:>12.1} {ratio:>8.2}{off}");
        }
        println!(
            "\n{:<44} {:>12} {:>12} {:>8}",
            "with all fuel", "ms", "work", "ns/work"
        );
        for (name, ended) in &self.endless {
            println!(
                "{name:<44} {:>12.1} {:>12} {:>8.2}  out of {}",
                ended.milliseconds, ended.work, ended.nanoseconds_per_work, ended.out_of
            );
        }
        println!(
            "\nmedian {:.3} ns per work; worst {:.2} ({}), least 1/{:.2} ({})",
            self.median_ns_per_work,
            self.worst_ns_per_work_ratio,
            self.worst,
            self.least_ns_per_work_ratio,
            self.least
        );
        println!(
            "largest call: {:.0} ms ({})",
            self.largest_call_ms, self.largest_call
        );
        for (what, overhead) in [("loop", self.loop_overhead), ("call", self.call_overhead)] {
            println!(
                "{what}: {:.0} ns counted, {:.0} ns on stock revm, {:.3}",
                overhead.counted_ns, overhead.stock_revm_ns, overhead.ratio
            );
        }
    }
}

/// Nanoseconds below which differences mean nothing.
const SHORTEST: f64 = 0.2;
