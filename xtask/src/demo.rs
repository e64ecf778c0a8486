// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask demo`: the auction, end to end.

use std::process::Command;

use eyre::Result;

use crate::{install, shell};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Leave the network running.
    #[arg(long)]
    keep: bool,
}

/// Builds everything and runs the auction on a fresh local network.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    install::contracts()?;
    eprintln!("building (the first time takes several minutes)");
    build()?;
    auction(arguments.keep)
}

/// Builds everything that is run.
pub(crate) fn build() -> Result<()> {
    let bins = ["build", "--workspace", "--bins", "--locked", "--quiet"];
    shell::run(shell::cargo().args(bins).args(NOT_RUN).args(FEATURES))
}

/// Runs the auction from executables that are built already.
pub(crate) fn auction(keep: bool) -> Result<()> {
    let executable = shell::debug_directory().join("subrosa-auction");
    shell::run(
        Command::new(executable)
            .args(keep.then_some("--keep"))
            .current_dir(shell::root()),
    )
}

/// Points at which a test can hold the host still and kill it. Without its environment variable
/// set they do nothing.
pub(crate) const FEATURES: [&str; 2] = ["--features", "subrosa/failpoints"];

/// What would build forged evidence, or simulated surroundings, into the crates that executables share
/// with it.
pub(crate) const NOT_RUN: [&str; 2] = ["--exclude=subrosa-fuzz", "--exclude=subrosa-simulation"];
