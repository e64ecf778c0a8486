// SPDX-License-Identifier: Apache-2.0
//! A node as a configuration file describes it: on a Unix socket, a JSON-RPC endpoint, a directory
//! and the machine's clock, with its listeners.

use std::{future::Future, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use alloy_primitives::{Address, B256};
use futures::future::BoxFuture;
use jsonrpsee::server::ServerHandle;
use subrosa_chain::Endpoints;
use subrosa_store::{Identity, Store};
use subrosa_types::abi::EnclaveConfig;
use tokio::net::TcpListener;
use tracing::{info, warn};

use crate::{
    chain::{AlloyChain, AlloyOptions, ChainAccount},
    clock::{Clock, SystemClock, within},
    config::Config,
    enclave::UnixEnclaves,
    error::RunError,
    metrics::Metrics,
    node::{Node, Parts, Ports},
    rpc,
    settings::Settings,
    verifier::Verifier,
};

/// Runs a node until `shutdown` completes or something fails for good.
///
/// After `shutdown` it is stopped as [`Node::stop`] says. That takes at most half a minute.
///
/// # Errors
///
/// [`RunError`].
pub async fn run(config: Config, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
    let mut running = start(config).await?;
    let failure = tokio::select! {
        () = shutdown => None,
        error = running.failed() => Some(error),
    };
    running.stop().await;
    failure.map_or(Ok(()), Err)
}

/// A node that runs and listens. Dropping it stops it without waiting; [`Running::stop`] waits.
pub struct Running {
    node: Node,
    rpc: SocketAddr,
    admin: SocketAddr,
    server: ServerHandle,
    clock: Arc<dyn Clock>,
    /// Completes when nothing holds the data directory any more.
    closed: BoxFuture<'static, ()>,
}

/// Starts a node.
///
/// It listens when this returns; `/ready` says when an admitted enclave serves.
///
/// # Errors
///
/// [`RunError`] if the configuration is wrong, the data directory is in use or belongs to another
/// deployment, or a listener cannot be bound.
pub async fn start(config: Config) -> Result<Running, RunError> {
    let assembled = assemble(&config).await?;
    let parts = assembled.parts;
    let listener = TcpListener::bind(config.admin.listen)
        .await
        .map_err(RunError::Admin)?;
    let admin = listener.local_addr().map_err(RunError::Admin)?;
    let (rpc, server) = rpc::serve(&config.rpc, parts.served(&config.rpc.limits)).await?;
    let (account, config_hash) = (assembled.account, assembled.config_hash);
    info!(%rpc, %admin, %account, %config_hash, "listening");
    let mut node = parts.spawn();
    node.serve_admin(listener);
    Ok(Running {
        node,
        rpc,
        admin,
        server,
        clock: assembled.clock,
        closed: assembled.closed,
    })
}

/// A node whose surroundings are there; nothing runs yet.
pub(crate) struct Assembled {
    pub(crate) parts: Parts,
    clock: Arc<dyn Clock>,
    /// Completes when the store is closed.
    closed: BoxFuture<'static, ()>,
    account: Address,
    config_hash: B256,
}

/// Opens the store and reaches the chain; nothing runs yet.
pub(crate) async fn assemble(config: &Config) -> Result<Assembled, RunError> {
    let settings = Settings::from_config(config)?;
    let measured = &settings.enclave_config;
    let directory = &config.data.directory;
    let storage = open_store(directory, measured).await?;
    let closed = Box::pin(storage.closed());
    let chain = connect(config, measured).await?;
    let verifier = match &config.verifier {
        Some(verifier) => Some(Arc::new(Verifier::new(verifier.url.url())?)),
        None => None,
    };
    let metrics = Metrics::new()?;
    let clock = SystemClock::shared();
    let request_seconds = metrics.enclave.request_seconds.clone();
    let enclaves = UnixEnclaves::new(
        &config.enclave,
        directory,
        Arc::clone(&clock),
        request_seconds,
    );
    let config_hash = measured.hash();
    let account = chain.address();
    let ports = Ports {
        enclaves: Box::new(enclaves),
        chain: Arc::new(chain),
        clock: Arc::clone(&clock),
        storage: Arc::new(storage),
        verifier,
    };
    Ok(Assembled {
        parts: Parts::assemble(ports, settings, metrics).await?,
        clock,
        closed,
        account,
        config_hash,
    })
}

async fn connect(config: &Config, measured: &EnclaveConfig) -> Result<AlloyChain, RunError> {
    let source = config.relay.key.clone();
    let options = AlloyOptions {
        endpoints: Endpoints {
            ws: config.chain.ws.as_ref().map(|ws| ws.url().to_string()),
            http: Some(config.chain.http.url().to_string()),
        },
        poll_interval: Duration::from_millis(config.chain.poll_milliseconds),
        // Decrypting a keystore takes about a second of processor time.
        key: blocking(move || source.load()).await?,
        mailbox: config.mailbox.as_ref().map(|mailbox| mailbox.address),
    };
    Ok(AlloyChain::connect(options, measured).await?)
}

async fn open_store(directory: &Path, measured: &EnclaveConfig) -> Result<Store, RunError> {
    let identity = Identity {
        chain_id: measured.chain_id(),
        oracle: measured.oracle,
        registry: measured.registry,
        config_hash: measured.hash(),
    };
    let path = directory.to_owned();
    blocking(move || {
        std::fs::create_dir_all(&path).map_err(|source| RunError::Directory {
            path: path.clone(),
            source,
        })?;
        Ok(Store::open(path.join("store"), identity)?)
    })
    .await
}

/// Runs what takes long, or waits for the disk, where that holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

impl Running {
    /// Where JSON-RPC is served.
    pub fn rpc(&self) -> SocketAddr {
        self.rpc
    }

    /// Where `/health`, `/ready` and `/metrics` are served.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Completes if a component fails for good.
    pub async fn failed(&mut self) -> RunError {
        self.node.failed().await
    }

    /// Stops everything in order and waits, within bounds, until it has stopped and nothing holds
    /// the data directory any more.
    pub async fn stop(self) {
        // An error means that it has stopped already.
        let _ = self.server.stop();
        self.node.stop().await;
        // Calls that are being answered and writes that are underway end by themselves.
        let released = within(self.clock.as_ref(), RELEASE, self.closed).await;
        if released.is_none() {
            warn!("the data directory is still in use");
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("rpc", &self.rpc)
            .field("admin", &self.admin)
            .finish_non_exhaustive()
    }
}

/// For the data directory to be free.
const RELEASE: Duration = Duration::from_secs(10);
