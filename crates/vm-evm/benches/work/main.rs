// SPDX-License-Identifier: Apache-2.0
//! Nanoseconds per unit of work, of everything that a guest can make the machine do.
//!
//! ```text
//! cargo bench -p subrosa-vm-evm --bench work [-- --json]
//! ```
//!
//! Fails if anything is further from the median instruction than the table of weights promises, or if
//! an endless guest does not end. One thread, in memory. Everything is interleaved and the fastest of
//! many samples counts: whatever else the machine does only adds.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing else to do"
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the result goes to standard output"
)]

mod case;
mod guest;
mod hostile;
mod instructions;
#[path = "../../../enclave/benches/private_call/machine.rs"]
#[allow(
    clippy::allow_attributes,
    reason = "shared with the enclave's benchmark"
)]
mod machine;
mod overhead;
mod precompiles;
mod report;

use std::process::ExitCode;

use report::Report;
use subrosa_vm_evm::EvmEngine;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Samples of each entry.
const ROUNDS: usize = 40;
/// Executions of each endless guest.
const ENDLESS_ROUNDS: usize = 2;
/// Rounds of comparing with stock revm.
const OVERHEAD_ROUNDS: usize = 200;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `--bench` is cargo's own.
    let unknown = |argument: &&String| !["--json", "--bench"].contains(&argument.as_str());
    if let Some(unknown) = arguments.iter().find(unknown) {
        eprintln!("unknown option {unknown:?}; --json is the only one");
        return ExitCode::FAILURE;
    }

    let engine = EvmEngine::default();
    let overhead = overhead::measure(&engine, OVERHEAD_ROUNDS);
    let mut pair = instructions::pair();
    let mut cases = instructions::all();
    cases.extend(precompiles::all());
    for _ in 0..ROUNDS {
        pair.sample(&engine);
        for case in &mut cases {
            case.sample(&engine);
        }
    }
    let endless = hostile::measure(&engine, ENDLESS_ROUNDS);
    let report = Report::new(ROUNDS, &pair, &cases, endless, overhead);
    if arguments.iter().any(|argument| argument == "--json") {
        report.print_json();
    } else {
        report.print_table();
    }
    if report.is_within() {
        ExitCode::SUCCESS
    } else {
        eprintln!("weights are off by more than they may be");
        ExitCode::FAILURE
    }
}
