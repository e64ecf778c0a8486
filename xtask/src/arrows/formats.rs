// SPDX-License-Identifier: Apache-2.0
//! What crosses a border between crates is defined in one file.

use super::sources::{self, Sources};

/// What gives a definition away in Rust, and where alone it may stand. Tests may write a format down a
/// second time, and the fuzzer makes bundles of its own: that is what they are for.
const DEFINITIONS: &[(&str, &[&str])] = &[
    // The bundle's magic.
    (r#"b"sreb"#, &["crates/evidence/src/encoded.rs", "fuzz/"]),
    // Ids of roots, and the development root's beginning as text and as bytes.
    ("_ROOT_ID: B256 =", &["crates/evidence/src/roots.rs"]),
    ("_ROOT_ID: [u8; 32] =", &["crates/evidence/src/roots.rs"]),
    ("5f18a1e34e91ef96", &["crates/evidence/src/roots.rs"]),
    ("0x5f, 0x18, 0xa1", &["crates/evidence/src/roots.rs"]),
    // Whether a log is stateless: a bit of the oracle's log word.
    ("const STATELESS", &["crates/types/src/log.rs"]),
    // Packed words of entries and results: where a field begins.
    ("<< 160", &["crates/types/src/"]),
    (">> 160", &["crates/types/src/"]),
    ("<< 240", &["crates/types/src/"]),
    (">> 48 << 48", &["crates/types/src/"]),
];

pub(super) fn faults(sources: &Sources) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in &sources.0 {
        if !path.ends_with(".rs") || path.starts_with("xtask/") || sources::is_test(path) {
            continue;
        }
        for (number, line) in sources::code(text) {
            for (needle, files) in DEFINITIONS {
                if line.contains(needle) && !files.iter().any(|place| path.starts_with(place)) {
                    faults.push(format!(
                        "{path}:{number} defines `{needle}` again; it is in {}",
                        files[0]
                    ));
                }
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_defined_in_its_file_and_in_tests_alone() {
        let magic = "const MAGIC: [u8; 4] = *b\"sreb\";\n";
        let count = |path: &str, text: &str| {
            faults(&Sources(vec![(path.to_owned(), text.to_owned())])).len()
        };
        assert_eq!(count("crates/chain/src/evidence.rs", magic), 1);
        assert_eq!(count(DEFINITIONS[0].1[0], magic), 0);
        assert_eq!(count("crates/chain/tests/it/evidence.rs", magic), 0);
        let tested = format!("#[cfg(test)]\nmod tests {{\n{magic}}}\n");
        assert_eq!(count("crates/chain/src/evidence.rs", &tested), 0);
        assert_eq!(
            count("crates/chain/src/evidence.rs", "/// b\"sreb\" begins it.\n"),
            0
        );
    }
}
