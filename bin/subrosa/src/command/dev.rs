// SPDX-License-Identifier: Apache-2.0
//! `subrosa dev`.

use std::{path::PathBuf, time::Duration};

use alloy_primitives::{Address, B256};
use clap::Args;
use eyre::{Result, WrapErr};
use serde::Serialize;
use subrosa_devnet::{DevAccount, Devnet, DevnetError, Options, Service};
use subrosa_node::shutdown;

use crate::output::{self, DEVELOPMENT, Output};

/// Runs anvil, a verifier, an enclave and a node as processes of their own, deploys the contracts,
/// and writes a deployment file for clients. Runs until Ctrl-C or SIGTERM, then stops everything.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Keep configuration, keys, logs and data in this directory, which must be absent or empty
    #[arg(long, value_name = "DIR")]
    keep_data: Option<PathBuf>,

    /// Mine a block every so many seconds, fractions allowed, instead of one per transaction
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    block_time: Option<f64>,

    /// Run no verifier: the chain admits the node by its quote
    #[arg(long)]
    without_verifier: bool,

    /// Number of funded accounts
    #[arg(long, value_name = "NUMBER", default_value_t = 10,
        value_parser = clap::value_parser!(u8).range(1..=100))]
    accounts: u8,
}

/// What a user needs to know of the network.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    development: bool,
    notice: &'static str,
    accounts: Vec<Account>,
    relay: Address,
    governor: Address,
    chain_id: u64,
    registry: Address,
    oracle: Address,
    access_manager: Address,
    measurement_id: B256,
    chain_http: String,
    chain_ws: String,
    node: String,
    admin: String,
    verifier: Option<String>,
    dcap: Address,
    mailbox: Address,
    deployment: PathBuf,
    directory: PathBuf,
    processes: Vec<(String, u32)>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    address: Address,
    /// Of play money: the chain is this process's own.
    private_key: B256,
    key_file: PathBuf,
}

impl DevArgs {
    pub(crate) async fn run(self, output: &Output, enclave: Option<PathBuf>) -> Result<()> {
        // Installed first, so that a signal during the start stops what was started.
        let stop = shutdown::on_signal().wrap_err("cannot listen for signals")?;
        let options = Options {
            directory: self.keep_data,
            block_time: self.block_time,
            without_verifier: self.without_verifier,
            accounts: self.accounts,
            subrosa: Some(std::env::current_exe().wrap_err("cannot find this executable")?),
            enclave,
            ..Options::default()
        };
        output.progress("starting anvil, verifier, enclave and node");
        let mut stop = std::pin::pin!(stop);
        let mut network = tokio::select! {
            () = &mut stop => return Ok(()),
            started = Devnet::start(&options) => started.wrap_err("no development network")?,
        };
        output.result(&Summary::of(&network), Summary::text)?;
        output.progress("running; Ctrl-C stops everything");
        let outcome = tokio::select! {
            () = &mut stop => Ok(()),
            error = failure(&mut network) => Err(error),
        };
        output.progress("stopping");
        tokio::task::spawn_blocking(move || network.stop())
            .await
            .wrap_err("stopping was interrupted")??;
        Ok(outcome?)
    }
}

/// Completes when a process of the network ends by itself.
async fn failure(network: &mut Devnet) -> DevnetError {
    loop {
        if let Err(error) = network.ensure_running() {
            return error;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Between two looks at whether everything still runs.
const LOOK: Duration = Duration::from_millis(500);

impl Summary {
    fn of(network: &Devnet) -> Self {
        let contracts = network.contracts();
        let pid = |service: Service| {
            let process = network.process(service)?;
            process.pid().map(|pid| (process.name().to_owned(), pid))
        };
        Self {
            development: true,
            notice: DEVELOPMENT,
            accounts: network.accounts().iter().map(Account::of).collect(),
            relay: network.relay().address(),
            governor: network.deployer().address(),
            chain_id: contracts.chain_id,
            registry: contracts.registry,
            oracle: contracts.oracle,
            access_manager: contracts.access_manager,
            measurement_id: network.measurement_id(),
            chain_http: network.chain_http(),
            chain_ws: network.chain_ws(),
            node: network.node_url().to_owned(),
            admin: network.admin_url().to_owned(),
            verifier: network.verifier_url().map(ToOwned::to_owned),
            dcap: contracts.dcap,
            mailbox: contracts.mailbox,
            deployment: network.layout().deployment_file(),
            directory: network.layout().root().to_owned(),
            processes: Service::ALL.into_iter().filter_map(pid).collect(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{DEVELOPMENT}\n\nAvailable accounts (10000 ETH each)\n");
        for (index, account) in self.accounts.iter().enumerate() {
            text.push_str(&format!("({index}) {}\n", account.address));
        }
        text.push_str("\nPrivate keys\n");
        for (index, account) in self.accounts.iter().enumerate() {
            text.push_str(&format!("({index}) {}\n", account.private_key));
        }
        let facts = output::pairs(&[
            ("chain id", self.chain_id.to_string()),
            ("registry", self.registry.to_string()),
            ("oracle", self.oracle.to_string()),
            ("access manager", self.access_manager.to_string()),
            ("dcap", self.dcap.to_string()),
            ("mailbox", self.mailbox.to_string()),
            ("governor", self.governor.to_string()),
            ("relay", self.relay.to_string()),
            ("measurement", self.measurement_id.to_string()),
        ]);
        let endpoints = output::pairs(&[
            ("chain", format!("{}  {}", self.chain_http, self.chain_ws)),
            ("node", self.node.clone()),
            ("node admin", self.admin.clone()),
            (
                "verifier",
                self.verifier
                    .clone()
                    .unwrap_or_else(|| "none: the chain verifies the node's quote".to_owned()),
            ),
        ]);
        let (deployment, directory) = (self.deployment.display(), self.directory.display());
        text.push_str(&format!(
            "\nContracts\n{facts}\n\nEndpoints\n{endpoints}\n\nDeployment file\n{deployment}\n\n\
             Keys, logs and data\n{directory}\n\nTry\n  export SUBROSA_DEPLOYMENT={deployment}\n  \
             subrosa attest --development\n"
        ));
        text
    }
}

impl Account {
    fn of(account: &DevAccount) -> Self {
        Self {
            address: account.address(),
            private_key: account.private_key(),
            key_file: account.key_file().to_owned(),
        }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && (0.01..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected 0.01 to 3600 seconds".to_owned()),
    }
}
