// SPDX-License-Identifier: Apache-2.0
//! `subrosa-fuzz [--seconds N] [--seed N] [--case N] [--json] TARGET`: generated cases on every
//! core for a while, or one case again.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "a command line: standard output is its result"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;
use subrosa_fuzz::{Case, TARGETS, Tally, Target, replay, run_case, target};

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => {
            run(&arguments);
            ExitCode::SUCCESS
        }
        Err(error) => {
            let names = TARGETS.map(|target| target.name).join(", ");
            eprintln!("{error}\n{USAGE}\ntargets: {names}");
            ExitCode::FAILURE
        }
    }
}

const USAGE: &str = "usage: subrosa-fuzz [--seconds N] [--seed N] [--case N] [--json] TARGET";

struct Arguments {
    target: &'static Target,
    seconds: u64,
    seed: u64,
    case: Option<u64>,
    json: bool,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut seconds, mut seed, mut case, mut json, mut name) = (60, None, None, false, None);
        while let Some(word) = words.next() {
            let mut number = || {
                let value = words.next().unwrap_or_default();
                let parsed = value.parse::<u64>();
                parsed.map_err(|_| format!("{word} {value:?} is not a number"))
            };
            match word.as_str() {
                "--seconds" => seconds = number()?,
                "--seed" => seed = Some(number()?),
                "--case" => case = Some(number()?),
                "--json" => json = true,
                _ if name.is_none() => name = Some(word),
                _ => return Err(format!("unexpected {word:?}")),
            }
        }
        let name = name.ok_or("no target")?;
        Ok(Self {
            target: target(&name).ok_or_else(|| format!("unknown target {name:?}"))?,
            seconds,
            seed: seed.unwrap_or_else(arbitrary_seed),
            case,
            json,
        })
    }
}

/// Another one on each run; printed, so that the run can be had again.
fn arbitrary_seed() -> u64 {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    elapsed.map_or(0, |elapsed| elapsed.as_secs())
}

fn run(arguments: &Arguments) {
    let Arguments { target, seed, .. } = *arguments;
    let failures = PathBuf::from("fuzz-failures");
    // Before the clock starts: keys of forged evidence take a while.
    let seeds = target.seeds().len();
    eprintln!("fuzz: {} from {seeds} seeds, --seed {seed}", target.name);
    if let Some(number) = arguments.case {
        let tally = run_case(target, Case { seed, number }, &failures);
        println!("{tally:?}");
        return;
    }
    let started = Instant::now();
    let end = Duration::from_secs(arguments.seconds);
    let next = AtomicU64::new(0);
    let work = || {
        let mut tally = Tally::default();
        while started.elapsed() < end {
            let number = next.fetch_add(1, Ordering::Relaxed);
            tally = tally.plus(run_case(target, Case { seed, number }, &failures));
        }
        tally
    };
    let replayed = replay(target);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let tally = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| match worker.join() {
                Ok(tally) => tally,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .fold(Tally::default(), Tally::plus)
    });
    let peak_bytes = tally.peak_bytes.max(replayed.peak_bytes);
    let Tally {
        cases, accepted, ..
    } = tally;
    let slowest = u64::try_from(tally.slowest.as_micros()).unwrap_or(u64::MAX);
    if arguments.json {
        let result = json!({
            "target": target.name,
            "seed": seed,
            "seeds": seeds,
            "committed": replayed.cases,
            "cases": cases,
            "accepted": accepted,
            "seconds": started.elapsed().as_secs(),
            "peakBytes": peak_bytes,
            "slowestMicroseconds": slowest,
        });
        println!("{result}");
    } else {
        println!(
            "fuzz: {} {cases} cases, {accepted} accepted, seed {seed}, at most {} KiB, \
             slowest {slowest} µs",
            target.name,
            peak_bytes / 1024
        );
    }
}
