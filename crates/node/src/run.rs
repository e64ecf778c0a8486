// SPDX-License-Identifier: Apache-2.0
//! Wiring, and taking it apart in order.

use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use jsonrpsee::server::ServerHandle;
use subrosa_store::{Identity, Storage, Store, StoreError};
use tokio::{net::TcpListener, task::JoinSet};
use tracing::{error, info, warn};

use crate::{
    admin,
    bringup::{self, BringupError},
    config::{Config, ConfigError, KeyError},
    enclave::Launcher,
    execute, follow,
    follow::FollowError,
    host::Host,
    ledger::{Ledger, LedgerError},
    metrics::Metrics,
    relay,
    rpc::{self, ServeError},
    shutdown::{self, Shutdown, Trigger},
    verifier::{Verifier, VerifierError},
};

/// Runs a node until `shutdown` completes or something fails for good.
///
/// After `shutdown` no new work is taken; what was executed is stored, a transaction in flight is
/// waited for, and an enclave that this node started is ended. That takes at most half a minute.
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

/// A node that runs. Dropping it stops it without waiting; [`Running::stop`] waits.
pub struct Running {
    rpc: SocketAddr,
    admin: SocketAddr,
    server: ServerHandle,
    /// Completes when nothing holds the data directory any more.
    store: BoxFuture<'static, ()>,
    /// Stops everything but bring-up, which must outlive those that use the enclave.
    workers: (Trigger, JoinSet<Result<(), RunError>>),
    bringup: (Trigger, JoinSet<Result<(), RunError>>),
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
    let Assembled {
        host,
        launcher,
        closed,
    } = assemble(config).await?;
    let admin_listen = host.config.admin.listen;
    let listener = TcpListener::bind(admin_listen)
        .await
        .map_err(RunError::Admin)?;
    let admin = listener.local_addr().map_err(RunError::Admin)?;
    let (rpc, server) = rpc::serve(Arc::clone(&host)).await?;
    info!(%rpc, %admin, account = %host.ledger.account(), config_hash = %host.config_hash, "listening");

    let (stop_bringup, told) = shutdown::channel();
    let mut bringup = JoinSet::new();
    bringup.spawn(supervise(Arc::clone(&host), launcher, told));
    let (stop_workers, told) = shutdown::channel();
    let workers = spawn_workers(&host, listener, &told);
    Ok(Running {
        rpc,
        admin,
        server,
        store: closed,
        workers: (stop_workers, workers),
        bringup: (stop_bringup, bringup),
    })
}

/// A node of which nothing runs yet.
pub(crate) struct Assembled {
    pub(crate) host: Arc<Host>,
    launcher: Launcher,
    /// Completes when the store is closed.
    closed: BoxFuture<'static, ()>,
}

/// Opens the store and reaches the chain; nothing runs yet.
pub(crate) async fn assemble(config: Config) -> Result<Assembled, RunError> {
    config.check()?;
    let enclave_config = config.enclave_config()?;
    let store = open_store(&config).await?;
    let closed = Box::pin(store.closed());
    let store: Arc<dyn Storage> = Arc::new(store);
    let key = config.relay.key.load()?;
    let ledger = Ledger::connect(&config, key, Arc::clone(&store)).await?;
    let verifier = match &config.verifier {
        Some(verifier) => Some(Verifier::new(verifier.url.url())?),
        None => None,
    };
    let metrics = Metrics::new()?;
    let directory = &config.data.directory;
    let launcher = Launcher::new(&config.enclave, directory, metrics.enclave.clone());
    let host = Host::new(config, enclave_config, store, ledger, verifier, metrics);
    Ok(Assembled {
        host: Arc::new(host),
        launcher,
        closed,
    })
}

fn spawn_workers(
    host: &Arc<Host>,
    listener: TcpListener,
    told: &Shutdown,
) -> JoinSet<Result<(), RunError>> {
    let mut workers = JoinSet::new();
    let with = || (Arc::clone(host), told.clone());
    let (host, shutdown) = with();
    workers.spawn(async move { Ok(follow::run(host, shutdown).await?) });
    let (host, shutdown) = with();
    workers.spawn(async move { Ok(execute::run(host, shutdown).await?) });
    let (host, shutdown) = with();
    workers.spawn(async move { Ok(relay::run(host, shutdown).await?) });
    let (host, shutdown) = with();
    workers.spawn(async move {
        admin::serve(listener, host, shutdown)
            .await
            .map_err(RunError::Admin)
    });
    workers
}

async fn supervise(host: Arc<Host>, launcher: Launcher, told: Shutdown) -> Result<(), RunError> {
    Ok(bringup::supervise(host, launcher, told).await?)
}

async fn open_store(config: &Config) -> Result<Store, RunError> {
    let directory = config.data.directory.clone();
    let measured = config.enclave_config()?;
    let identity = Identity {
        chain_id: measured.chain_id(),
        oracle: measured.oracle,
        registry: measured.registry,
        config_hash: measured.hash(),
    };
    let open = move || match std::fs::create_dir_all(&directory) {
        Ok(()) => Ok(Store::open(directory.join("store"), identity)?),
        Err(source) => Err(RunError::Directory {
            path: directory,
            source,
        }),
    };
    tokio::task::spawn_blocking(open)
        .await
        .map_err(RunError::Panicked)?
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
        let ended = tokio::select! {
            Some(ended) = self.workers.1.join_next() => ended,
            Some(ended) = self.bringup.1.join_next() => ended,
            else => return RunError::Ended,
        };
        match ended {
            Ok(Ok(())) => RunError::Ended,
            Ok(Err(error)) => error,
            Err(error) => RunError::Panicked(error),
        }
    }

    /// Waits, within bounds, until nothing holds the data directory any more: calls that are being
    /// answered and writes that are underway end by themselves.
    async fn released(&mut self) {
        if tokio::time::timeout(END, &mut self.store).await.is_err() {
            warn!("the data directory is still in use");
        }
    }

    /// Stops everything in order and waits until it has stopped, within bounds.
    pub async fn stop(mut self) {
        info!("stopping");
        // An error means that it has stopped already.
        let _ = self.server.stop();
        self.workers.0.fire();
        finish("work", &mut self.workers.1, DRAIN).await;
        self.bringup.0.fire();
        finish("enclave", &mut self.bringup.1, END).await;
        self.released().await;
        info!("stopped");
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

/// Waits for tasks to end; gives up on them after a while.
async fn finish(what: &str, tasks: &mut JoinSet<Result<(), RunError>>, patience: Duration) {
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    error!(
                        what,
                        error = &error as &dyn std::error::Error,
                        "failed while stopping"
                    );
                }
                Err(error) => error!(what, %error, "failed while stopping"),
            }
        }
    };
    if tokio::time::timeout(patience, all).await.is_err() {
        warn!(
            what,
            "did not stop in time; nothing is lost, the next start resumes"
        );
        tasks.shutdown().await;
    }
}

impl From<LedgerError> for RunError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(Box::new(error))
    }
}

/// For a transaction in flight to be mined and a batch to be stored.
const DRAIN: Duration = Duration::from_secs(20);
/// For an enclave to end.
const END: Duration = Duration::from_secs(10);

/// Why a node does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The configuration is wrong.
    #[error("configuration is refused")]
    Config(#[from] ConfigError),
    /// The relay has no key.
    #[error("no key for the relay")]
    Key(#[from] KeyError),
    /// The data directory cannot be made.
    #[error("cannot create {path}", path = path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The store does not open, or failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The chain cannot be used.
    #[error("the chain cannot be used")]
    Ledger(#[source] Box<LedgerError>),
    /// The verifier cannot be used.
    #[error("the verifier cannot be used")]
    Verifier(#[from] VerifierError),
    /// Metrics cannot be recorded.
    #[error("metrics cannot be recorded")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    /// JSON-RPC cannot be served.
    #[error("JSON-RPC cannot be served")]
    Rpc(#[from] ServeError),
    /// The admin listener cannot be bound, or failed.
    #[error("the admin listener failed")]
    Admin(#[source] std::io::Error),
    /// No enclave can serve with this configuration.
    #[error("no enclave can serve")]
    Bringup(#[from] BringupError),
    /// The chain cannot be followed.
    #[error("the chain cannot be followed")]
    Follow(#[from] FollowError),
    /// A component ended without being told to.
    #[error("a component ended by itself")]
    Ended,
    /// A component panicked: a bug.
    #[error("a component panicked")]
    Panicked(#[source] tokio::task::JoinError),
}
