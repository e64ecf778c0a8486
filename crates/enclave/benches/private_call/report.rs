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
//! minima there.
//!
//! The floor is what the call cannot do without, by the fastest libraries: see [`crate::floor`]. Key
//! derivations, commitments, decoding, and all that holds the parts together are not in it. Neither
//! is a reply's randomness, and AWS-LC encapsulates with its own, which the enclave may not: a sealed
//! output has to be repeatable.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    BATCH_ROUNDS, ROUNDS,
    clock::{Probe, Summary, round},
    machine::Machine,
    whole::{BATCH, SESSION_BATCH},
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
    summary: Headline,
}

/// The figures that are held against the project's goals.
#[derive(Serialize)]
struct Headline {
    /// A whole private call with an X-Wing envelope to its floor.
    xwing_call_ratio: f64,
    /// Calls with sealed replies in a session, in batches, on one core.
    session_calls_per_s_core: u64,
    /// One of those to its floor.
    session_call_ratio: f64,
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

const AGREE: &str = "floor_x25519_agree";
const KEY_PAIR: &str = "floor_x25519_key_pair";
const DECAPSULATE: &str = "floor_mlkem768_decapsulate";
const ENCAPSULATE: &str = "floor_mlkem768_encapsulate";
const OPEN: &str = "floor_aes256gcm_open_2kib";
const SEAL_REPLY: &str = "floor_aes256gcm_seal_64b";
const SEAL_SESSION_REPLY: &str = "floor_aes256gcmsiv_seal_64b";
const SEAL_DELTA: &str = "floor_aes256gcmsiv_seal_512b";
const ENTRY: &str = "floor_entry_keccaks";
const EVM: &str = "floor_revm_call";
/// Of these, the entries of a batch share one.
const SHARED: [&str; 2] = ["floor_proof_keccaks", "floor_libsecp256k1_sign_recoverable"];

/// What every call pays for itself.
const CALL: [&str; 4] = [OPEN, ENTRY, EVM, SEAL_DELTA];

/// Name, call, entries that share a proof and a signature, and what the floor has beside [`CALL`] and
/// [`SHARED`].
const RATIOS: [(&str, &str, usize, &[&str]); 14] = [
    ("xwing", "call_xwing", 1, &[AGREE, DECAPSULATE]),
    ("xwing_batch", "batch_xwing", BATCH, &[AGREE, DECAPSULATE]),
    (
        "xwing_reply_x25519",
        "call_xwing_reply_x25519",
        1,
        &[AGREE, DECAPSULATE, KEY_PAIR, AGREE, SEAL_REPLY],
    ),
    (
        "xwing_reply_x25519_batch",
        "batch_xwing_reply_x25519",
        BATCH,
        &[AGREE, DECAPSULATE, KEY_PAIR, AGREE, SEAL_REPLY],
    ),
    (
        "xwing_reply_xwing",
        "call_xwing_reply_xwing",
        1,
        &[AGREE, DECAPSULATE, KEY_PAIR, AGREE, ENCAPSULATE, SEAL_REPLY],
    ),
    (
        "xwing_reply_xwing_batch",
        "batch_xwing_reply_xwing",
        BATCH,
        &[AGREE, DECAPSULATE, KEY_PAIR, AGREE, ENCAPSULATE, SEAL_REPLY],
    ),
    ("x25519", "call_x25519", 1, &[AGREE]),
    ("x25519_batch", "batch_x25519", BATCH, &[AGREE]),
    (
        "x25519_reply_x25519",
        "call_x25519_reply_x25519",
        1,
        &[AGREE, KEY_PAIR, AGREE, SEAL_REPLY],
    ),
    (
        "x25519_reply_x25519_batch",
        "batch_x25519_reply_x25519",
        BATCH,
        &[AGREE, KEY_PAIR, AGREE, SEAL_REPLY],
    ),
    ("session", "call_session", 1, &[]),
    ("session_batch", "batch_session", SESSION_BATCH, &[]),
    (
        "session_reply",
        "call_session_reply",
        1,
        &[SEAL_SESSION_REPLY],
    ),
    (
        "session_reply_batch",
        "batch_session_reply",
        SESSION_BATCH,
        &[SEAL_SESSION_REPLY],
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
        let ratios: Vec<_> = RATIOS
            .iter()
            .map(|(name, call, entries, beside)| Ratio::new(&all, name, call, *entries, beside))
            .collect();
        let per_second = |summary: &Summary| (1e6 / summary.p50) as u64;
        Self {
            version: 2,
            machine: Machine::here(),
            rounds: ROUNDS,
            batch_rounds: BATCH_ROUNDS,
            batch_entries: BATCH,
            floor: starting(&["floor_"]),
            stages: starting(&["stage_"]),
            calls_per_second: calls.iter().map(|(n, s)| (*n, per_second(s))).collect(),
            summary: Headline::of(&ratios),
            ratios,
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
            ("floor: the parts by themselves", &self.floor),
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
        let Headline {
            xwing_call_ratio,
            session_calls_per_s_core,
            session_call_ratio,
        } = &self.summary;
        println!(
            "xwing_call_ratio {xwing_call_ratio:.2}, session_calls_per_s_core \
             {session_calls_per_s_core}, session_call_ratio {session_call_ratio:.2}"
        );
    }
}

impl Headline {
    fn of(ratios: &[Ratio]) -> Self {
        let ratio = |name| ratios.iter().find(|ratio| ratio.name == name).unwrap();
        let in_session = ratio("session_reply_batch");
        Self {
            xwing_call_ratio: ratio("xwing").ratio_p50,
            session_calls_per_s_core: (1e6 / in_session.call_p50_us) as u64,
            session_call_ratio: in_session.ratio_p50,
        }
    }
}

impl Ratio {
    fn new(
        all: &BTreeMap<&'static str, Summary>,
        name: &'static str,
        call: &'static str,
        entries: usize,
        beside: &[&'static str],
    ) -> Self {
        let own = beside
            .iter()
            .chain(&CALL)
            .map(|part| FloorPart { part, times: 1.0 });
        let shared = SHARED.iter().map(|part| FloorPart {
            part,
            times: 1.0 / entries as f64,
        });
        let floor: Vec<_> = own.chain(shared).collect();
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
                    format!("{part}/{:.0}", 1.0 / times)
                }
            })
            .collect();
        words.join(" + ")
    }
}
