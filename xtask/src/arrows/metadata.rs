// SPDX-License-Identifier: Apache-2.0
//! The workspace's packages, as cargo knows them.

use std::{collections::BTreeSet, path::PathBuf};

use eyre::{Result, WrapErr, eyre};
use serde::Deserialize;

use crate::shell;

/// The workspace's own packages.
#[derive(Debug, Deserialize)]
pub(super) struct Workspace {
    pub(super) packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

impl Workspace {
    pub(super) fn read() -> Result<Self> {
        let metadata = shell::output(shell::cargo().args([
            "metadata",
            "--no-deps",
            "--format-version=1",
            "--quiet",
        ]))?;
        serde_json::from_str(&metadata).wrap_err("cargo metadata printed something else")
    }

    /// Names of the packages.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        let names = self.packages.iter();
        names.map(|package| package.name.as_str()).collect()
    }

    /// Names of all that `package` depends on itself, for whatever purpose.
    pub(super) fn dependencies(&self, package: &str) -> impl Iterator<Item = &str> {
        let package = self
            .packages
            .iter()
            .find(|candidate| candidate.name == package);
        let dependencies = package
            .into_iter()
            .flat_map(|package| &package.dependencies);
        dependencies.map(|dependency| dependency.name.as_str())
    }
}

impl Package {
    /// The root files of its library and its executables.
    pub(super) fn roots(&self) -> impl Iterator<Item = &PathBuf> {
        let built = |target: &&Target| {
            target
                .kind
                .iter()
                .any(|kind| kind == "lib" || kind == "bin")
        };
        self.targets
            .iter()
            .filter(built)
            .map(|target| &target.src_path)
    }

    /// Its directory, from the workspace's root.
    pub(super) fn directory(&self) -> Result<String> {
        let directory = self.manifest_path.parent().unwrap_or(&self.manifest_path);
        let inside = directory.strip_prefix(shell::root()).unwrap_or(directory);
        let text = inside.to_str().map(str::to_owned);
        text.ok_or_else(|| eyre!("{} is no text", inside.display()))
    }

    #[cfg(test)]
    pub(super) fn named(name: &str, directory: &str) -> Self {
        Self {
            name: name.to_owned(),
            manifest_path: PathBuf::from(directory).join("Cargo.toml"),
            targets: Vec::new(),
            dependencies: Vec::new(),
        }
    }
}
