// SPDX-License-Identifier: Apache-2.0
//! What is told of a run.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Size, histogram::Histogram, machine::Machine, processes::Seconds};

#[derive(Serialize)]
pub(crate) struct Report {
    /// Of this object's keys.
    version: u32,
    machine: Machine,
    requests: usize,
    contracts: usize,
    accounts: u8,
    /// While idle.
    idle: Latency,
    rounds: Vec<Round>,
    /// Of all rounds, by process.
    cpu_seconds: Seconds,
    /// Of that, the chain's share and that of this benchmark.
    chain_share: f64,
    load_share: f64,
    /// What the processes of the service, node and enclave, used for one request, microseconds.
    service_us_per_request: f64,
    settled_per_s: f64,
    event_to_sent_p50_ms: f64,
    event_to_sent_p99_ms: f64,
    summary: BTreeMap<&'static str, Figure>,
}

/// From seeing an entry to having its fulfillment sent.
#[derive(Serialize)]
pub(crate) struct Latency {
    count: u64,
    p50_ms: f64,
    p99_ms: f64,
}

impl From<Histogram> for Latency {
    fn from(histogram: Histogram) -> Self {
        Self {
            count: histogram.count(),
            p50_ms: round(histogram.milliseconds(0.5)),
            p99_ms: round(histogram.milliseconds(0.99)),
        }
    }
}

/// One load, from the first request sent to the last one settled.
#[derive(Serialize)]
pub(crate) struct Round {
    pub(crate) settled_per_s: f64,
    pub(crate) seconds: f64,
    pub(crate) cpu: Seconds,
    pub(crate) latency: Latency,
}

/// A figure of `docs/results/bench.json`, and the least and most that rounds came to.
#[derive(Clone, Copy, Serialize)]
struct Figure {
    value: f64,
    low: f64,
    high: f64,
}

impl Report {
    pub(crate) fn new(size: &Size, idle: &Histogram, rounds: Vec<Round>) -> Self {
        let mut settled: Vec<f64> = rounds.iter().map(|one| round(one.settled_per_s)).collect();
        settled.sort_by(f64::total_cmp);
        let throughput = Figure {
            value: settled[settled.len() / 2],
            low: settled[0],
            high: settled[settled.len() - 1],
        };
        let latency = Figure {
            value: round(idle.milliseconds(0.5)),
            low: round(idle.milliseconds(0.4)),
            high: round(idle.milliseconds(0.6)),
        };
        let cpu = rounds
            .iter()
            .fold(Seconds::default(), |sum, one| sum.plus(&one.cpu));
        let settled = (size.requests * size.rounds) as f64;
        Self {
            version: 1,
            machine: Machine::here(),
            requests: size.requests,
            contracts: size.contracts,
            accounts: size.accounts,
            idle: idle.clone().into(),
            rounds,
            cpu_seconds: cpu,
            chain_share: round(cpu.chain / cpu.total()),
            load_share: round(cpu.load / cpu.total()),
            service_us_per_request: round((cpu.node + cpu.enclave) / settled * 1e6),
            settled_per_s: throughput.value,
            event_to_sent_p50_ms: latency.value,
            event_to_sent_p99_ms: round(idle.milliseconds(0.99)),
            summary: [
                ("settled_per_s", throughput),
                ("event_to_sent_p50_ms", latency),
            ]
            .into(),
        }
    }

    pub(crate) fn print_json(&self) {
        println!("{}", serde_json::to_string_pretty(self).unwrap());
    }

    pub(crate) fn print_table(&self) {
        let Self {
            requests,
            contracts,
            accounts,
            ..
        } = self;
        println!("{requests} requests of {accounts} accounts over {contracts} contracts");
        println!("settled per second        {:>10.0}", self.settled_per_s);
        for round in &self.rounds {
            println!(
                "  a round                 {:>10.0}   event to sent p50 {:.0} ms, p99 {:.0} ms",
                round.settled_per_s, round.latency.p50_ms, round.latency.p99_ms
            );
        }
        println!(
            "event to sent, idle, p50  {:>10.2} ms",
            self.event_to_sent_p50_ms
        );
        println!(
            "event to sent, idle, p99  {:>10.2} ms",
            self.event_to_sent_p99_ms
        );
        let cpu = &self.cpu_seconds;
        for (name, seconds) in [
            ("chain", cpu.chain),
            ("node", cpu.node),
            ("enclave", cpu.enclave),
            ("this load", cpu.load),
        ] {
            println!("cpu seconds, {name:<12} {seconds:>10.2}");
        }
        println!(
            "node and enclave          {:>10.0} us per request",
            self.service_us_per_request
        );
    }
}

/// To three digits.
pub(crate) fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
