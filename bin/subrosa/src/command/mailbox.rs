// SPDX-License-Identifier: Apache-2.0
//! `subrosa mailbox`.

use alloy_primitives::{Address, B256, U256};
use clap::{Args, Subcommand};
use eyre::{Result, ensure};
use serde::Serialize;
use subrosa_client::{Clock, MailboxError, PutChallenge};

use crate::{
    args::{deployment::DeploymentArgs, key::KeyArgs},
    output::{self, Output},
};

/// Looks after challenges that were put through the chain, and their escrows.
#[derive(Debug, Args)]
pub(crate) struct MailboxArgs {
    #[command(subcommand)]
    command: MailboxCommand,
}

#[derive(Debug, Subcommand)]
enum MailboxCommand {
    /// Say what a challenge costs now: gas of the answer, with a margin
    Quote(QuoteArgs),
    /// List the account's challenges that wait for their answer
    List(ListArgs),
    /// Take back the escrow of challenges that nobody answered in time
    Reclaim(ReclaimArgs),
}

#[derive(Debug, Args)]
struct QuoteArgs {
    #[command(flatten)]
    deployment: DeploymentArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Debug, Args)]
struct ReclaimArgs {
    /// Id of a challenge [default: all whose time is over]
    challenge: Option<B256>,
    /// Account to send it to [default: the key's own]
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<Address>,
    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Quoted {
    wei: U256,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    challenges: Vec<PutChallenge>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Reclaimed {
    recipient: Address,
    challenges: Vec<PutChallenge>,
}

impl MailboxArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        match self.command {
            MailboxCommand::Quote(args) => {
                let wei = args.deployment.open().await?.quote_answer().await?;
                output.result(&Quoted { wei }, |quoted| format!("{} wei", quoted.wei))
            }
            MailboxCommand::List(args) => {
                let account = args.key.required()?.address();
                let connection = args.deployment.open().await?;
                let challenges = connection.put_challenges(account).await?;
                output.result(&Listed { challenges }, |listed| table(&listed.challenges))
            }
            MailboxCommand::Reclaim(args) => args.run(output).await,
        }
    }
}

impl ReclaimArgs {
    async fn run(self, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let connection = self.deployment.open().await?;
        let put = connection.put_challenges(account.address()).await?;
        let challenges: Vec<PutChallenge> = match self.challenge {
            Some(id) => {
                let found = put.into_iter().find(|put| put.id == id);
                let account = account.address();
                vec![found.ok_or_else(|| {
                    subrosa_client::ClientError::from(MailboxError::UnknownChallenge {
                        id,
                        account,
                    })
                })?]
            }
            None => {
                let now = Clock::system().now();
                put.into_iter().filter(|put| put.deadline <= now).collect()
            }
        };
        ensure!(
            !challenges.is_empty(),
            "no challenge of {} is over without an answer; `subrosa mailbox list` says until when each waits",
            account.address()
        );
        let recipient = self.recipient.unwrap_or(account.address());
        for put in &challenges {
            connection.reclaim_escrow(put, recipient, &account).await?;
        }
        let reclaimed = Reclaimed {
            recipient,
            challenges,
        };
        output.result(&reclaimed, |reclaimed| {
            let total: U256 = reclaimed.challenges.iter().map(|put| put.escrow).sum();
            output::pairs(&[
                ("challenges", reclaimed.challenges.len().to_string()),
                ("reclaimed", format!("{total} wei")),
                ("sent to", reclaimed.recipient.to_string()),
            ])
        })
    }
}

fn table(challenges: &[PutChallenge]) -> String {
    if challenges.is_empty() {
        return "no challenge waits for its answer".to_owned();
    }
    output::table(challenges.iter().map(|put| {
        [
            put.id.to_string(),
            put.signer.to_string(),
            format!("{} wei", put.escrow),
            output::date(put.deadline),
        ]
    }))
}
