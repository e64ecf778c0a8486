// SPDX-License-Identifier: Apache-2.0
//! A minute of generated cases for each fuzz target.

use eyre::{Result, WrapErr, eyre};
use serde_json::{Value, json};

use crate::shell;

/// Of the first target; each following one has the next.
const SEED: u64 = 1_000;
const SECONDS: u64 = 60;

const TARGETS: [&str; 9] = [
    "azure", "bundle", "ear", "files", "nitro", "policy", "sgx", "snp", "tdx",
];

/// Fuzzes each target on every core, in a release build.
pub(super) fn run() -> Result<Value> {
    let release = ["build", "--release", "--locked", "--quiet"];
    shell::run(
        shell::cargo()
            .args(release)
            .args(["--package", "subrosa-fuzz"]),
    )?;
    let mut runs = Vec::new();
    for (seed, target) in (SEED..).zip(TARGETS) {
        let (seconds, seed) = (SECONDS.to_string(), seed.to_string());
        let printed = shell::output(
            shell::cargo()
                .args(["run", "--release", "--locked", "--quiet"])
                .args(["--package", "subrosa-fuzz", "--", "--json"])
                .args(["--seconds", &seconds, "--seed", &seed, target]),
        )?;
        let run: Value =
            serde_json::from_str(&printed).wrap_err_with(|| format!("not a result: {printed}"))?;
        let count = |field: &str| {
            let count = run[field].as_u64();
            count.ok_or_else(|| eyre!("no {field} in {printed}"))
        };
        println!(
            "{target}: {} cases, {} accepted, at most {} KiB, slowest {} µs",
            count("cases")?,
            count("accepted")?,
            count("peakBytes")? / 1024,
            count("slowestMicroseconds")?
        );
        runs.push(run);
    }
    Ok(json!({
        "command": "cargo xtask soak fuzz",
        "genuineSeeds": std::env::var_os("SUBROSA_VECTORS").is_some(),
        "targets": runs,
    }))
}
