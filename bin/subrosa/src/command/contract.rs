// SPDX-License-Identifier: Apache-2.0
//! `subrosa contract`.

use alloy_primitives::B256;
use clap::Args;
use eyre::Result;
use subrosa_client::Statement;

use crate::{
    args::deployment::AttestationArgs,
    output::{self, Output},
};

/// Has the attested enclave sign what code runs under a contract id, and checks it.
#[derive(Debug, Args)]
pub(crate) struct ContractArgs {
    /// Contract id
    contract: B256,

    /// Refuse any other code commitment than this
    #[arg(long, value_name = "HASH")]
    expect: Option<B256>,

    #[command(flatten)]
    attestation: AttestationArgs,
}

impl ContractArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        let attested = self.attestation.attest(output).await?;
        let statement = attested
            .contract_statement(self.contract, self.expect)
            .await?;
        output.result(&statement, text)
    }
}

fn text(statement: &Statement) -> String {
    output::pairs(&[
        ("contract", statement.contract.to_string()),
        ("code commitment", statement.code_commitment.to_string()),
        ("executed entries", statement.seq.to_string()),
        ("commitment", statement.commitment.to_string()),
        ("config hash", statement.config_hash.to_string()),
    ])
}
