// SPDX-License-Identifier: Apache-2.0
//! Pure crates are written without the standard library: what they cannot name they cannot call. In one
//! that needs it for something else, nothing of [`IMPURE`] may be named.
//!
//! Of what they depend on, `packages` forbids what does input and output. Libraries in C (AWS-LC,
//! libsecp256k1) are not read: their bindings need the standard library, and AWS-LC looks at the processor
//! and at `OPENSSL_ia32cap` when it starts (ADR 10). What could make a result differ, randomness of their
//! own, pure crates do not ask them for: see [`DRAWS`].

use eyre::Result;

use super::{
    metadata::{Package, Workspace},
    packages::PURE,
    sources::{self, Sources},
};

/// How a pure crate's `lib.rs` says why it needs the standard library all the same.
const REASON: &str = "// std: ";

/// Clock, environment, files, network, processes and threads.
const IMPURE: &[&str] = &[
    "SystemTime",
    "Instant::",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "extern crate std",
];

/// Randomness of a library's own: whatever is drawn in a pure crate is handed to it.
const DRAWS: &[&str] = &[
    "SystemRandom",
    "aws_lc_rs::rand",
    "DecapsulationKey::generate",
    ".encapsulate()",
    "EphemeralPrivateKey",
    "RandomizedNonceKey",
    "getrandom",
    "OsRng",
    "SysRng",
];

pub(super) fn faults(workspace: &Workspace, sources: &Sources) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let is_pure = |package: &&Package| PURE.contains(&package.name.as_str());
    for package in workspace.packages.iter().filter(is_pure) {
        let directory = format!("{}/src/", package.directory()?);
        let files = || {
            let inside = |(path, _): &&(String, String)| path.starts_with(&directory);
            sources.0.iter().filter(inside)
        };
        let root = files().find(|(path, _)| *path == format!("{directory}lib.rs"));
        if !root.is_some_and(|(_, text)| is_free_of_std(text)) {
            faults.push(format!(
                "{} is pure: its lib.rs needs #![no_std], or `{REASON}REASON`",
                package.name
            ));
        }
        for (path, text) in files().filter(|(path, _)| !sources::is_test(path)) {
            for (number, line) in sources::code(text) {
                let impure = IMPURE.iter().chain(DRAWS);
                for found in impure.filter(|name| line.contains(**name)) {
                    faults.push(format!("{path}:{number} is pure, and names {found}"));
                }
            }
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

    #[test]
    fn a_clock_is_found_whatever_the_reason() {
        let workspace = Workspace {
            packages: vec![Package::named("subrosa-vm", "crates/vm")],
        };
        let count = |text: &str| {
            let file = ("crates/vm/src/lib.rs".to_owned(), text.to_owned());
            faults(&workspace, &Sources(vec![file])).unwrap().len()
        };
        assert_eq!(count("// std: revm\nfn f() {}\n"), 0);
        assert_eq!(count("fn f() {}\n"), 1);
        assert_eq!(
            count("// std: revm\nfn f() { std::time::SystemTime::now() }\n"),
            1
        );
        assert_eq!(
            count("#![no_std]\nfn f() { aws_lc_rs::rand::SystemRandom::new() }\n"),
            2
        );
        assert_eq!(count("#![no_std]\nfn f() { key.encapsulate() }\n"), 1);
        assert_eq!(count("// std: revm\n/// No SystemTime.\nfn f() {}\n"), 0);
        assert_eq!(
            count("// std: revm\n#[cfg(test)]\nmod tests {\nuse std::fs;\n}\n"),
            0
        );
    }
}
