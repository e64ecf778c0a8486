// SPDX-License-Identifier: Apache-2.0
//! `subrosa config`.

use clap::{Args, Subcommand};
use eyre::{Result, WrapErr};

use super::node::NodeConfigArgs;
use crate::output::Output;

/// Looks at configuration without running anything.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print a node's effective configuration: defaults filled in, overrides applied, credentials
    /// left out
    Show(NodeConfigArgs),
}

impl ConfigArgs {
    pub(crate) fn run(self, output: &Output) -> Result<()> {
        let ConfigCommand::Show(args) = self.command;
        let config = args.load()?;
        let text = config.to_redacted_toml()?;
        let table: toml::Table = text
            .parse()
            .wrap_err("cannot read the configuration back")?;
        output.result(&table, |_| text)
    }
}
