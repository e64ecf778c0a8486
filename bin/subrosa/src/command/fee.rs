// SPDX-License-Identifier: Apache-2.0
//! `subrosa fee`.

use alloy_primitives::{Address, B256, Bytes, U256};
use clap::{Args, Subcommand};
use eyre::{Result, ensure};
use serde::Serialize;
use subrosa_client::{Asked, Connection};

use crate::{
    args::{deployment::DeploymentArgs, key::KeyArgs, wait::WaitArgs},
    output::{self, Output},
};

/// Says what a request costs, and does what is left to be done about its fee.
#[derive(Debug, Args)]
pub(crate) struct FeeArgs {
    #[command(subcommand)]
    command: FeeCommand,
}

#[derive(Debug, Subcommand)]
enum FeeCommand {
    /// Say what a request costs now, with a margin for the base fee to rise for two blocks
    Quote(QuoteArgs),
    /// Add to what whoever lands a pending request's result is paid
    Add(AddArgs),
    /// Forgo the callback of a pending request; its part is returned
    Cancel(EntryArgs),
    /// Take back what can be of a request that is overdue, late, or whose callback failed
    Refund(EntryArgs),
    /// Take back the whole fee of a request that nobody executed in 30 days from its deadline
    Reclaim(EntryArgs),
    /// Make a callback that failed, or came due late
    RetryCallback(RetryArgs),
    /// Send what waits for an account at the oracle
    Withdraw(WithdrawArgs),
}

#[derive(Debug, Args)]
struct QuoteArgs {
    /// Contract id
    contract: B256,
    /// Bytes of input, as they are on the chain
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    input: u64,
    /// Bytes of output, as they are landed
    #[arg(long, value_name = "BYTES", default_value_t = 1_024)]
    output: u64,
    /// Gas of the callback; 0 for none
    #[arg(long, value_name = "GAS", default_value_t = 0)]
    callback_gas: u64,
    /// Fuel limit
    #[arg(long, value_name = "FUEL", default_value_t = 10_000_000)]
    fuel: u64,
    #[command(flatten)]
    deployment: DeploymentArgs,
}

#[derive(Debug, Args)]
struct AddArgs {
    /// Contract id
    contract: B256,
    /// Number of the entry
    entry: u64,
    /// Gwei to add
    gwei: u64,
    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Debug, Args)]
struct EntryArgs {
    /// Contract id
    contract: B256,
    /// Number of the entry
    entry: u64,
    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Debug, Args)]
struct RetryArgs {
    #[command(flatten)]
    entry: EntryArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

#[derive(Debug, Args)]
struct WithdrawArgs {
    /// Account to send it to [default: the key's own]
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<Address>,
    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
}

/// What was quoted, or done.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    what: &'static str,
    wei: Option<U256>,
}

impl FeeArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        let report = match self.command {
            FeeCommand::Quote(args) => args.run().await?,
            FeeCommand::Add(args) => args.run().await?,
            FeeCommand::Cancel(args) => {
                let account = args.key.required()?;
                let (connection, entry) = args.find().await?;
                connection.cancel(&entry, &account).await?;
                done("cancelled")
            }
            FeeCommand::Refund(args) => {
                let account = args.key.required()?;
                let (connection, entry) = args.find().await?;
                connection.refund(&entry, &account).await?;
                done("refunded")
            }
            FeeCommand::Reclaim(args) => {
                let account = args.key.required()?;
                let (connection, entry) = args.find().await?;
                connection.reclaim(&entry, &account).await?;
                done("reclaimed")
            }
            FeeCommand::RetryCallback(args) => args.run().await?,
            FeeCommand::Withdraw(args) => args.run().await?,
        };
        output.result(&report, Report::text)
    }
}

impl QuoteArgs {
    async fn run(self) -> Result<Report> {
        let asked = Asked {
            input: self.input,
            output: self.output,
            callback_gas: self.callback_gas,
            fuel: self.fuel,
            ..Asked::default()
        };
        let connection = self.deployment.open().await?;
        Ok(Report {
            what: "quoted",
            wei: Some(connection.quote(self.contract, &asked).await?),
        })
    }
}

impl AddArgs {
    async fn run(self) -> Result<Report> {
        let account = self.key.required()?;
        let wei = U256::from(self.gwei) * U256::from(1_000_000_000_u64);
        let connection = self.deployment.open().await?;
        connection
            .add_fee(self.contract, self.entry, wei, &account)
            .await?;
        Ok(Report {
            what: "added",
            wei: Some(wei),
        })
    }
}

impl EntryArgs {
    async fn find(&self) -> Result<(Connection, subrosa_client::Entry)> {
        let connection = self.deployment.open().await?;
        let entry = connection.entry(self.contract, self.entry).await?;
        Ok((connection, entry))
    }
}

impl RetryArgs {
    async fn run(self) -> Result<Report> {
        let account = self.entry.key.required()?;
        let (connection, entry) = self.entry.find().await?;
        let ticket = connection
            .find(self.entry.contract, self.entry.entry)
            .await?;
        let fulfilled = connection.wait(&ticket, self.wait.options()).await?;
        let output: &Bytes = &fulfilled.output;
        connection.retry_callback(&entry, output, &account).await?;
        Ok(done("called back"))
    }
}

impl WithdrawArgs {
    async fn run(self) -> Result<Report> {
        let account = self.key.required()?;
        let connection = self.deployment.open().await?;
        let waiting = connection.waiting(account.address()).await?;
        ensure!(
            !waiting.is_zero(),
            "nothing waits for {}",
            account.address()
        );
        let recipient = self.recipient.unwrap_or(account.address());
        connection.withdraw(recipient, &account).await?;
        Ok(Report {
            what: "withdrawn",
            wei: Some(waiting),
        })
    }
}

fn done(what: &'static str) -> Report {
    Report { what, wei: None }
}

impl Report {
    fn text(&self) -> String {
        match self.wei {
            Some(wei) => output::pairs(&[(self.what, format!("{wei} wei"))]),
            None => self.what.to_owned(),
        }
    }
}
