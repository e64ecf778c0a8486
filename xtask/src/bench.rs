// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask bench`: what counts for speed, each against references measured in the same run.

use eyre::{Result, WrapErr};
use serde_json::{Map, Value};

use crate::shell;

/// Benchmark, its package, and what it measures.
const BENCHMARKS: [(&str, &str, &str); 3] = [
    (
        "private_call",
        "subrosa-enclave-core",
        "a private call in the enclave against its floor",
    ),
    (
        "verify",
        "subrosa-attestation",
        "evidence of each kind, judged",
    ),
    (
        "work",
        "subrosa-vm-evm",
        "work of every instruction and precompiled contract against its time",
    ),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print one object that has the report of each benchmark under its name.
    #[arg(long)]
    json: bool,
}

/// Builds with optimisation and runs the benchmarks one after the other.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut reports = Map::new();
    for (name, package, what) in BENCHMARKS {
        let mut command = shell::cargo();
        command.args(["bench", "--locked", "--quiet"]).args([
            "--package",
            package,
            "--bench",
            name,
            "--",
        ]);
        if arguments.json {
            let printed = shell::output(command.arg("--json"))?;
            let report: Value = serde_json::from_str(&printed)
                .wrap_err_with(|| format!("{name} printed no JSON:\n{printed}"))?;
            reports.insert(name.to_owned(), report);
        } else {
            println!("== {name}: {what}");
            shell::run(&mut command)?;
            println!();
        }
    }
    if arguments.json {
        println!("{:#}", Value::Object(reports));
    }
    Ok(())
}
