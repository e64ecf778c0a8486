// SPDX-License-Identifier: Apache-2.0
//! `subrosa node`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};
use eyre::{Result, WrapErr};
use serde::Serialize;
use subrosa_node::{Config, config::Admission, shutdown};

use crate::output::Output;

/// Runs a node until SIGTERM or Ctrl-C, then finishes what is in flight.
#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    #[command(flatten)]
    config: NodeConfigArgs,
}

/// A node's configuration: its file, and what overrides it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct NodeConfigArgs {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", env = "SUBROSA_NODE_CONFIG")]
    config: PathBuf,

    /// Overrides rpc.listen
    #[arg(long, value_name = "ADDRESS", env = "SUBROSA_RPC_LISTEN")]
    rpc_listen: Option<SocketAddr>,

    /// Overrides admin.listen
    #[arg(long, value_name = "ADDRESS", env = "SUBROSA_ADMIN_LISTEN")]
    admin_listen: Option<SocketAddr>,

    /// Overrides enclave.socket
    #[arg(long, value_name = "PATH", env = "SUBROSA_ENCLAVE_SOCKET")]
    enclave_socket: Option<PathBuf>,

    /// Overrides enclave.admission: how the enclave's signer comes into the registry
    #[arg(long, value_enum, env = "SUBROSA_ADMISSION")]
    admission: Option<AdmissionBy>,

    /// Overrides data.directory
    #[arg(long, value_name = "DIR", env = "SUBROSA_DATA_DIRECTORY")]
    data_directory: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AdmissionBy {
    /// By the verifier's signature
    Verifier,
    /// By its DCAP quote, which the chain verifies itself
    Dcap,
}

#[derive(Debug, Serialize)]
struct Listening {
    rpc: SocketAddr,
    admin: SocketAddr,
}

impl NodeArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        let stop = shutdown::on_signal().wrap_err("cannot listen for signals")?;
        let mut running = subrosa_node::start(self.config.load()?).await?;
        let listening = Listening {
            rpc: running.rpc(),
            admin: running.admin(),
        };
        output.result(&listening, |at| {
            format!("listening rpc {}\nlistening admin {}", at.rpc, at.admin)
        })?;
        let failure = tokio::select! {
            () = stop => None,
            error = running.failed() => Some(error),
        };
        running.stop().await;
        match failure {
            None => Ok(()),
            Some(error) => Err(error.into()),
        }
    }
}

impl NodeConfigArgs {
    /// The effective configuration: flags over environment over file over defaults.
    pub(crate) fn load(&self) -> Result<Config> {
        let path = &self.config;
        let mut config = Config::load(path)
            .wrap_err_with(|| format!("cannot use configuration file {}", path.display()))?;
        if let Some(listen) = self.rpc_listen {
            config.rpc.listen = listen;
        }
        if let Some(listen) = self.admin_listen {
            config.admin.listen = listen;
        }
        if let Some(socket) = &self.enclave_socket {
            config.enclave.socket.clone_from(socket);
        }
        if let Some(directory) = &self.data_directory {
            config.data.directory.clone_from(directory);
        }
        if let Some(admission) = self.admission {
            config.enclave.admission = Some(match admission {
                AdmissionBy::Verifier => Admission::Verifier,
                AdmissionBy::Dcap => Admission::Dcap,
            });
        }
        config.check()?;
        Ok(config)
    }
}
