// SPDX-License-Identifier: Apache-2.0
//! `subrosa verifier`.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use alloy_primitives::{Address, B256};
use clap::{Args, Subcommand};
use eyre::{Result, WrapErr, eyre};
use serde::Serialize;
use subrosa_collateral::Clock;
use subrosa_evidence::api::Jwk;
use subrosa_node::shutdown;
use subrosa_verifier::{Config, Keys, Rotation, Verifier};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::output::{self, Output};

/// Runs the attestation service: evidence in, attestation results and admissions out.
#[derive(Debug, Args)]
pub(crate) struct VerifierArgs {
    /// Configuration file (TOML)
    #[arg(
        long,
        value_name = "FILE",
        env = "SUBROSA_VERIFIER_CONFIG",
        global = true
    )]
    config: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<VerifierCommand>,
}

#[derive(Debug, Subcommand)]
enum VerifierCommand {
    /// Make the two key files that the configuration names, and print the public keys
    Init,
    /// Announce the next key of attestation results, or switch to the one that was announced
    ///
    /// A running service takes it over when it is sent SIGHUP.
    Rotate,
}

/// What clients and the registry are told of a verifier.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    issuer: String,
    development: bool,
    admission: Address,
    policy_hash: B256,
    keys: Vec<Jwk>,
}

impl VerifierArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        let config = self.load()?;
        match self.command {
            Some(VerifierCommand::Init) => {
                let keys = Keys::create(&config)?;
                let identity = Identity::of(&Verifier::new(config, keys)?);
                output.result(&identity, Identity::text)
            }
            Some(VerifierCommand::Rotate) => {
                let rotation = Keys::rotate(&config, clock()())?;
                output.result(&Rotated::of(&rotation), Rotated::text)
            }
            None => serve(config, output).await,
        }
    }

    fn load(&self) -> Result<Config> {
        let path = self.config.as_deref().ok_or_else(|| {
            eyre!("no configuration: pass --config FILE or set SUBROSA_VERIFIER_CONFIG")
        })?;
        let at = || format!("cannot use configuration file {}", path.display());
        let text = std::fs::read_to_string(path).wrap_err_with(at)?;
        Config::parse(&text).wrap_err_with(at)
    }
}

async fn serve(config: Config, output: &Output) -> Result<()> {
    let stop = shutdown::on_signal().wrap_err("cannot listen for signals")?;
    let keys = Keys::load(&config)
        .wrap_err("the verifier has no keys; `subrosa verifier init` makes them")?;
    let listener = TcpListener::bind(config.listen)
        .await
        .wrap_err_with(|| format!("cannot listen on {}", config.listen))?;
    let verifier = Arc::new(Verifier::new(config, keys)?);
    let address = listener.local_addr()?;
    output.result(&Listening { address }, |at| {
        format!("listening {}", at.address)
    })?;
    let rotating = tokio::spawn(take_over_keys(Arc::clone(&verifier)));
    let served = subrosa_verifier::serve(verifier, listener, clock(), stop).await;
    rotating.abort();
    served.wrap_err("the verifier's listener failed")
}

/// Reads the key files again whenever somebody says that they were rotated.
async fn take_over_keys(verifier: Arc<Verifier>) -> Result<()> {
    let mut hangup = signal(SignalKind::hangup()).wrap_err("cannot listen for SIGHUP")?;
    while hangup.recv().await.is_some() {
        match Keys::load(verifier.config()) {
            Ok(keys) => {
                verifier.replace_keys(keys, clock()());
                tracing::info!("keys taken over");
            }
            Err(error) => tracing::error!(%error, "keys not taken over"),
        }
    }
    Ok(())
}

/// What a rotation did; keys by their `kid`, times in Unix seconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rotated {
    current: Option<String>,
    next: String,
    usable_from: Option<u64>,
    retired_until: Option<u64>,
}

impl Rotated {
    fn of(rotation: &Rotation) -> Self {
        match rotation {
            Rotation::Announced { next, usable_from } => Self {
                current: None,
                next: next.clone(),
                usable_from: Some(*usable_from),
                retired_until: None,
            },
            Rotation::Switched {
                current,
                next,
                retired_until,
            } => Self {
                current: Some(current.clone()),
                next: next.clone(),
                usable_from: None,
                retired_until: Some(*retired_until),
            },
            _ => Self {
                current: None,
                next: String::new(),
                usable_from: None,
                retired_until: None,
            },
        }
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        if let Some(current) = &self.current {
            lines.push(("signs from now on", current.clone()));
        }
        lines.push(("announced", self.next.clone()));
        if let Some(from) = self.usable_from {
            lines.push(("switch to it after", from.to_string()));
        }
        if let Some(until) = self.retired_until {
            lines.push(("former key published until", until.to_string()));
        }
        lines.push(("running service", "send it SIGHUP".to_owned()));
        output::pairs(&lines)
    }
}

#[derive(Debug, Serialize)]
struct Listening {
    address: SocketAddr,
}

fn clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |duration| duration.as_secs())
    })
}

impl Identity {
    fn of(verifier: &Verifier) -> Self {
        let keys = verifier.keys();
        Self {
            issuer: keys.issuer,
            development: keys.development,
            admission: keys.admission,
            policy_hash: keys.policy_hash,
            keys: verifier.jwks(clock()()).keys,
        }
    }

    fn text(&self) -> String {
        let mut lines = vec![
            ("issuer", self.issuer.clone()),
            ("admission", self.admission.to_string()),
            ("policy", self.policy_hash.to_string()),
        ];
        lines.extend(self.keys.iter().map(|key| ("key", key.kid.clone())));
        if self.development {
            lines.push(("notice", output::DEVELOPMENT.to_owned()));
        }
        output::pairs(&lines)
    }
}
