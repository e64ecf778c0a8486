// SPDX-License-Identifier: Apache-2.0
//! Two contracts on two cores, and states too large for a frame.
//!
//! ```text
//! cargo bench -p subrosa-enclave-core --bench parallel [-- --json]
//! ```
//!
//! *Two cores*: two threads run the calls of two contracts in one enclave, against two processes of this
//! program that each run the calls of one. Both begin together; what counts is when the later one ends.
//! Rounds of the two are interleaved, so that whatever else the machine does falls on both alike.
//!
//! *Loading*: a contract of [`state::BYTES`] is loaded from its snapshot's parts, and a snapshot of it is
//! taken, with and without calls going on beside it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing else to do"
)]
#![allow(clippy::print_stdout, reason = "the result goes to standard output")]

#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../tests/it/chain.rs"]
mod chain;
mod cores;
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../tests/it/guest.rs"]
mod guest;
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../tests/it/harness.rs"]
mod harness;
#[path = "../private_call/machine.rs"]
mod machine;
mod state;

use std::process::ExitCode;

use serde::Serialize;

use machine::Machine;

#[derive(Serialize)]
struct Report {
    /// Of this object's keys.
    version: u32,
    machine: Machine,
    cores: cores::Cores,
    state: state::Large,
    summary: Headline,
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The figures that are held against the project's goals, each with the least and most of its rounds.
#[derive(Serialize)]
struct Headline {
    /// Time of two processes to time of two threads, for the same calls.
    two_core_ratio: Spread,
    /// Of encoded state, 10^6 bytes a second.
    load_mb_per_s: Spread,
}

/// The median of some rounds, and their extremes.
#[derive(Clone, Copy, Serialize)]
struct Spread {
    value: f64,
    low: f64,
    high: f64,
}

impl Spread {
    fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let round = |value: f64| (value * 1_000.0).round() / 1_000.0;
        Self {
            value: round(samples[samples.len() / 2]),
            low: round(samples[0]),
            high: round(samples[samples.len() - 1]),
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == cores::CHILD) {
        cores::child();
        return ExitCode::SUCCESS;
    }
    // `--bench` is cargo's own.
    let unknown = |argument: &&String| !["--json", "--bench"].contains(&argument.as_str());
    if let Some(unknown) = arguments.iter().find(unknown) {
        eprintln!("unknown option {unknown:?}; --json is the only one");
        return ExitCode::FAILURE;
    }
    let (cores, two_core_ratio) = cores::measure();
    let (state, load_mb_per_s) = state::measure();
    let report = Report {
        version: 1,
        machine: Machine::here(),
        cores,
        state,
        summary: Headline {
            two_core_ratio,
            load_mb_per_s,
        },
    };
    // Few enough figures to be read as they are.
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
    ExitCode::SUCCESS
}
