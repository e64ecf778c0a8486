// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask test`: every check and test. CONTRIBUTING.md has a table of the steps and their times.

use std::{path::Path, process::Command, thread, time::Instant};

use eyre::{Result, WrapErr, bail, eyre};

use crate::{arrows, demo, install, shell, vectors};

/// Its name, what it checks, and how.
type Step = (&'static str, &'static str, fn() -> Result<()>);

/// What fails fastest.
const FIRST: &[Step] = &[
    ("install", "npm packages from the lock files", install::all),
    ("format", "rustfmt", format),
    (
        "arrows",
        "what may depend on what, circles, purity, lengths, formats",
        arrows::check,
    ),
    ("deploy", "recipes, as far as tools are here", deploy),
];

/// Beside [`RUST`]: the Solidity compiler keeps one core busy for minutes, rustc the other one.
const SOLIDITY: &[Step] = &[
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
];

const RUST: &[Step] = &[
    ("lint", "clippy without warnings", lint),
    ("doc", "rustdoc without warnings", doc),
    ("build", "executables and tests", build),
];

/// What waits for processes and times them has the machine to itself.
const LAST: &[Step] = &[
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
    let steps = || [FIRST, SOLIDITY, RUST, LAST].into_iter().flatten();
    if arguments.list {
        for (name, what, _) in steps() {
            println!("{name:<12} {what}");
        }
        return Ok(());
    }
    if let Some(wanted) = &arguments.step {
        let Some(step) = steps().find(|(name, ..)| name == wanted) else {
            bail!("no such step; `cargo xtask test --list` names them");
        };
        return one(step).map(|_| ());
    }
    let started = Instant::now();
    let mut times = all(FIRST)?;
    let (rust, solidity) = thread::scope(|scope| {
        let solidity = scope.spawn(|| all(SOLIDITY));
        (all(RUST), solidity.join())
    });
    let solidity = solidity.map_err(|_| eyre!("a step over the contracts panicked"))?;
    times.extend(solidity?);
    times.extend(rust?);
    times.extend(all(LAST)?);
    println!("\nall steps passed in {} s", started.elapsed().as_secs());
    for (name, seconds) in times {
        println!("  {name:<12} {seconds:>5} s");
    }
    Ok(())
}

/// Names of the steps, and the seconds that each took.
fn all(steps: &[Step]) -> Result<Vec<(&'static str, u64)>> {
    steps.iter().map(one).collect()
}

fn one((name, what, step): &Step) -> Result<(&'static str, u64)> {
    println!("\n== {name}: {what}");
    let started = Instant::now();
    step().wrap_err_with(|| format!("step {name} failed"))?;
    let seconds = started.elapsed().as_secs();
    println!("== {name}: passed, {seconds} s");
    Ok((name, seconds))
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
    )?;
    // What is measured is built alone: with the features of its own dependencies and no others.
    shell::run(shell::cargo().args([
        "check",
        "--package",
        "subrosa-enclave",
        "--locked",
        "--quiet",
    ]))
}

/// Private items too: their documentation is read as often. What it needs of dependencies, clippy has
/// compiled.
fn doc() -> Result<()> {
    shell::run(
        shell::cargo()
            .args([
                "doc",
                "--workspace",
                "--no-deps",
                "--document-private-items",
            ])
            .args(["--locked", "--quiet"])
            .args(demo::FEATURES)
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

fn deploy() -> Result<()> {
    shell::run(Command::new("sh").arg(shell::root().join("deploy/check.sh")))
}

/// All that tests run. Benchmarks are only looked at by clippy.
pub(crate) fn build() -> Result<()> {
    let run = ["build", "--workspace", "--lib", "--bins", "--tests"];
    shell::run(
        shell::cargo()
            .args(run)
            .args(["--locked", "--quiet"])
            .args(demo::FEATURES),
    )
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
        "crates/vm-evm/tests/fixtures/compile.mjs",
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
