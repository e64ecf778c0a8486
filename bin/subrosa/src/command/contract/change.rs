// SPDX-License-Identifier: Apache-2.0
//! `subrosa contract set-runtime` and `advance-epoch`.

use alloy_primitives::B256;
use clap::Args;
use eyre::Result;
use serde::Serialize;
use subrosa_client::{Connection, Fulfilled, Ticket};

use crate::{
    args::{deployment::DeploymentArgs, key::KeyArgs, wait::WaitArgs},
    output::{self, Output},
};

/// Moves a contract to a later runtime generation, and waits for the result. Requests that no
/// enclave can execute in their own generation are executed in this one, if no more than 65,536
/// entries are pending.
///
/// The registry must have the generation active and not withdrawn. Anyone may move a contract whose
/// own was withdrawn to the generation that takes over from it.
#[derive(Debug, Args)]
pub(crate) struct SetRuntimeArgs {
    /// Contract id
    contract: B256,

    /// The generation
    generation: u16,

    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

/// Moves a contract to its key group's current epoch, and waits for the result. Requests encrypted
/// to the epoch before are refused from then on.
#[derive(Debug, Args)]
pub(crate) struct AdvanceEpochArgs {
    /// Contract id
    contract: B256,

    /// The epoch whose keys you have examined: if another one is current, nothing is changed
    /// [default: the current one]
    #[arg(long)]
    epoch: Option<u32>,

    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

impl SetRuntimeArgs {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let connection = self.deployment.open().await?;
        let ticket = connection
            .change_runtime(self.contract, self.generation, &account)
            .await?;
        finish(&connection, &ticket, &self.wait, output).await
    }
}

impl AdvanceEpochArgs {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let connection = self.deployment.open().await?;
        let epoch = match self.epoch {
            Some(epoch) => epoch,
            None => connection.current_epoch(self.contract).await?,
        };
        output.progress(format_args!("moving to key epoch {epoch}"));
        let ticket = connection
            .advance_epoch(self.contract, epoch, &account)
            .await?;
        finish(&connection, &ticket, &self.wait, output).await
    }
}

/// An entry that runs no code, and its result.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    appended: B256,
    fulfilled: Fulfilled,
}

async fn finish(
    connection: &Connection,
    ticket: &Ticket,
    wait: &WaitArgs,
    output: &Output,
) -> Result<()> {
    output.progress(format_args!("appended as entry {}", ticket.seq));
    let changed = Changed {
        appended: ticket.transaction,
        fulfilled: connection.wait(ticket, wait.options()).await?,
    };
    output.result(&changed, |changed| {
        let fulfilled = &changed.fulfilled;
        output::pairs(&[
            ("contract", fulfilled.contract.to_string()),
            ("entry", fulfilled.seq.to_string()),
            ("status", format!("{:?}", fulfilled.status).to_lowercase()),
            ("appended in", changed.appended.to_string()),
            ("fulfilled in", fulfilled.transaction.to_string()),
        ])
    })
}
