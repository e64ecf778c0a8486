// SPDX-License-Identifier: Apache-2.0
//! What is told of a run.
//!
//! A ratio is the time of a private call, from request to response, to the sum of the floor's parts
//! of the same suite. *In* a private call: the entry's hashes and its storage proof, decapsulation,
//! key commitment, decryption, decoding, the EVM, the commitment, sealing of the delta and (if
//! there is a reply key) of the output, result hashes, the anchor's header, the signature. *Not
//! in* it: frame codecs (but in `*_framed`), the stream, the host.
//!
//! Of a call in a batch, proof and signature count by its share, in the call and in the floor. A
//! batch takes milliseconds, so on a busy machine its median counts the scheduler too: compare
//! minima there. The `hpke` crate expands its private key on each opening and the enclave does not,
//! which is how a call can come out below the floor.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    BATCH_ROUNDS, ROUNDS,
    clock::{Probe, Summary, round},
    machine::Machine,
    whole::BATCH,
};

#[derive(Serialize)]
pub(crate) struct Report {
    /// Of this object's keys.
    version: u32,
    machine: Machine,
    rounds: usize,
    batch_rounds: usize,
    batch_entries: usize,
    /// Parts of the floor.
    floor: BTreeMap<&'static str, Summary>,
    stages: BTreeMap<&'static str, Summary>,
    /// Per call: execute and sign; of a batch, its share.
    calls: BTreeMap<&'static str, Summary>,
    /// On one core, from the median.
    calls_per_second: BTreeMap<&'static str, u64>,
    ratios: Vec<Ratio>,
}

/// A private call against a floor.
#[derive(Serialize)]
struct Ratio {
    name: &'static str,
    call: &'static str,
    floor: Vec<FloorPart>,
    call_p50_us: f64,
    floor_p50_us: f64,
    ratio_p50: f64,
    ratio_min: f64,
}

#[derive(Serialize)]
struct FloorPart {
    part: &'static str,
    times: f64,
}

const XWING: &str = "floor_xwing_hpke_open_1kib";
const X25519: &str = "floor_x25519_hpke_open_1kib";
const REPLY_XWING: &str = "floor_xwing_hpke_seal_1kib";
const REPLY_X25519: &str = "floor_x25519_hpke_seal_1kib";
const SEAL: &str = "floor_aes256gcm_seal_1kib";
const SIGN: &str = "floor_libsecp256k1_sign_recoverable";

/// Name, call, and what the floor opens and seals by HPKE beside one AES-256-GCM seal and one
/// signature. The last three set a call whose output is sealed by HPKE against a floor that does
/// not: what the reply key costs.
const RATIOS: [(&str, &str, &[&str]); 13] = [
    ("xwing", "call_xwing", &[XWING]),
    ("xwing_batch", "batch_xwing", &[XWING]),
    (
        "xwing_reply_x25519",
        "call_xwing_reply_x25519",
        &[XWING, REPLY_X25519],
    ),
    (
        "xwing_reply_x25519_batch",
        "batch_xwing_reply_x25519",
        &[XWING, REPLY_X25519],
    ),
    (
        "xwing_reply_xwing",
        "call_xwing_reply_xwing",
        &[XWING, REPLY_XWING],
    ),
    (
        "xwing_reply_xwing_batch",
        "batch_xwing_reply_xwing",
        &[XWING, REPLY_XWING],
    ),
    ("x25519", "call_x25519", &[X25519]),
    ("x25519_batch", "batch_x25519", &[X25519]),
    (
        "x25519_reply_x25519",
        "call_x25519_reply_x25519",
        &[X25519, REPLY_X25519],
    ),
    (
        "x25519_reply_x25519_batch",
        "batch_x25519_reply_x25519",
        &[X25519, REPLY_X25519],
    ),
    (
        "xwing_reply_x25519_to_plain_floor",
        "call_xwing_reply_x25519",
        &[XWING],
    ),
    (
        "xwing_reply_xwing_to_plain_floor",
        "call_xwing_reply_xwing",
        &[XWING],
    ),
    (
        "x25519_reply_x25519_to_plain_floor",
        "call_x25519_reply_x25519",
        &[X25519],
    ),
];

impl Report {
    pub(crate) fn new(probes: &[Probe]) -> Self {
        let all: BTreeMap<_, _> = probes
            .iter()
            .map(|probe| (probe.name, probe.summary()))
            .collect();
        let starting = |prefixes: &[&str]| -> BTreeMap<&'static str, Summary> {
            all.iter()
                .filter(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix)))
                .map(|(name, summary)| (*name, *summary))
                .collect()
        };
        let calls = starting(&["call_", "batch_"]);
        let per_second = |summary: &Summary| (1e6 / summary.p50) as u64;
        Self {
            version: 1,
            machine: Machine::here(),
            rounds: ROUNDS,
            batch_rounds: BATCH_ROUNDS,
            batch_entries: BATCH,
            floor: starting(&["floor_"]),
            stages: starting(&["stage_"]),
            calls_per_second: calls.iter().map(|(n, s)| (*n, per_second(s))).collect(),
            ratios: RATIOS
                .iter()
                .map(|(name, call, hpke)| Ratio::new(&all, name, call, hpke))
                .collect(),
            calls,
        }
    }

    pub(crate) fn print_json(&self) {
        println!("{}", serde_json::to_string_pretty(self).unwrap());
    }

    pub(crate) fn print_table(&self) {
        let Machine {
            cpu_model,
            logical_cpus,
            rustc,
            commit,
            optimized,
        } = &self.machine;
        println!("{cpu_model}, {logical_cpus} logical CPUs, one used");
        println!("{rustc}, commit {}", commit.as_deref().unwrap_or("unknown"));
        println!(
            "{} rounds, {} of batches of {BATCH}",
            self.rounds, self.batch_rounds
        );
        if !optimized {
            println!("NOT OPTIMIZED: the figures mean nothing");
        }
        for (title, summaries) in [
            ("floor: bare cryptography", &self.floor),
            ("stages of a private call", &self.stages),
            ("private calls: execute + sign, per call", &self.calls),
        ] {
            println!(
                "\n{title:<44}{:>10}{:>10}{:>10}",
                "min us", "p50 us", "p99 us"
            );
            for (name, Summary { min, p50, p99, .. }) in summaries {
                let per_second = self
                    .calls_per_second
                    .get(name)
                    .map(|calls| format!("{calls:>8} calls/s"))
                    .unwrap_or_default();
                println!("  {name:<42}{min:>10.1}{p50:>10.1}{p99:>10.1}{per_second}");
            }
        }
        println!(
            "\n{:<44}{:>10}{:>10}{:>10}{:>10}",
            "ratio to the floor", "call us", "floor us", "p50", "min"
        );
        for ratio in &self.ratios {
            println!(
                "  {:<42}{:>10.1}{:>10.1}{:>10.2}{:>10.2}   {}",
                ratio.name,
                ratio.call_p50_us,
                ratio.floor_p50_us,
                ratio.ratio_p50,
                ratio.ratio_min,
                ratio.floor_in_words()
            );
        }
        println!("\nA batch shares one proof and one signature, and so does its floor.");
    }
}

impl Ratio {
    fn new(
        all: &BTreeMap<&'static str, Summary>,
        name: &'static str,
        call: &'static str,
        hpke: &[&'static str],
    ) -> Self {
        let signatures = if call.starts_with("batch_") {
            1.0 / BATCH as f64
        } else {
            1.0
        };
        let whole = hpke.iter().map(|part| FloorPart { part, times: 1.0 });
        let floor: Vec<_> = whole
            .chain([
                FloorPart {
                    part: SEAL,
                    times: 1.0,
                },
                FloorPart {
                    part: SIGN,
                    times: signatures,
                },
            ])
            .collect();
        let sum = |of: fn(&Summary) -> f64| -> f64 {
            floor
                .iter()
                .map(|part| of(&all[part.part]) * part.times)
                .sum()
        };
        let (floor_p50, floor_min) = (sum(|summary| summary.p50), sum(|summary| summary.min));
        let call_summary = all[call];
        Self {
            name,
            call,
            call_p50_us: call_summary.p50,
            floor_p50_us: round(floor_p50),
            ratio_p50: round(call_summary.p50 / floor_p50),
            ratio_min: round(call_summary.min / floor_min),
            floor,
        }
    }

    fn floor_in_words(&self) -> String {
        let words: Vec<_> = self
            .floor
            .iter()
            .map(|FloorPart { part, times }| {
                let part = part.trim_start_matches("floor_");
                if *times == 1.0 {
                    part.into()
                } else {
                    format!("{part}/{BATCH}")
                }
            })
            .collect();
        words.join(" + ")
    }
}
