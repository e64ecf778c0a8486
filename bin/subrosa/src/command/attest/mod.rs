// SPDX-License-Identifier: Apache-2.0
//! `subrosa attest`.

mod verify;

pub(crate) use verify::read as read_evidence;

use alloy_primitives::{Address, B256};
use clap::{Args, Subcommand};
use eyre::Result;
use serde::Serialize;
use subrosa_client::{Attested, Check, Refusal};

use crate::{
    args::{
        deployment::AttestationArgs, key::KeyArgs, through_chain::ThroughChainArgs, wait::WaitArgs,
    },
    failure,
    output::{self, Output},
};

/// Challenges a node and checks everything that a client checks before it encrypts. An account is needed
/// through the chain alone.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AttestArgs {
    #[command(flatten)]
    attestation: AttestationArgs,
    #[command(flatten)]
    through_chain: ThroughChainArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    wait: WaitArgs,

    #[command(subcommand)]
    command: Option<AttestCommand>,
}

#[derive(Debug, Subcommand)]
enum AttestCommand {
    /// Verify evidence in files, offline: TDX, SGX, SEV-SNP, Nitro, Azure vTPM
    Verify(verify::VerifyArgs),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Accepted<'a> {
    accepted: bool,
    development: bool,
    signer: Address,
    measurement_id: B256,
    config_hash: B256,
    key_group: u32,
    key_epoch: u32,
    checks: &'a [Check],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Refused<'a> {
    accepted: bool,
    check: &'a str,
    expected: &'a str,
    found: &'a str,
    checks: &'a [Check],
}

impl AttestArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        if let Some(AttestCommand::Verify(args)) = self.command {
            return args.run(output);
        }
        let attested = self
            .through_chain
            .attest(
                &self.attestation,
                || self.key.required(),
                &self.wait,
                output,
            )
            .await;
        match attested {
            Ok(attested) => output.result(&Accepted::of(&attested), Accepted::text),
            Err(error) => {
                if let Some(refusal) = failure::refusal(&error) {
                    output.result(&Refused::of(refusal), |refused| {
                        output::checks(refused.checks)
                    })?;
                }
                Err(error)
            }
        }
    }
}

impl<'a> Accepted<'a> {
    fn of(attested: &'a Attested) -> Self {
        let epoch = attested.epoch_id();
        Self {
            accepted: true,
            development: attested.is_development(),
            signer: attested.signer(),
            measurement_id: attested.measurement_id(),
            config_hash: attested.config_hash(),
            key_group: epoch.group,
            key_epoch: epoch.epoch,
            checks: attested.checks(),
        }
    }

    fn text(&self) -> String {
        let mut facts = vec![
            ("signer", self.signer.to_string()),
            ("measurement", self.measurement_id.to_string()),
            ("config hash", self.config_hash.to_string()),
            (
                "epoch",
                format!("{} of key group {}", self.key_epoch, self.key_group),
            ),
        ];
        if self.development {
            facts.push(("notice", output::DEVELOPMENT.to_owned()));
        }
        format!(
            "{}\n\n{}",
            output::checks(self.checks),
            output::pairs(&facts)
        )
    }
}

impl<'a> Refused<'a> {
    fn of(refusal: &'a Refusal) -> Self {
        Self {
            accepted: false,
            check: &refusal.check,
            expected: &refusal.expected,
            found: &refusal.found,
            checks: &refusal.checks,
        }
    }
}
