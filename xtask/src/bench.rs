// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask bench`: what counts for speed, each against references measured in the same run.

use eyre::{Result, WrapErr, bail};
use serde_json::{Map, Value};

use crate::shell;

/// Benchmark, its package, and what it measures.
const BENCHMARKS: [(&str, &str, &str); 2] = [
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
];

/// Builds with optimisation and runs the benchmarks one after the other; with `--json`, prints one
/// object that has the report of each under its name.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let json = match arguments {
        [] => false,
        ["--json"] => true,
        [unknown, ..] => bail!("unknown option {unknown:?}; `cargo xtask bench [--json]`"),
    };
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
        if json {
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
    if json {
        println!("{:#}", Value::Object(reports));
    }
    Ok(())
}
