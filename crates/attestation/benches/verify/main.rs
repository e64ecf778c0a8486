// SPDX-License-Identifier: Apache-2.0
//! Judging evidence of each kind, against one signature verification measured in the same run.
//!
//! ```text
//! cargo bench -p subrosa-attestation [-- --json]
//! ```
//!
//! One thread, in memory: a bundle that is decoded already, to claims. Evidence is genuine where
//! `SUBROSA_VECTORS` names a directory that has some, and forged otherwise; the report says which.
//! Forged SEV-SNP evidence has authorities of 2,048 bits where AMD's have 4,096. Everything is
//! interleaved: each round takes one sample of each probe, so that whatever else the machine does
//! falls on all of them alike. What counts are the ratios.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing else to do, and genuine evidence is files"
)]
#![allow(clippy::print_stdout, reason = "the result goes to standard output")]

#[path = "../../../enclave/benches/private_call/clock.rs"]
#[allow(
    dead_code,
    reason = "shared with the enclave's benchmark, which uses all of it"
)]
mod clock;
#[path = "../../tests/forge/mod.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the tests, which use the rest"
)]
mod forge;
#[path = "../../../enclave/benches/private_call/machine.rs"]
#[allow(
    clippy::allow_attributes,
    reason = "shared with the enclave's benchmark"
)]
mod machine;
mod reference;
mod report;

use std::process::ExitCode;

use clock::Probe;
use forge::samples::{Sample, forged, genuine};
use report::{Judged, Report};
use subrosa_attestation::verify_genuine;
use subrosa_types::id::TeeKind;

/// Samples of each probe.
const ROUNDS: usize = 400;
/// Rounds before the first one that counts.
const WARM_UP: usize = 20;

/// Kind, the sample that stands for it, and how long it may take, microseconds.
const KINDS: [(TeeKind, &str, &str, f64); 6] = [
    (TeeKind::Tdx, "verify_tdx", "tdx_v4_phala", 2_000.0),
    (TeeKind::Sgx, "verify_sgx", "sgx_v3_phala", 2_000.0),
    (TeeKind::Snp, "verify_snp", "snp_genoa_v5", 6_000.0),
    (TeeKind::Nitro, "verify_nitro", "nitro_dstack_nsm", 6_000.0),
    (
        TeeKind::AzureSnp,
        "verify_azure_snp",
        "az_snp_genoa",
        6_000.0,
    ),
    (TeeKind::AzureTdx, "verify_azure_tdx", "az_tdx", 2_000.0),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `--bench` is cargo's own.
    let unknown = |argument: &&String| !["--json", "--bench"].contains(&argument.as_str());
    if let Some(unknown) = arguments.iter().find(unknown) {
        eprintln!("unknown option {unknown:?}; --json is the only one");
        return ExitCode::FAILURE;
    }

    let (judged, mut probes): (Vec<Judged>, Vec<Probe>) = KINDS
        .into_iter()
        .filter_map(|(kind, name, vector, limit)| {
            let sample = sample(kind, vector)?;
            let judged = Judged {
                name,
                evidence: sample.name.clone(),
                limit,
            };
            Some((judged, probe(name, sample)))
        })
        .unzip();
    probes.extend(reference::probes());
    for round in 0..WARM_UP + ROUNDS {
        for probe in &mut probes {
            let sample = (probe.run)();
            if round >= WARM_UP {
                probe.samples.push(sample);
            }
        }
    }
    let report = Report::new(&judged, &probes);
    if arguments.iter().any(|argument| argument == "--json") {
        report.print_json();
    } else {
        report.print_table();
    }
    ExitCode::SUCCESS
}

/// The named vector, or else what is forged; nothing for a kind of which there is neither.
fn sample(kind: TeeKind, vector: &str) -> Option<Sample> {
    let genuine = genuine(kind)
        .into_iter()
        .find(|sample| sample.name == vector);
    genuine.or_else(|| forged(kind).into_iter().next())
}

fn probe(name: &'static str, sample: Sample) -> Probe {
    Probe::of(name, 1, move || {
        verify_genuine(&sample.bundle, &sample.policy, sample.now).unwrap()
    })
}
