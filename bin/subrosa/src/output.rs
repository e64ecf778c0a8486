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

/// A time (Unix seconds) as `2026-01-31T00:00:00Z`; as a number if it is past the year 9999.
pub(crate) fn date(unix: u64) -> String {
    let days = unix / 86_400;
    let (hour, minute, second) = (unix / 3600 % 24, unix / 60 % 60, unix % 60);
    // Days are counted from 1 March of year 0, so that the leap day is the last of a year, and in
    // eras of 400 years, which all have the same length.
    let from_march = days.saturating_add(719_468);
    let (era, of_era) = (from_march / 146_097, from_march % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    if year > 9_999 {
        return unix.to_string();
    }
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// What every surface says that shows a verdict on development evidence.
pub(crate) const DEVELOPMENT: &str = "development: protects nothing from this host";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_dates() {
        for (unix, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (253_402_300_800, "253402300800"),
        ] {
            assert_eq!(date(unix), text);
        }
        assert_eq!(date(u64::MAX), u64::MAX.to_string());
    }
}
