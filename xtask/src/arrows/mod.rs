// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask arrows`: what depends on what, and other habits of the source that a machine can see.

mod circles;
mod features;
mod formats;
mod length;
mod lints;
mod metadata;
mod packages;
mod purity;
mod sources;

use eyre::{Result, bail};

use metadata::Workspace;
use sources::Sources;

/// Runs every check and reports all that is wrong, not the first alone.
pub(crate) fn check() -> Result<()> {
    let workspace = Workspace::read()?;
    let sources = Sources::tracked()?;
    let checks = [
        ("dependency arrows", packages::faults(&workspace)?),
        ("feature sets", features::faults()?),
        ("purity", purity::faults(&workspace, &sources)?),
        ("circles between files", circles::faults(&workspace)?),
        ("lints in one place", lints::faults(&workspace)?),
        ("length of files", length::faults(&sources)),
        ("formats defined once", formats::faults(&sources)),
    ];
    let mut broken = false;
    for (what, faults) in checks {
        if faults.is_empty() {
            println!("{what}: in order");
            continue;
        }
        broken = true;
        println!("{what}: {} faults", faults.len());
        for fault in faults {
            println!("  {}", fault.replace('\n', "\n  "));
        }
    }
    if broken {
        bail!("the source is not in order; ARCHITECTURE.md and CONTRIBUTING.md say what is");
    }
    Ok(())
}
