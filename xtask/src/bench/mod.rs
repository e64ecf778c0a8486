// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask bench`: what counts for speed, each against references measured in the same run.

mod compare;
mod summary;

use std::path::PathBuf;

use eyre::{Result, WrapErr, bail};
use serde_json::{Map, Value};

use crate::shell;

/// A benchmark.
struct Benchmark {
    name: &'static str,
    package: &'static str,
    what: &'static str,
    /// Executables that it starts, built with optimisation as well.
    executables: &'static [&'static str],
}

const BENCHMARKS: [Benchmark; 5] = [
    Benchmark {
        name: "private_call",
        package: "subrosa-enclave-core",
        what: "a private call in the enclave against its floor",
        executables: &[],
    },
    Benchmark {
        name: "parallel",
        package: "subrosa-enclave-core",
        what: "two contracts on two cores; a large state loaded and sealed",
        executables: &[],
    },
    Benchmark {
        name: "verify",
        package: "subrosa-attestation",
        what: "evidence of each kind, judged",
        executables: &[],
    },
    Benchmark {
        name: "work",
        package: "subrosa-vm-evm",
        what: "work of every instruction and precompiled contract against its time",
        executables: &[],
    },
    Benchmark {
        name: "service",
        package: "subrosa-devnet",
        what: "the whole service under load, on a chain with blocks of a second",
        executables: &["subrosa", "subrosa-enclave"],
    },
];

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print one object that has the report of each benchmark under its name, and a summary.
    #[arg(long)]
    json: bool,
    /// Show what got worse than docs/results/bench.json by more than the noise, and fail if anything
    /// did.
    #[arg(long, conflicts_with = "json")]
    compare: bool,
    /// Run these alone; may be given several times.
    #[arg(long, value_name = "BENCHMARK", value_parser = BENCHMARKS.map(|one| one.name))]
    only: Vec<String>,
    /// Take the reports from a file that --json wrote, and measure nothing.
    #[arg(long, value_name = "FILE", conflicts_with = "only")]
    reports: Option<PathBuf>,
}

/// Builds with optimisation and runs the benchmarks one after the other.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.json && !arguments.compare && arguments.reports.is_none() {
        for benchmark in chosen(arguments) {
            println!("== {}: {}", benchmark.name, benchmark.what);
            shell::run(&mut benchmark.command()?)?;
            println!();
        }
        return Ok(());
    }
    let reports = match &arguments.reports {
        Some(path) => read(path)?,
        None => measure(arguments)?,
    };
    if !arguments.compare {
        println!("{:#}", Value::Object(summary::with(reports)?));
        return Ok(());
    }
    let committed = read(&shell::root().join(COMMITTED))?;
    let lines = compare::figures(&summary::of(&committed)?, &summary::of(&reports)?);
    for line in &lines {
        println!("{line}");
    }
    let worse = lines.iter().filter(|line| line.is_worse()).count();
    if worse > 0 {
        bail!("{worse} figures got worse by more than the noise");
    }
    Ok(())
}

fn chosen(arguments: &Arguments) -> impl Iterator<Item = &'static Benchmark> {
    let only = &arguments.only;
    let is_chosen = |one: &&Benchmark| only.is_empty() || only.iter().any(|name| name == one.name);
    BENCHMARKS.iter().filter(is_chosen)
}

fn measure(arguments: &Arguments) -> Result<Map<String, Value>> {
    let mut reports = Map::new();
    for benchmark in chosen(arguments) {
        let printed = shell::output(benchmark.command()?.arg("--json"))?;
        let report: Value = serde_json::from_str(&printed)
            .wrap_err_with(|| format!("{} printed no JSON:\n{printed}", benchmark.name))?;
        reports.insert(benchmark.name.to_owned(), report);
    }
    Ok(reports)
}

fn read(path: &std::path::Path) -> Result<Map<String, Value>> {
    let text = std::fs::read_to_string(path)
        .wrap_err_with(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).wrap_err_with(|| format!("{} has no reports", path.display()))
}

impl Benchmark {
    /// What runs it, once the executables it starts are built.
    fn command(&self) -> Result<std::process::Command> {
        if !self.executables.is_empty() {
            let mut build = shell::cargo();
            build.args(["build", "--locked", "--quiet", "--release"]);
            for executable in self.executables {
                build.args(["--bin", executable]);
            }
            shell::run(&mut build)?;
        }
        let mut command = shell::cargo();
        command.args(["bench", "--locked", "--quiet", "--package", self.package]);
        command.args(["--bench", self.name, "--"]);
        Ok(command)
    }
}

/// What others are held to.
const COMMITTED: &str = "docs/results/bench.json";
