// SPDX-License-Identifier: Apache-2.0
//! `subrosa`: node, verifier and client on one command line.
//!
//! Standard output is the result alone; progress, warnings and errors go to standard error. The
//! exit code is 0 for success, 2 for a refusal (a check failed: what was presented must not be
//! trusted), and 1 for everything else.
#![forbid(unsafe_code)]

mod args;
mod cli;
mod command;
mod failure;
mod output;
mod remedy;
mod version;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Several dependencies speak TLS; this one provider serves them all.
    if rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("a TLS provider was installed before");
    }
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failure::report(&eyre::Report::new(error)),
    };
    match runtime.block_on(cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}
