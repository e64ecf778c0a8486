// SPDX-License-Identifier: Apache-2.0
//! The chain.

use std::{path::Path, time::Duration};

use alloy::providers::{DynProvider, Provider, ProviderBuilder};

use crate::{DevnetError, Executable, Layout, Process, process::Recipe, ready};

/// A running anvil.
#[derive(Debug)]
pub(crate) struct Anvil {
    pub(crate) process: Process,
    pub(crate) port: u16,
    pub(crate) provider: DynProvider,
}

impl Anvil {
    pub(crate) async fn start(
        executable: Option<&Path>,
        layout: &Layout,
        block_time: Option<f64>,
    ) -> Result<Self, DevnetError> {
        let program = Executable::Anvil.locate(executable)?;
        let mut process = Process::start(recipe(&program, layout, 0, block_time))?;
        let port = Self::port(&mut process).await?;
        // A restart must come back where everybody looks for it.
        process.set_arguments(recipe(&program, layout, port, block_time).arguments);
        let provider = ProviderBuilder::new()
            .disable_recommended_fillers()
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .map_err(|source| DevnetError::Chain {
                step: "connecting",
                source: source.into(),
            })?
            .erased();
        Ok(Self {
            process,
            port,
            provider,
        })
    }

    /// Waits until it listens.
    pub(crate) async fn ready(&mut self) -> Result<(), DevnetError> {
        Self::port(&mut self.process).await.map(|_| ())
    }

    pub(crate) fn http(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn ws(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    async fn port(process: &mut Process) -> Result<u16, DevnetError> {
        let address = ready::until(process, PATIENCE, async |process| {
            ready::line(process, "Listening on ")
        })
        .await?;
        let port = address
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        port.ok_or_else(|| DevnetError::Unexpected {
            name: process.name(),
            problem: format!("listens on {address:?}, which has no port"),
        })
    }
}

fn recipe(program: &Path, layout: &Layout, port: u16, block_time: Option<f64>) -> Recipe {
    let mut arguments: Vec<_> = [
        "--host",
        "127.0.0.1",
        "--hardfork",
        "osaka",
        "--accounts",
        "0",
    ]
    .map(Into::into)
    .into();
    arguments.extend(["--gas-limit", "300000000", "--port"].map(Into::into));
    arguments.push(port.to_string().into());
    arguments.push("--state".into());
    arguments.push(layout.chain_state().into());
    if let Some(seconds) = block_time {
        arguments.push("--block-time".into());
        arguments.push(seconds.to_string().into());
    }
    Recipe {
        name: "anvil",
        program: program.to_path_buf(),
        arguments,
        environment: Vec::new(),
        log: layout.log("anvil"),
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
