// SPDX-License-Identifier: Apache-2.0
//! `subrosa prepaid`.

use alloy_primitives::{Address, U256};
use clap::{Args, Subcommand};
use eyre::Result;
use subrosa_client::{Prepaid, PrepaidLimits};

use crate::{
    args::{deployment::DeploymentArgs, key::KeyArgs},
    output::{self, Output},
};

/// Keeps an account that pays for what one consumer contract asks, so that its users bring no ether. Whoever may ask
/// the consumer spends it, within its limits.
#[derive(Debug, Args)]
pub(crate) struct PrepaidArgs {
    #[command(subcommand)]
    command: PrepaidCommand,
}

#[derive(Debug, Subcommand)]
enum PrepaidCommand {
    /// Deploy an account for a consumer
    Deploy(DeployArgs),
    /// Show consumer, owner, limits and what the account has
    Show(ShowArgs),
    /// Deposit in the account; anyone may, a plain transfer does too
    Deposit(DepositArgs),
    /// Set what may be drawn at once and in a day; only for the owner
    SetLimits(SetLimitsArgs),
    /// Take back what is left, or some of it; only for the owner
    Withdraw(WithdrawArgs),
    /// Take in what the oracle keeps for the account, should a refund not have come through
    Collect(AccountArgs),
    /// Offer the account to another owner; only for the owner
    TransferOwnership(TransferArgs),
    /// Take the account, which was offered to the key's
    #[command(alias = "accept")]
    AcceptOwnership(AccountArgs),
}

#[derive(Debug, Args)]
struct DeployArgs {
    /// The consumer contract, which alone draws on it
    consumer: Address,

    /// Who sets limits and takes back what is left [default: the key's account]
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<Address>,

    #[command(flatten)]
    limits: LimitsArgs,

    /// Wei to deposit at once
    #[arg(long, value_name = "WEI", default_value_t = U256::ZERO)]
    deposit: U256,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct LimitsArgs {
    /// Wei at most in one draw
    #[arg(long, value_name = "WEI")]
    per_request: u128,

    /// Wei at most in one day, from midnight to midnight UTC
    #[arg(long, value_name = "WEI")]
    per_day: u128,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// The prepaid account
    account: Address,

    #[command(flatten)]
    deployment: DeploymentArgs,
}

#[derive(Debug, Args)]
struct DepositArgs {
    /// The prepaid account
    account: Address,

    /// Wei to deposit
    wei: U256,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct SetLimitsArgs {
    /// The prepaid account
    account: Address,

    #[command(flatten)]
    limits: LimitsArgs,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct WithdrawArgs {
    /// The prepaid account
    account: Address,

    /// Wei to take back [default: all it has]
    #[arg(long, value_name = "WEI")]
    amount: Option<U256>,

    /// Account to send it to [default: the key's own]
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<Address>,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct TransferArgs {
    /// The prepaid account
    account: Address,

    /// The next owner
    #[arg(required_unless_present = "undo", conflicts_with = "undo")]
    candidate: Option<Address>,

    /// Withdraw the offer
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct AccountArgs {
    /// The prepaid account
    account: Address,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
}

impl PrepaidArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        let prepaid = match self.command {
            PrepaidCommand::Deploy(args) => args.run().await?,
            PrepaidCommand::Show(args) => {
                let connection = args.deployment.open().await?;
                connection.prepaid(args.account).await?
            }
            PrepaidCommand::Deposit(args) => {
                let key = args.common.key.required()?;
                let connection = args.common.deployment.open().await?;
                connection
                    .deposit_prepaid(args.account, args.wei, &key)
                    .await?
            }
            PrepaidCommand::SetLimits(args) => {
                let key = args.common.key.required()?;
                let connection = args.common.deployment.open().await?;
                let limits = args.limits.limits();
                connection
                    .set_prepaid_limits(args.account, limits, &key)
                    .await?
            }
            PrepaidCommand::Withdraw(args) => {
                let key = args.common.key.required()?;
                let connection = args.common.deployment.open().await?;
                let recipient = args.recipient.unwrap_or(key.address());
                connection
                    .withdraw_prepaid(args.account, recipient, args.amount, &key)
                    .await?
            }
            PrepaidCommand::Collect(args) => {
                let key = args.common.key.required()?;
                let connection = args.common.deployment.open().await?;
                connection.collect_prepaid(args.account, &key).await?
            }
            PrepaidCommand::TransferOwnership(args) => {
                let key = args.common.key.required()?;
                let connection = args.common.deployment.open().await?;
                let candidate = args.candidate.unwrap_or_default();
                connection
                    .transfer_prepaid(args.account, candidate, &key)
                    .await?
            }
            PrepaidCommand::AcceptOwnership(args) => {
                let key = args.common.key.required()?;
                let connection = args.common.deployment.open().await?;
                connection.accept_prepaid(args.account, &key).await?
            }
        };
        output.result(&prepaid, text)
    }
}

impl DeployArgs {
    async fn run(self) -> Result<Prepaid> {
        let key = self.common.key.required()?;
        let connection = self.common.deployment.open().await?;
        let owner = self.owner.unwrap_or(key.address());
        let limits = self.limits.limits();
        Ok(connection
            .deploy_prepaid(self.consumer, owner, limits, self.deposit, &key)
            .await?)
    }
}

impl LimitsArgs {
    fn limits(&self) -> PrepaidLimits {
        PrepaidLimits {
            per_request: self.per_request,
            per_day: self.per_day,
        }
    }
}

fn text(prepaid: &Prepaid) -> String {
    let wei = |wei: &U256| format!("{wei} wei");
    let mut pairs = vec![
        ("account", prepaid.account.to_string()),
        ("consumer", prepaid.consumer.to_string()),
        ("owner", prepaid.owner.to_string()),
    ];
    if let Some(candidate) = prepaid.candidate {
        pairs.push(("offered to", candidate.to_string()));
    }
    pairs.extend([
        ("balance", wei(&prepaid.balance)),
        ("waiting at the oracle", wei(&prepaid.waiting)),
        ("at most in one draw", wei(&prepaid.per_request)),
        ("at most in a day", wei(&prepaid.per_day)),
        ("left today", wei(&prepaid.left_today)),
    ]);
    output::pairs(&pairs)
}
