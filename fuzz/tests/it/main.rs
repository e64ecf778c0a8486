// SPDX-License-Identifier: Apache-2.0
//! Every target over its committed inputs and 20,000 generated ones, the same on every run.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests: a panic is the report"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use subrosa_fuzz::{Case, TARGETS, Tally, replay, run_case, target};

const CASES: u64 = 20_000;
const SEED: u64 = 1;
const THREADS: usize = 2;

fn fuzz(name: &str) {
    let target = target(name).unwrap();
    let failures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    assert!(
        !target.seeds().is_empty(),
        "{name} has nothing to start from"
    );
    let replayed = replay(target);
    let next = AtomicU64::new(0);
    let work = || {
        let mut tally = Tally::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= CASES {
                return tally;
            }
            let case = Case { seed: SEED, number };
            tally = tally.plus(run_case(target, case, &failures));
        }
    };
    let tally = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let tallies = workers.into_iter().map(|worker| worker.join().unwrap());
        tallies.fold(Tally::default(), Tally::plus)
    });
    println!(
        "fuzz: {name} {} cases, {} accepted, at most {} KiB; {} committed inputs",
        tally.cases,
        tally.accepted,
        tally.peak_bytes.max(replayed.peak_bytes) / 1024,
        replayed.cases
    );
    assert_eq!(tally.cases, CASES);
    assert!(replayed.cases > 0, "{name} has no committed input");
    // Nothing forges evidence of an Azure VM, so nothing is accepted without genuine evidence.
    assert!(
        tally.accepted > 0 || name == "azure",
        "{name} accepts nothing"
    );
    assert!(
        tally.accepted < CASES / 4 * 3,
        "{name} accepts too much to be fuzzed"
    );
}

macro_rules! targets {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            fuzz($name);
        })*

        #[test]
        fn every_target_is_tested() {
            let tested = BTreeSet::from([$($name),*]);
            assert_eq!(tested, TARGETS.iter().map(|target| target.name).collect());
        }
    };
}

targets! {
    azure_evidence_is_refused_or_says_what_was_signed: "azure",
    bundles_have_one_encoding: "bundle",
    attestation_results_are_refused_or_as_expected: "ear",
    files_make_no_bundle_or_one_that_encodes: "files",
    nitro_documents_are_refused_or_say_what_was_signed: "nitro",
    policies_name_what_is_lax_in_them: "policy",
    sgx_quotes_are_refused_or_say_what_was_signed: "sgx",
    snp_reports_are_refused_or_say_what_was_signed: "snp",
    tdx_quotes_are_refused_or_say_what_was_signed: "tdx",
}
