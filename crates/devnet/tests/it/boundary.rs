// SPDX-License-Identifier: Apache-2.0
//! Two executables, and nothing of the enclave in the host.

use std::process::Command;

use sha2::{Digest, Sha256};
use subrosa_devnet::Executable;

#[test]
fn host_and_enclave_are_two_distinct_executables() {
    let host = Executable::Subrosa.locate(None).unwrap();
    let enclave = Executable::Enclave.locate(None).unwrap();
    let digest = |path| Sha256::digest(std::fs::read(path).unwrap());
    assert_ne!(digest(&host), digest(&enclave));
}

#[test]
fn nothing_the_host_depends_on_executes_contracts() {
    for package in ["subrosa-node", "subrosa"] {
        let tree = Command::new(env!("CARGO"))
            .args([
                "tree",
                "--package",
                package,
                "--edges=normal",
                "--prefix=none",
                "--format={p}",
            ])
            .output()
            .unwrap();
        assert!(tree.status.success());
        let tree = String::from_utf8(tree.stdout).unwrap();
        let names: Vec<_> = tree
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert!(
            names.contains(&"subrosa-types"),
            "the listing is one of {package}"
        );
        for forbidden in ["subrosa-vm", "subrosa-enclave-core", "revm"] {
            assert!(!names.contains(&forbidden), "{package} reaches {forbidden}");
        }
    }
}
