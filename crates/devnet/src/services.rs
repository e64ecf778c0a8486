// SPDX-License-Identifier: Apache-2.0
//! How verifier, enclave and node are started.

use std::{ffi::OsString, path::Path, time::Duration};

use alloy_primitives::{Address, B256};
use serde::Deserialize;
use subrosa_evidence::api::{Jwks, KeysResponse};
use subrosa_types::measured::Measured;

use crate::{
    DevAccount, DevnetError, Executable, Layout, Process, anvil::Anvil, config, layout,
    process::Recipe, ready, service::Service,
};

/// What runs, and with what added to its environment.
#[derive(Clone, Debug)]
pub(crate) struct Start<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) executable: Option<&'a Path>,
    pub(crate) environment: Vec<(OsString, OsString)>,
}

/// A running verifier.
#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) process: Process,
    pub(crate) url: String,
    pub(crate) keys: KeysResponse,
    pub(crate) jwks: Jwks,
}

impl Verifier {
    /// Makes its keys, configures it for one registry and starts it.
    pub(crate) async fn start(
        start: &Start<'_>,
        http: &reqwest::Client,
        chain_id: u64,
        registry: alloy_primitives::Address,
    ) -> Result<Self, DevnetError> {
        let program = Executable::Subrosa.locate(start.executable)?;
        let file = start.layout.verifier_config();
        let configure = |port| {
            let text = config::verifier(start.layout, port, chain_id, registry);
            layout::write(&file, &text)
        };
        configure(0)?;
        let mut init = Process::start(Recipe {
            name: "verifier-init",
            program: program.clone(),
            arguments: arguments(["verifier", "init", "--config"], &file),
            environment: Vec::new(),
            log: start.layout.log("verifier-init"),
        })?;
        init.finish(INIT_PATIENCE).await?;

        let mut process = Process::start(Recipe {
            name: Service::Verifier.name(),
            program,
            arguments: arguments(["verifier", "--config"], &file),
            environment: start.environment.clone(),
            log: start.layout.log(Service::Verifier.name()),
        })?;
        let port = announced_port(&mut process, "listening ").await?;
        // A restart must come back where everybody looks for it.
        configure(port)?;
        let url = format!("http://127.0.0.1:{port}");
        let mut verifier = Self {
            process,
            keys: KeysResponse {
                issuer: String::new(),
                admission: alloy_primitives::Address::ZERO,
                development: true,
                policy_hash: B256::ZERO,
            },
            jwks: Jwks::default(),
            url,
        };
        verifier.ready(http).await?;
        verifier.keys = verifier.fetch(http, "/v1/keys").await?;
        verifier.jwks = verifier.fetch(http, "/.well-known/jwks.json").await?;
        Ok(verifier)
    }

    pub(crate) async fn ready(&mut self, http: &reqwest::Client) -> Result<(), DevnetError> {
        let health = format!("{}/health", self.url);
        ready::until(&mut self.process, PATIENCE, async |_| {
            ready::http(http, &health).await
        })
        .await
        .map(|_| ())
    }

    async fn fetch<T: for<'de> Deserialize<'de>>(
        &self,
        http: &reqwest::Client,
        path: &str,
    ) -> Result<T, DevnetError> {
        let unexpected = |problem| DevnetError::Unexpected {
            name: self.process.name(),
            problem,
        };
        let url = format!("{}{path}", self.url);
        let body = ready::http(http, &url).await.map_err(unexpected)?;
        serde_json::from_str(&body).map_err(|error| unexpected(format!("answers {path}: {error}")))
    }
}

/// A running enclave.
#[derive(Debug)]
pub(crate) struct Enclave {
    pub(crate) process: Process,
    socket: std::path::PathBuf,
}

impl Enclave {
    /// Starts it with further arguments, and waits until it listens.
    pub(crate) async fn start(
        start: &Start<'_>,
        further: &[OsString],
    ) -> Result<Self, DevnetError> {
        let socket = start.layout.socket();
        let mut words = arguments(["--socket"], &socket);
        words.extend(arguments(
            ["--sealing-key-file"],
            &start.layout.sealing_key(),
        ));
        words.extend_from_slice(further);
        let process = Process::start(Recipe {
            name: Service::Enclave.name(),
            program: Executable::Enclave.locate(start.executable)?,
            arguments: words,
            environment: start.environment.clone(),
            log: start.layout.log(Service::Enclave.name()),
        })?;
        let mut enclave = Self { process, socket };
        enclave.ready().await?;
        Ok(enclave)
    }

    pub(crate) async fn ready(&mut self) -> Result<(), DevnetError> {
        let socket = self.socket.clone();
        ready::until(&mut self.process, PATIENCE, async |process| {
            ready::line(process, "listening ")?;
            // The file is there even if the process of the line is gone.
            if socket.exists() {
                Ok(())
            } else {
                Err("no socket".to_owned())
            }
        })
        .await
    }
}

/// A running node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) process: Process,
    pub(crate) rpc: String,
    pub(crate) admin: String,
}

impl Node {
    /// Configures it and starts it, and waits until it listens, not until it is ready.
    pub(crate) async fn start(
        start: &Start<'_>,
        anvil: &Anvil,
        verifier_url: Option<&str>,
        relay: &DevAccount,
        measured: &Measured,
        mailbox: Address,
    ) -> Result<Self, DevnetError> {
        let file = start.layout.node_config();
        let configure = |rpc, admin| {
            let text = config::node(
                start.layout,
                anvil,
                verifier_url,
                relay,
                measured,
                mailbox,
                (rpc, admin),
            )?;
            layout::write(&file, &text)
        };
        configure(0, 0)?;
        let mut process = Process::start(Recipe {
            name: Service::Node.name(),
            program: Executable::Subrosa.locate(start.executable)?,
            arguments: arguments(["node", "--config"], &file),
            environment: start.environment.clone(),
            log: start.layout.log(Service::Node.name()),
        })?;
        let rpc = announced_port(&mut process, "listening rpc ").await?;
        let admin = announced_port(&mut process, "listening admin ").await?;
        configure(rpc, admin)?;
        Ok(Self {
            process,
            rpc: format!("http://127.0.0.1:{rpc}"),
            admin: format!("http://127.0.0.1:{admin}"),
        })
    }

    pub(crate) async fn ready(&mut self, http: &reqwest::Client) -> Result<(), DevnetError> {
        let url = format!("{}/ready", self.admin);
        ready::until(&mut self.process, PATIENCE, async |_| {
            ready::http(http, &url).await
        })
        .await
        .map(|_| ())
    }
}

fn arguments<const N: usize>(words: [&str; N], file: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = words.map(Into::into).into();
    arguments.push(file.into());
    arguments
}

/// The port in a line such as `listening 127.0.0.1:8545`, which a service prints once it listens.
async fn announced_port(process: &mut Process, prefix: &str) -> Result<u16, DevnetError> {
    let address = ready::until(process, PATIENCE, async |process| {
        ready::line(process, prefix)
    })
    .await?;
    let port = address
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    port.ok_or_else(|| DevnetError::Unexpected {
        name: process.name(),
        problem: format!("announces {address:?}, which has no port"),
    })
}

/// How long a service may take to be ready.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long making keys may take.
const INIT_PATIENCE: Duration = Duration::from_secs(30);
