// SPDX-License-Identifier: Apache-2.0
//! A file longer than [`MOST_LINES`] probably holds two ideas. It may say why it does not.

use super::sources::Sources;

const MOST_LINES: usize = 600;

/// How a file says, among its first [`HEAD`] lines, why it is long.
const REASON: &str = "// long: ";
const HEAD: usize = 20;

pub(super) fn faults(sources: &Sources) -> Vec<String> {
    let long = |(path, text): &(String, String)| {
        let lines = text.lines().count();
        let reason = |line: &str| {
            let reason = line.trim_start().strip_prefix(REASON);
            reason.is_some_and(|reason| !reason.trim().is_empty())
        };
        (lines > MOST_LINES && !text.lines().take(HEAD).any(reason)).then(|| {
            format!(
                "{path} has {lines} lines; split it, or say why not: `{REASON}REASON` at its head"
            )
        })
    };
    sources.0.iter().filter_map(long).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_needs_a_reason_at_its_head() {
        let lines = "x\n".repeat(MOST_LINES);
        let fault = |text: String| !faults(&Sources(vec![("a.rs".to_owned(), text)])).is_empty();
        assert!(!fault(lines.clone()));
        assert!(fault(format!("{lines}x\n")));
        assert!(!fault(format!("// long: one table\n{lines}")));
        assert!(fault(format!("// long:  \n{lines}")));
        assert!(fault(format!("{lines}// long: said too late\n")));
    }
}
