// SPDX-License-Identifier: Apache-2.0
//! The source files that git tracks.

use std::{fs, process::Command};

use eyre::{Result, WrapErr};

use crate::shell;

/// Rust, Solidity and TypeScript of the repository: path from its root, and text.
pub(super) struct Sources(pub(super) Vec<(String, String)>);

impl Sources {
    pub(super) fn tracked() -> Result<Self> {
        let listing = shell::output(
            Command::new("git")
                .args(["ls-files", "-z", "--", "*.rs", "*.sol", "*.ts", "*.tsx"])
                .current_dir(shell::root()),
        )?;
        let mut sources = Vec::new();
        for path in listing.split_terminator('\0') {
            let file = shell::root().join(path);
            // Deleted, and not committed yet.
            if !file.exists() {
                continue;
            }
            let text = fs::read_to_string(&file)
                .wrap_err_with(|| format!("cannot read {}", file.display()))?;
            sources.push((path.to_owned(), text));
        }
        Ok(Self(sources))
    }
}
