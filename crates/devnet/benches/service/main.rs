// SPDX-License-Identifier: Apache-2.0
//! The whole service: real executables on a real chain, under load.
//!
//! ```text
//! cargo build --release -p subrosa -p subrosa-enclave
//! cargo bench -p subrosa-devnet --bench service [-- --json --requests 3000 --rounds 3]
//! ```
//!
//! Two measurements on one network. First latency while idle: one request after the other, each
//! mined at once, on a chain of few slots; from the moment a node sees an entry to the moment its
//! fulfillment is sent. Then throughput: blocks of one second, requests of many accounts over
//! several contracts, all sealed and signed beforehand and sent as fast as the chain takes them; from
//! the first one sent to the last one settled on chain. Load, chain, node and enclave share the
//! machine, so processor time by process says more than the clock.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing else to do"
)]
#![allow(clippy::print_stdout, reason = "the result goes to standard output")]

mod histogram;
mod load;
#[path = "../../../enclave/benches/private_call/machine.rs"]
mod machine;
mod processes;
mod report;

use std::{process::ExitCode, time::Instant};

use alloy::providers::Provider;
use subrosa_devnet::{Devnet, Options};

use histogram::Histogram;
use load::Load;
use processes::Seconds;
use report::{Report, Round};

/// How much is asked.
struct Size {
    requests: usize,
    rounds: usize,
    contracts: usize,
    accounts: u8,
}

fn main() -> ExitCode {
    let mut size = Size {
        requests: 3_000,
        rounds: 3,
        contracts: 4,
        accounts: 16,
    };
    let mut json = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse::<usize>().ok());
        let known = match argument.as_str() {
            "--json" => {
                json = true;
                true
            }
            // Cargo's own.
            "--bench" => true,
            "--requests" => number().map(|number| size.requests = number).is_some(),
            "--rounds" => number().map(|number| size.rounds = number).is_some(),
            "--contracts" => number().map(|number| size.contracts = number).is_some(),
            _ => false,
        };
        if !known {
            eprintln!("{argument:?} is none of --json, --requests N, --rounds N, --contracts N");
            return ExitCode::FAILURE;
        }
    }
    // More slots than that and anvil measures itself: it builds a whole trie for each proof.
    assert!(
        size.requests * size.rounds <= 10_000,
        "10,000 requests at most"
    );
    assert!(
        size.requests * size.rounds * size.contracts > 0,
        "nothing to measure"
    );

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let report = runtime.block_on(run(&size));
    if json {
        report.print_json();
    } else {
        report.print_table();
    }
    ExitCode::SUCCESS
}

async fn run(size: &Size) -> Report {
    let options = Options {
        accounts: size.accounts,
        ..Options::default()
    };
    let mut network = Devnet::start(&options).await.unwrap();
    let mut load = Load::deploy(&network, size.contracts).await;

    eprintln!("latency while idle: {IDLE_REQUESTS} requests, one after the other");
    let before = Histogram::scrape(&network).await;
    for index in 0..IDLE_REQUESTS {
        let signed = load.sign(index, 1);
        load.send(&signed).await;
        load.settled().await;
    }
    let idle = Histogram::scrape(&network).await.since(&before);

    // From now on a block a second.
    let provider = network.provider();
    let _: serde_json::Value = provider
        .raw_request("evm_setAutomine".into(), [false])
        .await
        .unwrap();
    let _: serde_json::Value = provider
        .raw_request("evm_setIntervalMining".into(), [BLOCK_SECONDS])
        .await
        .unwrap();
    let mut rounds = Vec::new();
    for round in 0..size.rounds {
        let signed = load.sign(0, size.requests);
        let histogram = Histogram::scrape(&network).await;
        let (cpu, began) = (Seconds::now(&network), Instant::now());
        load.send(&signed).await;
        load.settled().await;
        let seconds = began.elapsed().as_secs_f64();
        let cpu = Seconds::now(&network).since(&cpu);
        let latency = Histogram::scrape(&network).await.since(&histogram);
        let settled_per_s = size.requests as f64 / seconds;
        eprintln!("round {round}: {settled_per_s:.0} settled per second, {cpu:?}");
        rounds.push(Round {
            settled_per_s,
            seconds,
            cpu,
            latency: latency.into(),
        });
    }
    load.assert_exactly_once().await;
    network.ensure_running().unwrap();
    let report = Report::new(size, &idle, rounds);
    network.stop().unwrap();
    report
}

/// Requests whose latency is measured.
const IDLE_REQUESTS: usize = 200;
/// Between blocks, under load.
const BLOCK_SECONDS: u64 = 1;
