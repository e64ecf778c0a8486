// SPDX-License-Identifier: Apache-2.0
//! A private call inside the enclave, against the floor of its cryptography.
//!
//! ```text
//! cargo bench -p subrosa-enclave-core [-- --json]
//! ```
//!
//! One thread, in memory, the real state machine on a synthetic chain. A call's input is 1 KiB of
//! calldata in an envelope; the guest is the EVM contract of the tests, which writes two slots.
//! Everything is measured in the same run and interleaved: each round takes one sample of each
//! probe, so that whatever else the machine does falls on all of them alike. What counts are the
//! ratios; [`report`] says what is in each.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing else to do"
)]
#![allow(clippy::print_stdout, reason = "the result goes to standard output")]

#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../tests/it/chain.rs"]
mod chain;
mod clock;
mod floor;
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../tests/it/guest.rs"]
mod guest;
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../tests/it/harness.rs"]
mod harness;
mod machine;
mod report;
mod stages;
mod whole;

use std::process::ExitCode;

use clock::Probe;
use report::Report;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Samples of each probe, and of those that take a batch of [`whole::BATCH`] entries at once.
const ROUNDS: usize = 400;
const BATCH_ROUNDS: usize = ROUNDS / 5;
/// Rounds before the first one that counts.
const WARM_UP: usize = 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `--bench` is cargo's own.
    let unknown = |argument: &&String| !["--json", "--bench"].contains(&argument.as_str());
    if let Some(unknown) = arguments.iter().find(unknown) {
        eprintln!("unknown option {unknown:?}; --json is the only one");
        return ExitCode::FAILURE;
    }

    let mut probes = probes();
    measure(&mut probes);
    let report = Report::new(&probes);
    if arguments.iter().any(|argument| argument == "--json") {
        report.print_json();
    } else {
        report.print_table();
    }
    ExitCode::SUCCESS
}

fn probes() -> Vec<Probe> {
    let mut probes = floor::probes();
    probes.extend(stages::probes());
    probes.extend(whole::probes(WARM_UP + ROUNDS, WARM_UP + BATCH_ROUNDS));
    probes
}

fn measure(probes: &mut [Probe]) {
    for round in 0..WARM_UP + ROUNDS {
        for probe in probes.iter_mut() {
            let due = round < WARM_UP
                || !probe.seldom
                || (round - WARM_UP).is_multiple_of(ROUNDS / BATCH_ROUNDS);
            if due {
                let sample = (probe.run)();
                if round >= WARM_UP {
                    probe.samples.push(sample);
                }
            }
        }
    }
}
