// SPDX-License-Identifier: Apache-2.0
//! The command line as a whole.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, error::ErrorKind};
use eyre::Result;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{command, failure, output::Output, version};

/// Confidential contracts: deploy bytecode that only an attested enclave sees, and call it.
#[derive(Debug, Parser)]
#[command(
    name = "subrosa",
    disable_version_flag = true,
    after_help = "Exit codes: 0 success, 2 refused (a check failed), 1 anything else."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,

    /// Print version, commit, wire version, and the measurement of the enclave executable
    #[arg(long, short = 'V')]
    version: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

/// Options of every subcommand.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Print results as JSON
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,

    /// Log more to standard error; repeat for more still
    #[arg(long, short, global = true, action = ArgAction::Count, help_heading = "Output")]
    verbose: u8,

    /// Say nothing on standard error but errors
    #[arg(
        long,
        short,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Output"
    )]
    quiet: bool,

    /// The enclave executable [env: SUBROSA_ENCLAVE] [default: beside this executable, then PATH]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Executables")]
    pub(crate) enclave: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a development network: chain, verifier, enclave and node in one command
    Dev(command::dev::DevArgs),
    /// Run a node: the untrusted host beside an enclave
    Node(command::node::NodeArgs),
    /// Run the attestation service, or make its keys
    Verifier(command::verifier::VerifierArgs),
    /// Check a node's attestation, or evidence in files
    Attest(command::attest::AttestArgs),
    /// Write or check a policy: which hardware is trusted, and in which state
    Policy(command::policy::PolicyArgs),
    /// Deploy a confidential contract
    Deploy(command::deploy::DeployArgs),
    /// Call a confidential contract through the chain
    Request(command::request::RequestArgs),
    /// Wait for a request's result, and open it
    Result(command::result::ResultArgs),
    /// Say what a request costs, and do what is left to be done about its fee
    Fee(command::fee::FeeArgs),
    /// Look after challenges that were put through the chain
    Mailbox(command::mailbox::MailboxArgs),
    /// Keep an account that pays for what one consumer asks
    Prepaid(command::prepaid::PrepaidArgs),
    /// Ask a confidential contract off chain, as a signed caller
    Query(command::query::QueryArgs),
    /// Have the enclave state what code runs under a contract id; change it as its owner
    Contract(command::contract::ContractArgs),
    /// Fetch or verify the receipt of a fulfilled request
    Receipt(command::receipt::ReceiptArgs),
    /// Say whom the registry trusts, as an account of its governance
    Governance(command::governance::GovernanceArgs),
    /// Keep Intel's collateral on a chain fresh
    Collateral(command::collateral::CollateralArgs),
    /// Compute what an enclave executable will report of itself
    Measurement(command::measurement::MeasurementArgs),
    /// Show a node's effective configuration
    Config(command::config::ConfigArgs),
}

/// Parses the command line, printing help or what is wrong with it.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, ExitCode> {
    Cli::try_parse_from(arguments).map_err(|error| {
        // Nothing can be done if standard error is closed.
        let _ = error.print();
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
            // Clap's own code for this, 2, means a refusal here.
            _ => ExitCode::from(failure::OTHER),
        }
    })
}

impl Cli {
    /// Runs what was asked for.
    pub(crate) async fn run(self) -> Result<()> {
        let output = Output::new(self.global.json, self.global.quiet);
        self.global.start_logging(self.command.as_ref());
        let Some(command) = self.command else {
            if self.version {
                return version::print(&output, self.global.enclave.as_deref());
            }
            Self::command().print_help()?;
            eyre::bail!("no subcommand was given");
        };
        match command {
            Command::Dev(args) => args.run(&output, self.global.enclave).await,
            Command::Node(args) => args.run(&output).await,
            Command::Verifier(args) => args.run(&output).await,
            Command::Attest(args) => args.run(&output).await,
            Command::Policy(args) => args.run(&output),
            Command::Deploy(args) => args.run(&output).await,
            Command::Request(args) => args.run(&output).await,
            Command::Result(args) => args.run(&output).await,
            Command::Fee(args) => args.run(&output).await,
            Command::Mailbox(args) => args.run(&output).await,
            Command::Prepaid(args) => args.run(&output).await,
            Command::Query(args) => args.run(&output).await,
            Command::Contract(args) => args.run(&output).await,
            Command::Receipt(args) => args.run(&output).await,
            Command::Governance(args) => args.run(&output).await,
            Command::Collateral(args) => args.run(&output).await,
            Command::Measurement(args) => args.run(&output, self.global.enclave.as_deref()),
            Command::Config(args) => args.run(&output),
        }
    }
}

impl Global {
    /// Logs to standard error: services say what they do, the rest only warns. `RUST_LOG` refines.
    fn start_logging(&self, command: Option<&Command>) {
        let service = matches!(command, Some(Command::Node(_) | Command::Verifier(_)));
        let level = match (self.quiet, self.verbose, service) {
            (true, _, _) => LevelFilter::ERROR,
            (_, 0, false) => LevelFilter::WARN,
            (_, 0, true) | (_, 1, false) => LevelFilter::INFO,
            (_, 1, true) | (_, 2, _) => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        };
        let filter = EnvFilter::builder()
            .with_default_directive(level.into())
            .from_env_lossy();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr);
        if service && self.json {
            subscriber.json().init();
        } else {
            subscriber.init();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
