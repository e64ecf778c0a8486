// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask test`: every check and test, in the order in which they fail fastest.

use std::{path::Path, process::Command, time::Instant};

use eyre::{Result, WrapErr, bail};

use crate::{arrows, demo, install, shell, vectors};

type Step = (&'static str, &'static str, fn() -> Result<()>);

const STEPS: &[Step] = &[
    ("install", "npm packages from the lock files", install::all),
    ("format", "rustfmt", format),
    ("arrows", "dependency arrows and purity", arrows::check),
    (
        "artifacts",
        "contracts compile to the committed artifacts, snapshots and reference",
        artifacts,
    ),
    ("contracts", "forge tests", contracts),
    (
        "gas",
        "gas of mined transactions against the committed snapshot",
        gas,
    ),
    ("lint", "clippy without warnings", lint),
    ("build", "executables and tests", build),
    ("rust", "Rust tests", rust),
    (
        "vectors",
        "genuine evidence through the command line",
        genuine,
    ),
    ("typescript", "TypeScript tests", typescript),
    (
        "demo",
        "the auction end to end, with its secrecy check",
        demonstration,
    ),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Name the steps and run none.
    #[arg(long)]
    list: bool,
    /// The one step to run.
    step: Option<String>,
}

/// Runs every step, or the named one.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.list {
        for (name, what, _) in STEPS {
            println!("{name:<12} {what}");
        }
        return Ok(());
    }
    let is_wanted = |name: &str| arguments.step.as_deref().is_none_or(|step| step == name);
    let steps: Vec<&Step> = STEPS.iter().filter(|(name, ..)| is_wanted(name)).collect();
    if steps.is_empty() {
        bail!("no such step; `cargo xtask test --list` names them");
    }
    let mut times = Vec::new();
    for (name, what, step) in steps {
        println!("\n== {name}: {what}");
        let started = Instant::now();
        step().wrap_err_with(|| format!("step {name} failed"))?;
        times.push((name, started.elapsed().as_secs()));
    }
    println!("\nall steps passed");
    for (name, seconds) in times {
        println!("  {name:<12} {seconds:>5} s");
    }
    Ok(())
}

fn format() -> Result<()> {
    shell::run(shell::cargo().args(["fmt", "--all", "--check"]))
}

fn lint() -> Result<()> {
    shell::run(
        shell::cargo()
            .args([
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--quiet",
            ])
            .args(demo::FEATURES)
            .args(["--", "-D", "warnings"]),
    )
}

/// Everything at once: executables alone would be built with fewer features, and then again.
pub(crate) fn build() -> Result<()> {
    let everything = [
        "build",
        "--workspace",
        "--all-targets",
        "--locked",
        "--quiet",
    ];
    shell::run(shell::cargo().args(everything).args(demo::FEATURES))
}

fn rust() -> Result<()> {
    shell::run(
        shell::cargo()
            .args(["test", "--workspace", "--locked", "--no-fail-fast"])
            .args(demo::FEATURES),
    )
}

fn artifacts() -> Result<()> {
    contracts_script("artifacts.mjs")?;
    contracts_script("layout.mjs")?;
    contracts_script("reference.mjs")?;
    for script in [
        "examples/auction/artifacts.mjs",
        "crates/devnet/tests/consumers/compile.mjs",
        "crates/enclave/tests/guests/compile.mjs",
        "crates/vm/tests/fixtures/compile.mjs",
    ] {
        shell::run(
            Command::new("node")
                .args([script, "--check"])
                .current_dir(shell::root()),
        )?;
    }
    Ok(())
}

fn gas() -> Result<()> {
    contracts_script("gas.mjs")
}

fn contracts_script(script: &str) -> Result<()> {
    let directory = shell::root().join("contracts");
    shell::run(
        Command::new("node")
            .arg(format!("script/{script}"))
            .arg("--check")
            .current_dir(directory),
    )
}

fn contracts() -> Result<()> {
    let directory = shell::root().join("contracts");
    // The second judges genuine quotes on a chain, where there are any.
    for script in ["test", "test:dcap"] {
        shell::run(
            Command::new("npm")
                .args(["run", "--silent", script])
                .current_dir(&directory),
        )?;
    }
    Ok(())
}

fn typescript() -> Result<()> {
    let directory = shell::root().join("clients/ts");
    shell::run(
        Command::new("npm")
            .args(["test", "--silent"])
            .current_dir(directory),
    )
}

/// The evidence is not part of this repository.
fn genuine() -> Result<()> {
    let Some(directory) = std::env::var_os("SUBROSA_VECTORS") else {
        if std::env::var_os("SUBROSA_REQUIRE_VECTORS").is_some_and(|required| required == "1") {
            bail!("SUBROSA_REQUIRE_VECTORS=1, but SUBROSA_VECTORS names no directory");
        }
        println!("vectors: NOT RUN (SUBROSA_VECTORS is not set)");
        return Ok(());
    };
    vectors::judge(Path::new(&directory))
}

fn demonstration() -> Result<()> {
    demo::auction(false)
}
