// SPDX-License-Identifier: Apache-2.0
//! `subrosa result`.

use std::path::PathBuf;

use alloy_primitives::B256;
use clap::Args;
use eyre::Result;

use super::request::RequestReport;
use crate::{
    args::{call::Call, deployment::DeploymentArgs, session::Opener, wait::WaitArgs},
    output::Output,
};

/// Waits until a request is fulfilled, and opens its output.
#[derive(Debug, Args)]
pub(crate) struct ResultArgs {
    /// Contract id
    contract: B256,

    /// Number of the entry
    entry: u64,

    /// Function with result types, such as 'winner()(address,uint256)', to decode the output
    #[arg(long, value_name = "FUNCTION")]
    function: Option<String>,

    /// File of the key that the output was sealed to, or of the session that the call was made in
    #[arg(long, value_name = "FILE")]
    reply_key_file: Option<PathBuf>,

    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

impl ResultArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        let call = Call::returning(self.function.as_deref())?;
        let opener = match &self.reply_key_file {
            Some(path) => Some(Opener::read(path)?),
            None => None,
        };
        let connection = self.deployment.open().await?;
        let ticket = connection.find(self.contract, self.entry).await?;
        let fulfilled = connection.wait(&ticket, self.wait.options()).await?;
        let report = RequestReport::open(&connection, ticket, fulfilled, opener.as_ref(), &call)?;
        output.result(&report, RequestReport::text)?;
        report.check()
    }
}
