// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask soak`: the batteries that are too long for every change. Each result is committed.

mod contracts;
mod flips;
mod fuzz;
mod halmos;
mod kills;
mod slither;
mod tools;

use std::{fs, process::Command};

use eyre::{Result, WrapErr, bail};
use serde_json::Value;

use crate::shell;

type Step = (&'static str, fn() -> Result<Value>);

/// The step, which is the name of its result as well.
const STEPS: [Step; 6] = [
    ("soak", kills::run),
    ("flips", flips::run),
    ("fuzz", fuzz::run),
    ("slither", slither::run),
    ("halmos", halmos::run),
    ("contracts", contracts::run),
];

/// Runs every battery, or the named one, and writes `docs/results/STEP.json`.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let wanted = match arguments {
        [] => None,
        ["kills"] => Some("soak"),
        [wanted @ ("flips" | "fuzz" | "slither" | "halmos" | "contracts")] => Some(*wanted),
        _ => bail!("`cargo xtask soak [kills | flips | fuzz | slither | halmos | contracts]`"),
    };
    for (name, step) in STEPS {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        // Before the run: what is committed meanwhile is not what ran.
        let commit = commit()?;
        let mut result = step().wrap_err_with(|| format!("soak {name} failed"))?;
        result["commit"] = commit.into();
        let path = shell::root().join(format!("docs/results/{name}.json"));
        fs::write(&path, format!("{result:#}\n"))
            .wrap_err_with(|| format!("cannot write {}", path.display()))?;
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
