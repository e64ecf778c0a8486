// SPDX-License-Identifier: Apache-2.0
//! `subrosa receipt`.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use alloy_primitives::B256;
use clap::{Args, Subcommand};
use eyre::{Result, WrapErr};
use serde::Serialize;
use subrosa_client::{
    Check, Connection,
    receipt::{ReceiptTrust, verify},
};
use subrosa_types::rpc::Receipt;

use crate::{
    args::deployment::DeploymentArgs,
    failure::ReceiptRefused,
    output::{self, DEVELOPMENT, Output},
};

/// Receipts say, for anyone and forever, that an enclave signed a request's result.
#[derive(Debug, Args)]
pub(crate) struct ReceiptArgs {
    #[command(subcommand)]
    command: ReceiptCommand,
}

#[derive(Debug, Subcommand)]
enum ReceiptCommand {
    /// Fetch a receipt from the node, as JSON
    Fetch(FetchArgs),
    /// Verify a receipt, naming each check; offline unless --online is given
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
struct FetchArgs {
    /// Contract id
    contract: B256,

    /// Number of the entry
    entry: u64,

    #[command(flatten)]
    deployment: DeploymentArgs,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// The receipt, JSON; - for standard input
    file: PathBuf,

    /// Look up when the fulfillment was mined and hold the signer's lease against that; offline,
    /// it is held against the time of the request
    #[arg(long)]
    online: bool,

    #[command(flatten)]
    deployment: DeploymentArgs,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    holds: bool,
    development: bool,
    checks: Vec<Check>,
}

impl ReceiptArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        match self.command {
            ReceiptCommand::Fetch(args) => args.run(output).await,
            ReceiptCommand::Verify(args) => args.run(output).await,
        }
    }
}

impl FetchArgs {
    async fn run(self, output: &Output) -> Result<()> {
        let connection = self.deployment.open().await?;
        let receipt = connection.receipt(self.contract, self.entry).await?;
        let text = serde_json::to_string_pretty(&receipt).wrap_err("cannot encode the receipt")?;
        output.result(&receipt, |_| text)
    }
}

impl VerifyArgs {
    async fn run(self, output: &Output) -> Result<()> {
        let receipt = read(&self.file)?;
        let deployment = self.deployment.load()?;
        let mut trust = ReceiptTrust::new(&deployment, self.deployment.development)
            .map_err(subrosa_client::ClientError::from)?;
        let development = deployment.development;
        if self.online {
            let connection = Connection::open(deployment).await?;
            trust.fulfilled_at = connection.fulfilled_at(&receipt).await?;
        }
        let checks = verify(&receipt, &trust);
        let verdict = Verdict {
            holds: checks.iter().all(Check::passed),
            development,
            checks,
        };
        output.result(&verdict, Verdict::text)?;
        if verdict.holds {
            Ok(())
        } else {
            Err(ReceiptRefused(verdict.checks).into())
        }
    }
}

impl Verdict {
    fn text(&self) -> String {
        let mut text = output::checks(&self.checks);
        text.push_str(if self.holds {
            "\n\nthe receipt holds"
        } else {
            "\n\nthe receipt does not hold"
        });
        if self.development {
            text.push_str(&format!("\n{DEVELOPMENT}"));
        }
        text
    }
}

fn read(path: &Path) -> Result<Receipt> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    let at = || format!("cannot use receipt {}", path.display());
    serde_json::from_str(&text.wrap_err_with(at)?).wrap_err_with(at)
}
