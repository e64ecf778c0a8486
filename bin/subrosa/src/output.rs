// SPDX-License-Identifier: Apache-2.0
//! Results on standard output, everything else on standard error.

use std::io::Write;

use eyre::{Result, WrapErr};
use serde::Serialize;
use subrosa_client::Check;

/// Where and in which form results are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Prints a result: as JSON if that was asked for, otherwise as `text` has it.
    pub(crate) fn result<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<()> {
        let mut printed = if self.json {
            serde_json::to_string_pretty(value).wrap_err("cannot encode the result")?
        } else {
            text(value)
        };
        if !printed.ends_with('\n') {
            printed.push('\n');
        }
        let mut stdout = std::io::stdout().lock();
        stdout
            .write_all(printed.as_bytes())
            .and_then(|()| stdout.flush())
            .wrap_err("cannot write to standard output")
    }

    /// Says what is being done.
    pub(crate) fn progress(&self, text: impl std::fmt::Display) {
        if !self.quiet {
            // Nothing can be done if standard error is closed.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }
}

/// Checks as a table.
pub(crate) fn checks(checks: &[Check]) -> String {
    table(checks.iter().map(|check| {
        let outcome = if check.passed() { "ok" } else { "FAILED" };
        let found = if check.passed() {
            check.found.clone()
        } else {
            format!("expected {}, found {}", check.expected, check.found)
        };
        [
            outcome.to_owned(),
            check.subject.to_string(),
            check.id.to_string(),
            found,
        ]
    }))
}

/// Rows with aligned columns and nothing around them.
pub(crate) fn table<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    for row in rows {
        table.add_row(row);
    }
    let text = table.to_string();
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// Name and value pairs, one a line, values aligned.
pub(crate) fn pairs(pairs: &[(&str, String)]) -> String {
    let width = pairs
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or_default();
    let lines: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{name:width$}  {value}"))
        .collect();
    lines.join("\n")
}

/// What every surface says that shows a verdict on development evidence.
pub(crate) const DEVELOPMENT: &str = "development: protects nothing from this host";
