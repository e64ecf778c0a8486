// SPDX-License-Identifier: Apache-2.0
//! Pure crates are written without the standard library: what they cannot name they cannot call.

use std::fs;

use eyre::{Result, WrapErr};

use super::{metadata::Workspace, packages::PURE};

/// How a pure crate's `lib.rs` says why it needs the standard library all the same.
const REASON: &str = "// std: ";

pub(super) fn faults(workspace: &Workspace) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let pure = |name: &str| PURE.contains(&name);
    for package in workspace
        .packages
        .iter()
        .filter(|package| pure(&package.name))
    {
        let Some(root) = package.library() else {
            faults.push(format!("{} is pure, but has no library", package.name));
            continue;
        };
        let text =
            fs::read_to_string(root).wrap_err_with(|| format!("cannot read {}", root.display()))?;
        if !is_free_of_std(&text) {
            faults.push(format!(
                "{} is pure: its lib.rs needs #![no_std], or `{REASON}REASON`",
                package.name
            ));
        }
    }
    Ok(faults)
}

fn is_free_of_std(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| {
        let reason = line.strip_prefix(REASON);
        line == "#![no_std]"
            || line == "#![cfg_attr(not(test), no_std)]"
            || reason.is_some_and(|reason| !reason.trim().is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn std_needs_a_reason() {
        assert!(is_free_of_std("//! Docs.\n#![no_std]\n"));
        assert!(is_free_of_std("#![cfg_attr(not(test), no_std)]\n"));
        assert!(is_free_of_std(
            "// std: the EVM's crate has no other form\n"
        ));
        assert!(!is_free_of_std("// std: \n"));
        assert!(!is_free_of_std("//! `#![no_std]` would be nice.\n"));
    }
}
