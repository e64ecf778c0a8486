// SPDX-License-Identifier: Apache-2.0
//! Hostile guests and users against the measured executable, over one connection as a node has it.
//!
//! ```text
//! cargo build --release -p subrosa-enclave
//! cargo bench -p subrosa-enclave-core --bench hostile [-- --json --strangers 100000 --rounds 5 --only burners]
//! ```
//!
//! *Gates*: the p99 of an unrelated contract's calls while something hostile runs, against its p99 in
//! quiet ([`gates`]). *Strangers*: envelopes of theirs by the hundred thousand, and two users who
//! notice nothing ([`strangers`]).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing else to do"
)]
#![allow(clippy::print_stdout, reason = "the result goes to standard output")]

#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../tests/it/chain.rs"]
mod chain;
mod gates;
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../tests/it/guest.rs"]
mod guest;
mod guests;
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../tests/it/harness.rs"]
mod harness;
mod load;
#[path = "../private_call/machine.rs"]
mod machine;
mod process;
mod processors;
mod strangers;

use std::process::ExitCode;

use serde::Serialize;

use machine::Machine;

#[derive(Serialize)]
struct Report {
    /// Of this object's keys.
    version: u32,
    machine: Machine,
    strangers: strangers::Strangers,
    gates: Vec<gates::Gate>,
}

fn main() -> ExitCode {
    let (mut count, mut rounds, mut only) = (100_000, 5, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse::<usize>().ok());
        let known = match argument.as_str() {
            // Cargo's own, and the one form there is.
            "--bench" | "--json" => true,
            "--strangers" => number().map(|number| count = number).is_some(),
            "--rounds" => number().map(|number| rounds = number).is_some(),
            "--only" => {
                only = arguments.next();
                only.is_some()
            }
            _ => false,
        };
        if !known {
            eprintln!("{argument:?} is none of --json, --strangers N, --rounds N, --only GATE");
            return ExitCode::FAILURE;
        }
    }
    let report = Report {
        version: 1,
        machine: Machine::here(),
        strangers: strangers::run(count),
        gates: gates::run(rounds, only.as_deref()),
    };
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
    ExitCode::SUCCESS
}
