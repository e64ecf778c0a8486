// SPDX-License-Identifier: Apache-2.0
//! What is told of a run.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ROUNDS;
use crate::clock::{Probe, Summary, round};
use crate::machine::Machine;
use crate::reference::{P256, P384};

/// What a probe judges.
pub(crate) struct Judged {
    /// The probe's.
    pub(crate) name: &'static str,
    /// `forged`, or the name of a genuine vector.
    pub(crate) evidence: String,
    /// Microseconds.
    pub(crate) limit: f64,
}

#[derive(Serialize)]
pub(crate) struct Report {
    /// Of this object's keys.
    version: u32,
    machine: Machine,
    rounds: usize,
    references: BTreeMap<&'static str, Summary>,
    kinds: BTreeMap<&'static str, Kind>,
}

#[derive(Serialize)]
struct Kind {
    evidence: String,
    #[serde(flatten)]
    summary: Summary,
    /// Median to the medians of the references.
    ratio_to_p256: f64,
    ratio_to_p384: f64,
    /// What the median should stay below on an idle core.
    limit_us: f64,
    within_limit: bool,
}

impl Report {
    pub(crate) fn new(judged: &[Judged], probes: &[Probe]) -> Self {
        let summary = |name: &str| {
            let probe = probes.iter().find(|probe| probe.name == name);
            probe.unwrap().summary()
        };
        let (p256, p384) = (summary(P256), summary(P384));
        let kinds = judged.iter().map(|judged| {
            let summary = summary(judged.name);
            let kind = Kind {
                evidence: judged.evidence.clone(),
                summary,
                ratio_to_p256: round(summary.p50 / p256.p50),
                ratio_to_p384: round(summary.p50 / p384.p50),
                limit_us: judged.limit,
                within_limit: summary.p50 <= judged.limit,
            };
            (judged.name, kind)
        });
        Self {
            version: 1,
            machine: Machine::here(),
            rounds: ROUNDS,
            kinds: kinds.collect(),
            references: BTreeMap::from([(P256, p256), (P384, p384)]),
        }
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
        println!(
            "{:<24} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8}  evidence",
            "microseconds", "min", "p50", "p99", "/ P-256", "/ P-384", "limit"
        );
        for (name, summary) in &self.references {
            let Summary { min, p50, p99, .. } = summary;
            println!("{name:<24} {min:>9.1} {p50:>9.1} {p99:>9.1}");
        }
        for (name, kind) in &self.kinds {
            let Summary { min, p50, p99, .. } = kind.summary;
            println!(
                "{name:<24} {min:>9.1} {p50:>9.1} {p99:>9.1} {:>8.2} {:>8.2} {:>8}  {}{}",
                kind.ratio_to_p256,
                kind.ratio_to_p384,
                kind.limit_us,
                kind.evidence,
                if kind.within_limit {
                    ""
                } else {
                    "  OVER ITS LIMIT"
                }
            );
        }
    }
}
