// SPDX-License-Identifier: Apache-2.0
//! `subrosa collateral`.

mod push;

use clap::{Args, Subcommand};
use eyre::Result;

use crate::output::Output;

/// Keeps Intel's collateral on a chain fresh, so that it can verify DCAP quotes by itself.
#[derive(Debug, Args)]
pub(crate) struct CollateralArgs {
    #[command(subcommand)]
    command: CollateralCommand,
}

#[derive(Debug, Subcommand)]
enum CollateralCommand {
    /// Submit what the chain lacks, or keeps in an older edition; anyone may
    Push(push::PushArgs),
}

impl CollateralArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        match self.command {
            CollateralCommand::Push(args) => args.run(output).await,
        }
    }
}
