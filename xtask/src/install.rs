// SPDX-License-Identifier: Apache-2.0
//! Installs what the other commands need: npm packages, from the lock files.

use std::{fs, path::Path, process::Command};

use eyre::{Result, WrapErr, bail};

use crate::shell;

/// Oldest Node.js that works.
const NODE_MAJOR: u32 = 20;

/// The npm packages of the contracts: compiler, forge, anvil, libraries.
pub(crate) fn contracts() -> Result<()> {
    npm(&shell::root().join("contracts"))
}

/// Every npm package.
pub(crate) fn all() -> Result<()> {
    contracts()?;
    npm(&shell::root().join("clients/ts"))
}

/// `npm ci`, unless the lock file is the one that was installed last.
fn npm(directory: &Path) -> Result<()> {
    require_node()?;
    let lock = directory.join("package-lock.json");
    let lock = fs::read(&lock).wrap_err_with(|| format!("cannot read {}", lock.display()))?;
    let stamp = directory.join("node_modules/.installed-lock");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    eprintln!("installing npm packages in {}", directory.display());
    shell::run(
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(directory),
    )?;
    fs::write(&stamp, lock).wrap_err_with(|| format!("cannot write {}", stamp.display()))
}

fn require_node() -> Result<()> {
    let version = shell::output(Command::new("node").arg("--version"))
        .wrap_err_with(|| format!("Node.js {NODE_MAJOR} or later with npm is needed"))?;
    let major = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()
        .unwrap_or_default();
    match major.parse::<u32>() {
        Ok(major) if major >= NODE_MAJOR => Ok(()),
        _ => bail!(
            "Node.js {NODE_MAJOR} or later is needed, found {}",
            version.trim()
        ),
    }
}
