// SPDX-License-Identifier: Apache-2.0
//! Which deployment, and how it is checked.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use eyre::{Result, eyre};
use subrosa_client::{
    Account, Appraisal, Asking, AttestOptions, Attested, ClientError, Connection, Deployment,
};

use crate::output::{DEVELOPMENT, Output};

/// Which deployment to trust.
#[derive(Debug, Args)]
#[command(next_help_heading = "Deployment")]
pub(crate) struct DeploymentArgs {
    /// What to trust: chain, contracts, measurements, verifier
    #[arg(long, value_name = "FILE", env = "SUBROSA_DEPLOYMENT")]
    deployment: Option<PathBuf>,

    /// Accept a development deployment, which protects nothing from its host
    #[arg(long)]
    pub(crate) development: bool,
}

/// How a node's attestation is checked before anything is encrypted to it.
#[derive(Debug, Args)]
pub(crate) struct AttestationArgs {
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,

    /// What is verified of the attestation
    #[arg(long, value_enum, default_value_t, help_heading = "Deployment")]
    verify: Verify,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Verify {
    /// The verifier's attestation result, and the evidence itself
    #[default]
    Both,
    /// The attestation result only: the verifier is trusted
    Result,
    /// The raw evidence only: no verifier is trusted
    Raw,
}

impl DeploymentArgs {
    pub(crate) fn load(&self) -> Result<Deployment> {
        let path = self.deployment.as_deref().ok_or_else(|| {
            eyre!(
                "no deployment file: pass --deployment FILE or set SUBROSA_DEPLOYMENT; `subrosa \
                 dev` writes one"
            )
        })?;
        Ok(Deployment::load(path).map_err(ClientError::from)?)
    }

    pub(crate) async fn open(&self) -> Result<Connection> {
        Ok(Connection::open(self.load()?).await?)
    }
}

impl AttestationArgs {
    /// Attests the deployment's node, and says so.
    pub(crate) async fn attest(&self, output: &Output) -> Result<Attested> {
        let connection = self.deployment.open().await?;
        output.progress(format_args!("attesting {}", connection.node().url()));
        let attested = connection.attest(&self.options()).await?;
        Self::announce(&attested, output);
        Ok(attested)
    }

    /// Attests an enclave of the deployment through the chain, and says so.
    pub(crate) async fn attest_through_chain(
        &self,
        asking: &Asking,
        account: &Account,
        output: &Output,
    ) -> Result<Attested> {
        let connection = self.deployment.open().await?;
        output.progress("attesting through the chain: waiting for the enclave's answer");
        let attested = connection
            .attest_through_chain(&self.options(), asking, account)
            .await?;
        Self::announce(&attested, output);
        Ok(attested)
    }

    fn options(&self) -> AttestOptions {
        AttestOptions {
            development: self.deployment.development,
            appraisal: match self.verify {
                Verify::Both => Appraisal::Both,
                Verify::Result => Appraisal::Result,
                Verify::Raw => Appraisal::Evidence,
            },
            ..AttestOptions::default()
        }
    }

    fn announce(attested: &Attested, output: &Output) {
        let count = attested.checks().len();
        output.progress(format_args!("attested: {count} checks passed"));
        if attested.is_development() {
            output.progress(DEVELOPMENT);
        }
    }
}
