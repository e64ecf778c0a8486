// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask bench`: the enclave against its floor, measured in the same run.

use eyre::{Result, bail};

use crate::shell;

/// Builds with optimisation and runs the benchmark.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    if let Some(unknown) = arguments.iter().find(|argument| **argument != "--json") {
        bail!("unknown option {unknown:?}; `cargo xtask bench [--json]`");
    }
    shell::run(
        shell::cargo()
            .args([
                "bench",
                "--locked",
                "--quiet",
                "--package",
                "subrosa-enclave-core",
                "--",
            ])
            .args(arguments),
    )
}
