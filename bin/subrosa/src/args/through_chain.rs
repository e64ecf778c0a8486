// SPDX-License-Identifier: Apache-2.0
//! Doing without a node.

use std::path::PathBuf;

use alloy_primitives::{Address, U256};
use clap::Args;
use eyre::Result;
use subrosa_client::{Account, Asking, Attested};

use super::{deployment::AttestationArgs, wait::WaitArgs};
use crate::{command::attest::read_evidence, output::Output};

/// Whether a node is needed, and what it takes to do without.
#[derive(Debug, Args)]
#[command(next_help_heading = "Through the chain")]
pub(crate) struct ThroughChainArgs {
    /// Reach the chain alone: challenge the enclave through the deployment's mailbox, which costs an escrow and
    /// a transaction. The node is not contacted, and no verifier's attestation result is looked at
    #[arg(long)]
    pub(crate) through_chain: bool,

    /// Signer to challenge [default: the one admitted last that the deployment trusts]
    #[arg(long, value_name = "ADDRESS", requires = "through_chain")]
    signer: Option<Address>,

    /// Wei for whoever brings the answer, all of it [default: what its transaction will cost, with a margin]
    #[arg(long, value_name = "WEI", requires = "through_chain")]
    escrow: Option<U256>,

    /// What the enclave's evidence does not bring: Intel's collateral (JSON), certificates, revocation lists (PEM or
    /// DER). May be repeated
    #[arg(long, value_name = "FILE", requires = "through_chain")]
    collateral: Vec<PathBuf>,
}

impl ThroughChainArgs {
    /// Attests the deployment's node, or an enclave through the chain, for which `account` pays.
    pub(crate) async fn attest(
        &self,
        attestation: &AttestationArgs,
        account: impl FnOnce() -> Result<Account>,
        wait: &WaitArgs,
        output: &Output,
    ) -> Result<Attested> {
        if !self.through_chain {
            return attestation.attest(output).await;
        }
        let asking = Asking {
            signer: self.signer,
            escrow: self.escrow,
            collateral: self
                .collateral
                .iter()
                .map(|path| read_evidence(path))
                .collect::<Result<Vec<_>>>()?,
            wait: wait.options(),
        };
        attestation
            .attest_through_chain(&asking, &account()?, output)
            .await
    }
}
