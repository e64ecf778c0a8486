// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask soak`: the batteries that are too long for every change. Each result is committed.

mod contracts;
mod flips;
mod fuzz;
mod halmos;
mod hostile;
mod kills;
mod slither;
mod tools;

use std::{fs, process::Command};

use eyre::{Result, WrapErr, bail};
use serde_json::Value;

use crate::shell;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The one battery to run.
    step: Option<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Step {
    /// Kills of processes under load.
    Kills,
    /// Flips of every bit of genuine evidence.
    Flips,
    /// Generated cases for every parser.
    Fuzz,
    /// Static analysis of the contracts.
    Slither,
    /// Proofs about the contracts.
    Halmos,
    /// The contracts' invariants and fuzz tests at length.
    Contracts,
    /// Guests and users that take all they can get.
    Hostile,
}

type Battery = (Step, &'static str, fn() -> Result<Value>);

/// Each with the name of its result.
const BATTERIES: [Battery; 7] = [
    (Step::Kills, "soak", kills::run),
    (Step::Flips, "flips", flips::run),
    (Step::Fuzz, "fuzz", fuzz::run),
    (Step::Slither, "slither", slither::run),
    (Step::Halmos, "halmos", halmos::run),
    (Step::Contracts, "contracts", contracts::run),
    (Step::Hostile, "hostile", hostile::run),
];

/// Runs every battery, or the named one, and writes its result to `docs/results`.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    for (step, name, battery) in BATTERIES {
        if arguments.step.is_some_and(|wanted| wanted != step) {
            continue;
        }
        // Before the run: what is committed meanwhile is not what ran.
        let commit = commit()?;
        let mut result = battery().wrap_err_with(|| format!("soak {name} failed"))?;
        result["commit"] = commit.into();
        let path = shell::root().join(format!("docs/results/{name}.json"));
        fs::write(&path, format!("{result:#}\n"))
            .wrap_err_with(|| format!("cannot write {}", path.display()))?;
        // Figures that miss their goal are not kept quiet.
        if result["holds"] == false {
            bail!(
                "soak {name}: a figure misses its goal, see {}",
                path.display()
            );
        }
    }
    Ok(())
}

fn commit() -> Result<String> {
    let commit = shell::output(
        Command::new("git")
            .args(["rev-parse", "HEAD"])
            .current_dir(shell::root()),
    )?;
    Ok(commit.trim().to_owned())
}
