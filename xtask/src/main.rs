// SPDX-License-Identifier: Apache-2.0
//! Build, test and demonstration commands: `cargo xtask <command>`.
#![expect(
    clippy::print_stdout,
    reason = "a command line: standard output is its result"
)]

mod arrows;
mod bench;
mod demo;
mod install;
mod shell;
mod soak;
mod test;
mod vectors;

use clap::{Parser, Subcommand};
use eyre::Result;

/// Build, test and demonstration commands.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the sealed-bid auction end to end on real processes, then scan for leaks.
    Demo(demo::Arguments),
    /// Run every check and test, or one step.
    Test(test::Arguments),
    /// Measure a private call in the enclave, stage by stage, the verification of evidence, each
    /// against references in the same run, and the whole service under load.
    Bench(bench::Arguments),
    /// Run long batteries, each with a result in docs/results.
    Soak(soak::Arguments),
    /// Hold the command line to genuine evidence and the verdicts that DIR/MANIFEST.json expects.
    Vectors(vectors::Arguments),
    /// Install what the other commands need (npm packages).
    Install,
    /// Check what may depend on what, circles between files, and other habits of the source.
    Arrows,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::Vectors(arguments) => vectors::run(&arguments),
        Command::Install => install::all(),
        Command::Arrows => arrows::check(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn commands_take_the_options_they_document() {
        for line in [
            "demo --keep",
            "test --list",
            "test lint",
            "bench --json",
            "soak kills",
            "soak",
            "vectors dir",
            "arrows",
        ] {
            let words = std::iter::once("xtask").chain(line.split(' '));
            assert!(Arguments::try_parse_from(words).is_ok(), "{line}");
        }
        for line in [
            "demo keep",
            "test lint build",
            "soak soak",
            "vectors",
            "install x",
        ] {
            let words = std::iter::once("xtask").chain(line.split(' '));
            assert!(Arguments::try_parse_from(words).is_err(), "{line}");
        }
    }
}
