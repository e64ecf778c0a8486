// SPDX-License-Identifier: Apache-2.0
//! `subrosa contract`.

mod change;
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
        match self.command {
            Some(ContractCommand::AnnounceUpgrade(args)) => return args.run(output).await,
            Some(ContractCommand::WithdrawUpgrade(args)) => return args.run(output).await,
            Some(ContractCommand::Upgrade(args)) => return args.run(output).await,
            Some(ContractCommand::SetRuntime(args)) => return args.run(output).await,
            Some(ContractCommand::AdvanceEpoch(args)) => return args.run(output).await,
            None => {}
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
