// SPDX-License-Identifier: Apache-2.0
//! Executables alone and executables with tests use one feature set of every crate that is not ours.
//! Where the two differ, cargo builds that crate and all above it twice.

use std::collections::{BTreeMap, BTreeSet};

use eyre::Result;

use crate::{demo, shell};

pub(super) fn faults() -> Result<Vec<String>> {
    // As `demo` and `test` build.
    let executables = tree(&demo::NOT_RUN, "normal,build")?;
    let everything = tree(&[], "normal,build,dev")?;
    Ok(differences(&executables, &everything))
}

/// Feature sets of each crate that is not ours, by name and version. One that procedural macros use as well
/// may have two.
type Features = BTreeMap<String, BTreeSet<String>>;

fn tree(selection: &[&str], edges: &str) -> Result<Features> {
    let listing = shell::output(
        shell::cargo()
            .args(["tree", "--quiet", "--locked", "--workspace"])
            .args(selection)
            .args(demo::FEATURES)
            .args(["--edges", edges, "--prefix=none", "--format={p}\t{f}"]),
    )?;
    Ok(parse(&listing))
}

fn parse(listing: &str) -> Features {
    let mut features = Features::new();
    for (package, enabled) in listing.lines().filter_map(|line| line.split_once('\t')) {
        // Said once, it is only mentioned again.
        let enabled = enabled.trim_end_matches(" (*)");
        // Ours have a path, in brackets.
        if package.contains("(/") {
            continue;
        }
        let sets = features.entry(package.to_owned()).or_default();
        sets.insert(enabled.to_owned());
    }
    features
}

fn differences(executables: &Features, everything: &Features) -> Vec<String> {
    let differs = |(package, features): (&String, &BTreeSet<String>)| {
        let other = everything.get(package)?;
        (other != features).then(|| {
            format!(
                "{package} is built twice, for executables with {} and for tests with {}: \
                 name the features of the latter in xtask/Cargo.toml",
                shown(features),
                shown(other)
            )
        })
    };
    executables.iter().filter_map(differs).collect()
}

fn shown(sets: &BTreeSet<String>) -> String {
    let sets: Vec<String> = sets.iter().map(|set| format!("[{set}]")).collect();
    sets.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_with_two_feature_sets_is_a_fault() {
        let executables = parse("a v1\tstd\nours v0 (/home/ours)\tx\nb v1\t\na v1\tstd (*)\n");
        let same = parse("a v1\tstd\nours v0 (/home/ours)\ty\nb v1\t\nc v1\tdev\n");
        assert!(differences(&executables, &same).is_empty());
        let more = parse("a v1\talloc,std\nb v1\t\n");
        assert_eq!(differences(&executables, &more).len(), 1);
    }
}
