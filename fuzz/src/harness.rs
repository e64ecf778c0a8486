// SPDX-License-Identifier: Apache-2.0
//! Runs one case after another: what it took, and what to keep of one that fails.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Target;
use crate::corpus::committed;
use crate::mutate::{Stock, input};

/// A case: the seed of a run, and a number in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Of the run.
    pub seed: u64,
    /// In the run, from 0.
    pub number: u64,
}

/// What cases came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many ran.
    pub cases: u64,
    /// Of these, how many were valid, and held to what that promises.
    pub accepted: u64,
    /// Most that one had allocated at a time, bytes.
    pub peak_bytes: u64,
    /// The longest that one took.
    pub slowest: Duration,
}

impl Tally {
    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            cases: self.cases + other.cases,
            accepted: self.accepted + other.accepted,
            peak_bytes: self.peak_bytes.max(other.peak_bytes),
            slowest: self.slowest.max(other.slowest),
        }
    }
}

/// Runs one generated case.
///
/// # Panics
///
/// If it breaks a promise or allocates more than [`Target::memory`]. Its input, and the seeds it
/// was made from, are in `failures` then: the keys of forged SEV-SNP and Nitro evidence are new in
/// every process, so that the numbers of a case bring back its shape and not its signatures.
pub fn run_case(target: &Target, case: Case, failures: &Path) -> Tally {
    let seeds = target.seeds();
    let stock = Stock {
        seeds,
        dictionary: target.dictionary,
        header: target.header,
    };
    let input = input(&stock, case.seed, case.number);
    guarded(target, &input, || {
        let name = format!("{}-{}-{}", target.name, case.seed, case.number);
        let directory = failures.join(name);
        let written = std::fs::create_dir_all(&directory)
            .and_then(|()| std::fs::write(directory.join("input"), &input))
            .and_then(|()| {
                let mut numbered = seeds.iter().enumerate();
                numbered.try_for_each(|(number, seed)| {
                    std::fs::write(directory.join(format!("seed-{number}")), seed)
                })
            });
        format!("{case:?}, kept in {}: {written:?}", directory.display())
    })
}

/// Runs every committed input of the target.
///
/// # Panics
///
/// As [`run_case`].
pub fn replay(target: &Target) -> Tally {
    committed(target.name)
        .into_iter()
        .map(|(path, input)| guarded(target, &input, || path.display().to_string()))
        .fold(Tally::default(), Tally::plus)
}

fn guarded(target: &Target, input: &[u8], describe: impl Fn() -> String) -> Tally {
    let mut outcome = Ok(false);
    let started = Instant::now();
    let memory = allocation_counter::measure(|| {
        outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    });
    let slowest = started.elapsed();
    let accepted = outcome.unwrap_or_else(|panic| {
        eprintln!("fuzz: {} FAILED, {}", target.name, describe());
        resume_unwind(panic)
    });
    assert!(
        memory.bytes_max <= target.memory,
        "{}: {} bytes allocated for {} bytes of input; {}",
        target.name,
        memory.bytes_max,
        input.len(),
        describe()
    );
    Tally {
        cases: 1,
        accepted: accepted.into(),
        peak_bytes: memory.bytes_max,
        slowest,
    }
}
