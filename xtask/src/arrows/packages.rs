// SPDX-License-Identifier: Apache-2.0
//! Dependency arrows: who may depend on whom, and what pure crates must never reach.

use std::collections::{BTreeMap, BTreeSet};

use eyre::Result;

use super::metadata::Workspace;
use crate::shell;

/// Normal dependencies each workspace package may have on others. `ARCHITECTURE.md` draws this.
const ALLOWED: &[(&str, &[&str])] = &[
    ("subrosa-types", &[]),
    ("subrosa-evidence", &["subrosa-types"]),
    ("subrosa-crypto", &["subrosa-types"]),
    (
        "subrosa-attestation",
        &["subrosa-types", "subrosa-evidence"],
    ),
    ("subrosa-chain-proof", &["subrosa-types"]),
    ("subrosa-vm", &["subrosa-types"]),
    ("subrosa-vm-evm", &["subrosa-types", "subrosa-vm"]),
    (
        "subrosa-enclave-core",
        &[
            "subrosa-types",
            "subrosa-evidence",
            "subrosa-crypto",
            "subrosa-chain-proof",
            "subrosa-vm",
        ],
    ),
    ("subrosa-tee", &["subrosa-types", "subrosa-evidence"]),
    ("subrosa-store", &["subrosa-types"]),
    ("subrosa-chain", &["subrosa-types", "subrosa-evidence"]),
    ("subrosa-quota", &[]),
    (
        "subrosa-collateral",
        &["subrosa-types", "subrosa-evidence", "subrosa-attestation"],
    ),
    (
        "subrosa-node",
        &[
            "subrosa-types",
            "subrosa-evidence",
            "subrosa-chain",
            "subrosa-store",
            "subrosa-quota",
        ],
    ),
    (
        "subrosa-verifier",
        &[
            "subrosa-types",
            "subrosa-evidence",
            "subrosa-attestation",
            "subrosa-collateral",
            "subrosa-quota",
        ],
    ),
    (
        "subrosa-client",
        &[
            "subrosa-types",
            "subrosa-evidence",
            "subrosa-attestation",
            "subrosa-crypto",
            "subrosa-chain",
        ],
    ),
    (
        "subrosa-devnet",
        &[
            "subrosa-types",
            "subrosa-evidence",
            "subrosa-attestation",
            "subrosa-chain",
            "subrosa-client",
        ],
    ),
    (
        "subrosa",
        &[
            "subrosa-types",
            "subrosa-evidence",
            "subrosa-attestation",
            "subrosa-collateral",
            "subrosa-node",
            "subrosa-verifier",
            "subrosa-client",
            "subrosa-devnet",
        ],
    ),
    (
        "subrosa-enclave",
        &[
            "subrosa-types",
            "subrosa-evidence",
            "subrosa-vm",
            "subrosa-vm-evm",
            "subrosa-enclave-core",
            "subrosa-tee",
        ],
    ),
    (
        "subrosa-auction",
        &["subrosa-types", "subrosa-client", "subrosa-devnet"],
    ),
    (
        "subrosa-fuzz",
        &[
            "subrosa-types",
            "subrosa-evidence",
            "subrosa-attestation",
            "subrosa-tee",
            "subrosa-vectors",
        ],
    ),
    (
        "subrosa-simulation",
        &[
            "subrosa-types",
            "subrosa-evidence",
            "subrosa-crypto",
            "subrosa-chain-proof",
            "subrosa-vm",
            "subrosa-vm-evm",
            "subrosa-enclave-core",
            "subrosa-chain",
            "subrosa-store",
            "subrosa-node",
        ],
    ),
    ("subrosa-vectors", &[]),
    ("xtask", &[]),
];

/// Crates that are functions of their arguments.
pub(super) const PURE: &[&str] = &[
    "subrosa-types",
    "subrosa-evidence",
    "subrosa-crypto",
    "subrosa-attestation",
    "subrosa-chain-proof",
    "subrosa-vm",
    "subrosa-vm-evm",
    "subrosa-enclave-core",
];

/// What no pure crate and no enclave may reach: runtimes, sockets, HTTP.
const IMPURE: &[&str] = &[
    "tokio",
    "mio",
    "hyper",
    "reqwest",
    "socket2",
    "async-std",
    "smol",
];

/// What the host must never link.
const ENCLAVE_ONLY: &[&str] = &["subrosa-vm", "subrosa-vm-evm", "subrosa-enclave-core"];

/// Test-only packages, which link the host and the enclave together: nothing may depend on them, in any
/// kind of dependency.
const TEST_ONLY: &[&str] = &["subrosa-simulation"];

/// Holds every arrow to [`ALLOWED`], and what pure crates, the enclave and the host can reach.
pub(super) fn faults(workspace: &Workspace) -> Result<Vec<String>> {
    let graph = Graph::read(workspace)?;
    let mut faults = Vec::new();
    for package in &graph.members {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| name == package) else {
            faults.push(format!("{package} is not in the table of arrows"));
            continue;
        };
        for dependency in graph
            .direct(package)
            .filter(|name| graph.members.contains(*name))
        {
            if !allowed.contains(&dependency) {
                faults.push(format!("{package} must not depend on {dependency}"));
            }
        }
        for dependency in workspace.dependencies(package) {
            if TEST_ONLY.contains(&dependency) {
                faults.push(format!(
                    "{package} must not depend on {dependency}: it is for tests alone"
                ));
            }
        }
    }
    for (packages, forbidden) in [
        (PURE, IMPURE),
        (&["subrosa-enclave"], IMPURE),
        (&["subrosa-node", "subrosa"], ENCLAVE_ONLY),
    ] {
        // A crate that is not there yet reaches nothing.
        for package in packages {
            for found in graph
                .reach(package)
                .intersection(&forbidden.iter().copied().collect())
            {
                faults.push(format!("{package} must not reach {found}"));
            }
        }
    }
    Ok(faults)
}

/// Normal (not dev, not build) dependencies of each workspace package, by name.
struct Graph {
    members: BTreeSet<String>,
    direct: BTreeMap<String, BTreeSet<String>>,
    reach: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn read(workspace: &Workspace) -> Result<Self> {
        let mut graph = Self {
            members: workspace.names().into_iter().map(str::to_owned).collect(),
            direct: BTreeMap::new(),
            reach: BTreeMap::new(),
        };
        // One package at a time: features of one must not widen another's tree.
        for member in graph.members.clone() {
            graph.direct.insert(member.clone(), tree(&member, "1")?);
            graph.reach.insert(member.clone(), tree(&member, "1000")?);
        }
        Ok(graph)
    }

    fn direct(&self, package: &str) -> impl Iterator<Item = &str> {
        self.direct
            .get(package)
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    fn reach(&self, package: &str) -> BTreeSet<&str> {
        self.reach
            .get(package)
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect()
    }
}

/// Names of the packages within `depth` arrows of `package`, itself left out.
fn tree(package: &str, depth: &str) -> Result<BTreeSet<String>> {
    let listing = shell::output(shell::cargo().args([
        "tree",
        "--quiet",
        "--package",
        package,
        "--edges=normal",
        "--prefix=none",
        "--format={p}",
        "--depth",
        depth,
    ]))?;
    let names = listing
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    Ok(names
        .filter(|name| *name != package)
        .map(str::to_owned)
        .collect())
}
