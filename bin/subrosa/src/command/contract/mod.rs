// SPDX-License-Identifier: Apache-2.0
//! `subrosa contract`.

mod change;
mod owner;
mod terms;
mod upgrade;

use alloy_primitives::B256;
use clap::{Args, Subcommand};
use eyre::{Result, eyre};
use serde::Serialize;
use subrosa_client::{Statement, UpgradeTerms};

use crate::{
    args::deployment::AttestationArgs,
    output::{self, Output},
};

/// Has the attested enclave sign what code runs under a contract id, checks it, and says whether
/// that code can change.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ContractArgs {
    /// Contract id
    contract: Option<B256>,

    /// Refuse any other code commitment than this
    #[arg(long, value_name = "HASH")]
    expect: Option<B256>,

    #[command(flatten)]
    attestation: AttestationArgs,

    #[command(subcommand)]
    command: Option<ContractCommand>,
}

#[derive(Debug, Subcommand)]
enum ContractCommand {
    /// Announce other code, for users to see
    AnnounceUpgrade(upgrade::AnnounceArgs),
    /// Withdraw what is announced
    WithdrawUpgrade(upgrade::WithdrawArgs),
    /// Have the announced code run, once the contract's delay is over
    Upgrade(upgrade::UpgradeArgs),
    /// Move the contract to a later runtime generation
    SetRuntime(change::SetRuntimeArgs),
    /// Move the contract to its key group's current epoch
    AdvanceEpoch(change::AdvanceEpochArgs),
    /// Show who owns the contract, and on which terms it takes requests
    Policy(owner::ShowArgs),
    /// Change what requests cost, and who may ask
    SetPolicy(owner::SetPolicyArgs),
    /// Have the contract take no requests
    Pause(owner::OwnerArgs),
    /// Have the contract take requests again
    Unpause(owner::OwnerArgs),
    /// Let an account append requests while the contract is restricted
    SetCaller(owner::SetCallerArgs),
    /// Say how many enclaves must sign a result
    SetThreshold(owner::SetThresholdArgs),
    /// Offer the contract to another account
    TransferOwnership(owner::TransferArgs),
    /// Take the contract, which was offered to the key's account
    AcceptOwnership(owner::OwnerArgs),
    /// Give up the contract, whose key epoch is retired, if it was registered for that
    Abandon(owner::OwnerArgs),
}

/// What runs, and whether it can be replaced.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(flatten)]
    statement: Statement,
    upgrade: UpgradeTerms,
}

impl ContractArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        if let Some(command) = self.command {
            return command.run(output).await;
        }
        let contract = self
            .contract
            .ok_or_else(|| eyre!("no contract: pass its id, or a subcommand"))?;
        let attested = self.attestation.attest(output).await?;
        let shown = Shown {
            statement: attested.contract_statement(contract, self.expect).await?,
            upgrade: attested.connection().upgrade_terms(contract).await?,
        };
        output.result(&shown, Shown::text)
    }
}

impl ContractCommand {
    async fn run(self, output: &Output) -> Result<()> {
        match self {
            Self::AnnounceUpgrade(args) => args.run(output).await,
            Self::WithdrawUpgrade(args) => args.run(output).await,
            Self::Upgrade(args) => args.run(output).await,
            Self::SetRuntime(args) => args.run(output).await,
            Self::AdvanceEpoch(args) => args.run(output).await,
            Self::Policy(args) => args.run(output).await,
            Self::SetPolicy(args) => args.run(output).await,
            Self::Pause(args) => args.pause(true, output).await,
            Self::Unpause(args) => args.pause(false, output).await,
            Self::SetCaller(args) => args.run(output).await,
            Self::SetThreshold(args) => args.run(output).await,
            Self::TransferOwnership(args) => args.run(output).await,
            Self::AcceptOwnership(args) => args.accept(output).await,
            Self::Abandon(args) => args.abandon(output).await,
        }
    }
}

impl Shown {
    fn text(&self) -> String {
        let statement = &self.statement;
        let mut pairs = vec![
            ("contract", statement.contract.to_string()),
            ("code commitment", statement.code_commitment.to_string()),
            ("executed entries", statement.seq.to_string()),
            ("commitment", statement.commitment.to_string()),
            ("config hash", statement.config_hash.to_string()),
        ];
        pairs.extend(terms::in_words(&self.upgrade));
        output::pairs(&pairs)
    }
}
