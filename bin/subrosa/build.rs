// SPDX-License-Identifier: Apache-2.0
//! Tells the executable which commit it was built from.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SUBROSA_COMMIT");
    // Source archives have no history; whoever builds from one may say what it is.
    let stated = std::env::var("SUBROSA_COMMIT")
        .ok()
        .filter(|text| !text.is_empty());
    let commit = stated
        .or_else(from_git)
        .unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=SUBROSA_COMMIT={commit}");
}

fn from_git() -> Option<String> {
    let manifest = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?);
    // A source archive unpacked inside somebody else's repository is not of that repository.
    let tracked = git(&manifest, &["ls-files", "--error-unmatch", "build.rs"]);
    tracked?;
    let directory = PathBuf::from(git(&manifest, &["rev-parse", "--absolute-git-dir"])?);
    let shared = git(
        &manifest,
        &["rev-parse", "--path-format=absolute", "--git-common-dir"],
    )?;
    // HEAD changes when another branch is checked out, its log when anything moves it.
    let watched = [
        directory.join("HEAD"),
        directory.join("logs/HEAD"),
        Path::new(&shared).join("packed-refs"),
    ];
    // Cargo takes a file that is not there for one that always changes.
    for path in watched.iter().filter(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    git(&manifest, &["rev-parse", "HEAD"])
}

fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
