// SPDX-License-Identifier: Apache-2.0
//! `subrosa query`.

use alloy_primitives::B256;
use clap::Args;
use eyre::{Result, bail};
use serde::Serialize;
use subrosa_client::{QueryAnswer, QueryCall};
use subrosa_types::result::Status;

use crate::{
    args::{
        call::{CallArgs, Decoded},
        deployment::AttestationArgs,
        key::KeyArgs,
    },
    output::{self, Output},
};

/// Makes a static call off chain. The caller signs it; question, answer and caller are encrypted,
/// and the answer is signed by the attested enclave.
#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// Contract id
    contract: B256,

    #[command(flatten)]
    call: CallArgs,

    /// Ask as nobody: the contract sees the zero address
    #[arg(long)]
    anonymous: bool,

    /// Accept a state of at least so many executed entries [default: what the chain says]
    #[arg(long, value_name = "NUMBER")]
    minimum_entry: Option<u64>,

    #[command(flatten)]
    attestation: AttestationArgs,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status: Status,
    seq: u64,
    commitment: B256,
    block: u64,
    #[serde(flatten)]
    output: Decoded,
}

impl QueryArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        let account = if self.anonymous {
            None
        } else {
            Some(self.key.required()?)
        };
        let call = self.call.call()?;
        let attested = self.attestation.attest(output).await?;
        let question = QueryCall {
            minimum_seq: self.minimum_entry,
            ..QueryCall::new(self.contract, &call.input)
        };
        let answer = attested.query(&question, account.as_ref()).await?;
        let decoded = match answer.status {
            Status::Succeeded => call.decode(&answer.output)?,
            _ => Decoded::reverted(&answer.output),
        };
        output.result(&Answer::of(&answer, decoded), Answer::text)?;
        match answer.status {
            Status::Succeeded => Ok(()),
            status => bail!(
                "the query of contract {} has status {status:?}",
                self.contract
            ),
        }
    }
}

impl Answer {
    fn of(answer: &QueryAnswer, output: Decoded) -> Self {
        Self {
            status: answer.status,
            seq: answer.seq,
            commitment: answer.commitment,
            block: answer.block,
            output,
        }
    }

    fn text(&self) -> String {
        let facts = output::pairs(&[
            ("status", format!("{:?}", self.status).to_lowercase()),
            ("executed entries", self.seq.to_string()),
            ("block", self.block.to_string()),
        ]);
        format!("{facts}\n\n{}", self.output.text())
    }
}
