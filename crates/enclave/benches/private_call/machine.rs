// SPDX-License-Identifier: Apache-2.0
//! Where a run took place.

use std::process::Command;

#[derive(serde::Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu_model: String,
    pub(crate) logical_cpus: usize,
    pub(crate) rustc: String,
    /// `None` outside a git checkout.
    pub(crate) commit: Option<String>,
    pub(crate) optimized: bool,
}

impl Machine {
    pub(crate) fn here() -> Self {
        Self {
            cpu_model: cpu_model().unwrap_or_else(|| "unknown".into()),
            logical_cpus: std::thread::available_parallelism().map_or(0, usize::from),
            rustc: output("rustc", &["--version"]).unwrap_or_else(|| "unknown".into()),
            commit: output("git", &["rev-parse", "HEAD"]),
            optimized: !cfg!(debug_assertions),
        }
    }
}

fn cpu_model() -> Option<String> {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = cpus.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().into())
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().into())
}
