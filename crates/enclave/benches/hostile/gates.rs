// SPDX-License-Identifier: Apache-2.0
//! The p99 of an unrelated contract's calls beside something hostile, against its p99 in quiet.
//!
//! A call is one private entry, from the frame sent to the answer read, one every [`PACE`]. Windows of
//! calls in quiet and under load alternate, so that whatever else the machine does falls on both alike;
//! what counts is the median of the ratios of neighbours.

use std::{
    collections::VecDeque,
    thread,
    time::{Duration, Instant},
};

use alloy_primitives::U256;
use alloy_sol_types::SolValue;
use serde::Serialize;
use subrosa_types::{
    ContractId,
    frame::{Ended, Request},
    result::Status,
};

use crate::{
    chain::{Ask, Chain},
    guest, guests,
    harness::Host,
    load::{Idle, Large, Load, Log, Logs, Queries, Signal, executed},
    process::{Link, Process},
    processors::{Busy, Usage},
};

/// Calls of a window, and the time from one to the next.
const CALLS: usize = 500;
const PACE: Duration = Duration::from_millis(2);

/// Processors that may have been busy with something else in a window that counts.
const DISTURBANCE: f64 = 0.25;
/// Rounds that count at least, and tries for each that is wanted.
const LEAST: usize = 5;
const TRIES: usize = 3;

/// Requests that burn all their fuel: 72 of them wait to the end.
const BURNERS: usize = 4 * 72;
/// Calls that write 256 KiB of values each, 64 in a frame.
const WRITERS: usize = 64 * 320;
const WORDS: u64 = (256 << 10) / 32;
/// A state beyond this is sealed and loaded.
const LARGE: usize = 64 << 20;

/// What something hostile did to another contract's calls.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Gate {
    name: &'static str,
    /// Whether the ratio is held to the goal; otherwise it is there to compare with.
    held: bool,
    /// Pairs of windows that count, and that were tried.
    rounds: usize,
    tried: usize,
    /// In which something else than what is measured had more than [`DISTURBANCE`]. They do not count,
    /// unless fewer than [`LEAST`] are without.
    disturbed: usize,
    /// What of the load was done while it ran: calls, queries, or snapshots loaded again.
    done: usize,
    /// Processors that enclave and load kept busy while it ran, and that anything else did.
    busy: Spread,
    busy_with_others: Spread,
    quiet_p99_us: Spread,
    loaded_p99_us: Spread,
    ratio: Spread,
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
        let round = |value: f64| (value * 100.0).round() / 100.0;
        Self {
            value: round(samples[samples.len() / 2]),
            low: round(samples[0]),
            high: round(samples[samples.len() - 1]),
        }
    }
}

/// What runs beside the calls.
const LOADS: [(&str, bool, Make); 7] = [
    ("burners", true, |chain, host, _| {
        Box::new(burning(chain, host))
    }),
    ("writers", true, |chain, host, _| {
        Box::new(writing(chain, host))
    }),
    ("queries", true, |chain, host, rounds| {
        let contract = host.deploy_code(chain, guests::recoverer());
        Box::new(Queries::new(chain, host, contract, rounds * TRIES * 64))
    }),
    ("largeState", true, |chain, host, _| {
        Box::new(Large::grow(chain, host, LARGE))
    }),
    // As many hostile contracts as there are threads to execute on.
    ("burnersOnEveryThread", false, |chain, host, _| {
        let logs = (0..processors()).map(|_| burning(chain, host));
        Box::new(Logs(logs.collect()))
    }),
    // References: what a machine of which others take the processors does to a call by itself.
    ("referenceOneBusyProcessor", false, |_, _, _| {
        Box::new(Idle(1))
    }),
    ("referenceBusyProcessors", false, |_, _, _| {
        Box::new(Idle(processors()))
    }),
];

type Make = fn(&mut Chain, &mut Host<Process>, rounds: usize) -> Box<dyn Load>;

/// Measures beside every load, or beside the named one.
pub(crate) fn run(rounds: usize, only: Option<&str>) -> Vec<Gate> {
    let mut chain = Chain::new();
    let mut host = Host::on(Process::start(), &mut chain);
    let is_chosen = |name: &str| only.is_none_or(|only| only == name);
    let mut gates = Vec::new();
    for (name, held, make) in LOADS.into_iter().filter(|load| is_chosen(load.0)) {
        eprintln!("{name}");
        let mut load = make(&mut chain, &mut host, rounds);
        let gate = gate(name, held, &mut chain, &mut host, load.as_mut(), rounds);
        eprintln!("{}", serde_json::to_string(&gate).unwrap());
        gates.push(gate);
    }
    gates
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// A log of requests that burn all their fuel.
fn burning(chain: &mut Chain, host: &mut Host<Process>) -> Log {
    let contract = host.deploy_code(chain, guests::recoverer());
    Log::new(
        chain,
        contract,
        BURNERS,
        &guests::signature(),
        Status::Failed,
    )
}

/// A contract that overwrites 256 KiB of values with each call.
fn writing(chain: &mut Chain, host: &mut Host<Process>) -> Log {
    let contract = host.deploy_code(chain, guests::writer());
    // New slots are dearer than 8,192 of them in one call.
    let ask = Ask {
        fuel_limit: 100_000_000,
        ..Ask::default()
    };
    for words in [WORDS / 2, WORDS] {
        let input = (U256::from(words), U256::from(1)).abi_encode_params();
        let result = host.call(chain, contract, ask, input.into());
        assert_eq!(result.status, Status::Succeeded);
    }
    let input = (U256::from(WORDS), U256::MAX).abi_encode_params();
    Log::new(chain, contract, WRITERS, &input, Status::Succeeded)
}

/// One window in quiet and one under load.
struct Round {
    quiet: f64,
    loaded: f64,
    busy: Busy,
    is_disturbed: bool,
}

fn gate(
    name: &'static str,
    held: bool,
    chain: &mut Chain,
    host: &mut Host<Process>,
    load: &mut dyn Load,
    rounds: usize,
) -> Gate {
    let other = host.deploy(chain, 1).0;
    let tries = rounds * TRIES;
    let mut calls = calls(chain, host, other, CALLS * (2 * tries + 1));
    let (link, enclave) = (host.enclave.link(), host.enclave.id());
    let mut window = || {
        let before = Usage::now(enclave);
        let p99 = p99(&link, calls.drain(..CALLS).collect());
        (p99, Usage::now(enclave).since(&before))
    };
    // The first one warms up.
    window();
    let (mut all, mut done): (Vec<Round>, _) = (Vec::new(), 0);
    while all.len() < tries && all.iter().filter(|round| !round.is_disturbed).count() < rounds {
        let (quiet, before) = window();
        let signal = Signal::default();
        let (loaded, busy) = thread::scope(|scope| {
            scope.spawn(|| load.run(&link, &signal));
            signal.until_under_way();
            let measured = window();
            signal
                .stop
                .store(true, std::sync::atomic::Ordering::Relaxed);
            measured
        });
        done += signal.done.into_inner();
        all.push(Round {
            quiet,
            loaded,
            busy,
            is_disturbed: before.others.max(busy.others) > DISTURBANCE,
        });
    }
    let tried = all.len();
    let disturbed = all.iter().filter(|round| round.is_disturbed).count();
    // Too few without: then all, and that is said.
    if tried - disturbed >= LEAST {
        all.retain(|round| !round.is_disturbed);
    }
    let spread = |of: fn(&Round) -> f64| Spread::of(all.iter().map(of).collect());
    Gate {
        name,
        held,
        rounds: all.len(),
        tried,
        disturbed,
        done,
        busy: spread(|round| round.busy.ours),
        busy_with_others: spread(|round| round.busy.others),
        quiet_p99_us: spread(|round| round.quiet),
        loaded_p99_us: spread(|round| round.loaded),
        ratio: spread(|round| round.loaded / round.quiet),
    }
}

fn calls(
    chain: &mut Chain,
    host: &mut Host<Process>,
    contract: ContractId,
    count: usize,
) -> VecDeque<Request> {
    let sealed = Ask {
        sealed: true,
        ..Ask::default()
    };
    let call = |_| {
        let input = host.seal_call(chain, contract, sealed, guest::add(1), None);
        let entry = chain.request(contract, sealed, input);
        let proof = chain.prove_alone(&entry.entry);
        Request::Execute {
            contract,
            entries: vec![entry],
            code_envelope: None,
            reassignment: None,
            proof,
        }
    };
    (0..count).map(call).collect()
}

/// The p99 of calls, microseconds.
fn p99(link: &Link, requests: Vec<Request>) -> f64 {
    let mut due = Instant::now();
    let mut times: Vec<f64> = Vec::with_capacity(requests.len());
    for request in requests {
        due += PACE;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let begun = Instant::now();
        let executed = executed(link.ask(&request));
        times.push(begun.elapsed().as_secs_f64() * 1e6);
        assert_eq!(executed.ended, Ended::Complete);
        assert_eq!(executed.results[0].status, Status::Succeeded);
        // Late is not made up for.
        due = due.max(Instant::now() - PACE);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}
