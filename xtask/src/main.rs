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

use eyre::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask <command>

  demo [--keep]        run the sealed-bid auction end to end on real processes, then scan for leaks;
                       --keep leaves the network running
  test [--list] [STEP] run every check and test, or one step
  bench [--json]       measure a private call in the enclave, stage by stage, and the verification
                       of evidence, each against references in the same run
  soak [STEP]          long batteries, each with a result in docs/results: `kills` of processes under
                       load, `flips` of every bit of genuine evidence, `fuzz` of every parser;
                       `slither` and `halmos` over the contracts, `contracts` invariants and fuzzing
  vectors DIR          hold the command line to genuine evidence and the verdicts DIR/MANIFEST.json
                       expects
  install              install what the other commands need (npm packages)
  arrows               check the dependency arrows between crates
";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["demo", rest @ ..] => demo::run(rest),
        ["test", rest @ ..] => test::run(rest),
        ["bench", rest @ ..] => bench::run(rest),
        ["soak", rest @ ..] => soak::run(rest),
        ["vectors", rest @ ..] => vectors::run(rest),
        ["install"] => install::all(),
        ["arrows"] => arrows::check(),
        [] | ["help" | "--help" | "-h"] => {
            eprint!("{USAGE}");
            Ok(())
        }
        [command, ..] => bail!("unknown command {command:?}\n\n{USAGE}"),
    }
}
