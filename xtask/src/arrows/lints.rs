// SPDX-License-Identifier: Apache-2.0
//! Lints are listed once, in the workspace's `Cargo.toml`, and clippy's settings in its `clippy.toml`.

use std::fs;

use eyre::{Result, WrapErr};

use super::metadata::Workspace;
use crate::shell;

pub(super) fn faults(workspace: &Workspace) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for package in &workspace.packages {
        let directory = shell::root().join(package.directory()?);
        let manifest = directory.join("Cargo.toml");
        let text = fs::read_to_string(&manifest)
            .wrap_err_with(|| format!("cannot read {}", manifest.display()))?;
        if !text.contains("[lints]\nworkspace = true\n") {
            faults.push(format!("{} has lints of its own", package.name));
        }
        if directory.join("clippy.toml").exists() {
            faults.push(format!("{} has a clippy.toml of its own", package.name));
        }
    }
    Ok(faults)
}
