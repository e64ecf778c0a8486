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

/// Whether all of a file is test code.
pub(super) fn is_test(path: &str) -> bool {
    path.ends_with("tests.rs")
        || path
            .split('/')
            .any(|directory| directory == "tests" || directory == "test")
}

/// Numbered lines, without comments, up to the module of tests at the end of the file.
pub(super) fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let is_module = |line: &&str| line.starts_with("mod ") && line.ends_with('{');
    let tests = lines
        .windows(2)
        .position(|pair| pair[0] == "#[cfg(test)]" && is_module(&pair[1]));
    let end = tests.unwrap_or(lines.len());
    (1..)
        .zip(lines)
        .take(end)
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_ends_where_the_module_of_tests_begins() {
        let text = "// a\nb\n#[cfg(test)]\nmod fake;\nc\n#[cfg(test)]\nmod tests {\nd\n}\n";
        let numbers: Vec<usize> = code(text).map(|(number, _)| number).collect();
        assert_eq!(numbers, [2, 3, 4, 5]);
    }
}
