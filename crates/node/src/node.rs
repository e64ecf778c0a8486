// SPDX-License-Identifier: Apache-2.0
//! A node on its ports: what its components share, wired up, and taken apart in order.

use std::{sync::Arc, time::Duration};

use subrosa_store::Storage;
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore},
    task::JoinSet,
};
use tracing::{error, info, warn};

use crate::{
    admin, bringup,
    chain::Chain,
    clock::{Clock, within},
    config,
    enclave::Enclaves,
    error::RunError,
    execute, follow,
    latency::Latency,
    mailbox::{self, Mailroom},
    metrics::Metrics,
    readiness::Readiness,
    relay,
    rewinds::Rewinds,
    rpc::{self, Api},
    serving::Stage,
    settings::Settings,
    shutdown::{self, Shutdown, Trigger},
    signals::{Executors, Offers},
    stops::Stops,
    transactions::Transactions,
    verifier::Verifier,
};

/// What a node runs on.
pub struct Ports {
    /// Where its enclave comes from.
    pub enclaves: Box<dyn Enclaves>,
    /// The chain, and the account that pays there.
    pub chain: Arc<dyn Chain>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where logs, blobs and intents are kept. Nothing else may write there.
    pub storage: Arc<dyn Storage>,
    /// Who appraises the enclave; `None` leaves that to the chain and to clients.
    pub verifier: Option<Arc<Verifier>>,
}

/// A node that runs. Dropping it stops it without waiting; [`Node::stop`] waits.
pub struct Node {
    api: Api,
    readiness: Arc<Readiness>,
    metrics: Metrics,
    clock: Arc<dyn Clock>,
    /// Stops everything but bring-up, which must outlive those that use the enclave.
    workers: (Trigger, Shutdown, JoinSet<Result<(), RunError>>),
    bringup: (Trigger, JoinSet<Result<(), RunError>>),
}

/// Starts a node on the given ports. It listens nowhere: [`Node::api`] is what clients ask.
///
/// # Errors
///
/// [`RunError`] if the store or the chain cannot be used.
pub async fn start_with(ports: Ports, settings: Settings) -> Result<Node, RunError> {
    let parts = Parts::assemble(ports, settings, Metrics::new()?).await?;
    Ok(parts.spawn())
}

impl Node {
    /// What clients ask.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Why the node is not ready; `None` while an admitted enclave serves and the chain is
    /// followed.
    pub fn unreadiness(&self) -> Option<String> {
        self.readiness.unreadiness()
    }

    /// The metrics, as Prometheus text.
    pub fn metrics(&self) -> String {
        self.readiness.measure(&self.metrics.loading);
        self.metrics.upkeep();
        self.metrics.render()
    }

    /// Completes if a component fails for good.
    pub async fn failed(&mut self) -> RunError {
        let ended = tokio::select! {
            Some(ended) = self.workers.2.join_next() => ended,
            Some(ended) = self.bringup.1.join_next() => ended,
            else => return RunError::Ended,
        };
        match ended {
            Ok(Ok(())) => RunError::Ended,
            Ok(Err(error)) => error,
            Err(error) => RunError::Panicked(error),
        }
    }

    /// Stops everything in order and waits until it has stopped, within bounds: no new work is
    /// taken, what was executed is stored, a transaction in flight is waited for, and an enclave
    /// that this node started is ended.
    pub async fn stop(mut self) {
        info!("stopping");
        let clock = self.clock.as_ref();
        self.workers.0.fire();
        finish(clock, "work", &mut self.workers.2, DRAIN).await;
        self.bringup.0.fire();
        finish(clock, "enclave", &mut self.bringup.1, END).await;
        info!("stopped");
    }

    /// Serves operators until the node stops.
    pub(crate) fn serve_admin(&mut self, listener: TcpListener) {
        let shown = admin::Shown {
            readiness: Arc::clone(&self.readiness),
            metrics: self.metrics.clone(),
        };
        let told = self.workers.1.clone();
        self.workers.2.spawn(async move {
            let served = admin::serve(listener, shown, told).await;
            served.map_err(RunError::Admin)
        });
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").finish_non_exhaustive()
    }
}

/// Waits for tasks to end; gives up on them after a while.
async fn finish(
    clock: &dyn Clock,
    what: &str,
    tasks: &mut JoinSet<Result<(), RunError>>,
    patience: Duration,
) {
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
    if within(clock, patience, all).await.is_none() {
        warn!(
            what,
            "did not stop in time; nothing is lost, the next start resumes"
        );
        tasks.shutdown().await;
    }
}

/// What each component works with; nothing runs yet.
///
/// Entries flow from the follower to the store, from the store through the executors back to the
/// store, and from there through the relay onto the chain. Every arrow is a wake-up without
/// content: whoever wakes reads the store, so a lost or doubled wake-up costs nothing but time.
pub(crate) struct Parts {
    enclaves: Box<dyn Enclaves>,
    bringup: bringup::Needs,
    follow: follow::Needs,
    execute: execute::Needs,
    relay: relay::Needs,
    mailbox: mailbox::Needs,
    api: Api,
    readiness: Arc<Readiness>,
    metrics: Metrics,
    clock: Arc<dyn Clock>,
}

impl Parts {
    /// Goes on with transactions of an earlier run, and wires everything up.
    pub(crate) async fn assemble(
        ports: Ports,
        settings: Settings,
        metrics: Metrics,
    ) -> Result<Self, RunError> {
        let Ports {
            enclaves,
            chain,
            clock,
            storage: store,
            verifier,
        } = ports;
        let transactions =
            Transactions::resume(Arc::clone(&chain), Arc::clone(&store), Arc::clone(&clock));
        let transactions = Arc::new(transactions.await?);
        let settings = Arc::new(settings);
        let stage = Arc::new(Stage::empty());
        let readiness = Arc::new(Readiness::new(Arc::clone(&stage)));
        let distrusted = Arc::new(Notify::new());
        let executors = Arc::new(Executors::default());
        let offers = Arc::new(Offers::default());
        let rewinds = Arc::new(Rewinds::new(0));
        let latency = Arc::new(Latency::new(Arc::clone(&clock)));
        let room = Arc::new(Mailroom::default());
        let stops = Arc::new(Stops::new(metrics.execute.stopped.clone()));
        let bringup = bringup::Needs {
            settings: Arc::clone(&settings),
            chain: Arc::clone(&chain),
            transactions: Arc::clone(&transactions),
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            verifier: verifier.clone(),
            stage: Arc::clone(&stage),
            stops: Arc::clone(&stops),
            readiness: Arc::clone(&readiness),
            distrusted: Arc::clone(&distrusted),
            metrics: metrics.bringup.clone(),
            refusals: metrics.enclave.refusals.clone(),
        };
        let follow = follow::Needs {
            settings: Arc::clone(&settings),
            chain: Arc::clone(&chain),
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            stage: Arc::clone(&stage),
            executors: Arc::clone(&executors),
            offers: Arc::clone(&offers),
            rewinds: Arc::clone(&rewinds),
            latency: Arc::clone(&latency),
            mail: Arc::clone(&room),
            readiness: Arc::clone(&readiness),
            metrics: metrics.follow.clone(),
        };
        let execute = execute::Needs {
            chain_id: settings.enclave_config.chain_id(),
            oracle: settings.enclave_config.oracle,
            chain: Arc::clone(&chain),
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            stage: Arc::clone(&stage),
            executors: Arc::clone(&executors),
            offers: Arc::clone(&offers),
            rewinds: Arc::clone(&rewinds),
            stops: Arc::clone(&stops),
            looking: Semaphore::new(execute::LOOKING),
            metrics: metrics.execute.clone(),
        };
        let relay = relay::Needs {
            settings: Arc::clone(&settings),
            chain: Arc::clone(&chain),
            transactions: Arc::clone(&transactions),
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            stage: Arc::clone(&stage),
            offers,
            rewinds: Arc::clone(&rewinds),
            latency,
            distrusted,
            metrics: metrics.relay.clone(),
        };
        let api = Api::new(rpc::Context {
            waiting: Semaphore::new(settings.max_waiting),
            settings: Arc::clone(&settings),
            chain: Arc::clone(&chain),
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            stage: Arc::clone(&stage),
            executors,
            stops,
            verifier,
        });
        let mailbox = mailbox::Needs {
            settings,
            chain,
            transactions,
            store,
            clock: Arc::clone(&clock),
            stage,
            api: api.clone(),
            room,
            metrics: metrics.mailbox.clone(),
        };
        Ok(Self {
            enclaves,
            bringup,
            follow,
            execute,
            relay,
            mailbox,
            api,
            readiness,
            metrics,
            clock,
        })
    }

    /// What is served to clients, each held to `limits`.
    pub(crate) fn served(&self, limits: &config::Limits) -> rpc::Served {
        let clock = Arc::clone(&self.clock);
        rpc::Served::new(self.api.clone(), limits, clock, self.metrics.rpc.clone())
    }

    /// Has everything run.
    pub(crate) fn spawn(self) -> Node {
        let (stop_bringup, told) = shutdown::channel();
        let mut bringup = JoinSet::new();
        let (needs, enclaves) = (self.bringup, self.enclaves);
        bringup.spawn(async move { Ok(bringup::supervise(needs, enclaves, told).await?) });
        let (stop_workers, told) = shutdown::channel();
        let mut workers = JoinSet::new();
        let (needs, shutdown) = (self.follow, told.clone());
        workers.spawn(async move { Ok(follow::run(needs, shutdown).await?) });
        let (needs, shutdown) = (self.execute, told.clone());
        workers.spawn(async move { Ok(execute::run(Arc::new(needs), shutdown).await?) });
        let (needs, shutdown) = (self.relay, told.clone());
        workers.spawn(async move { Ok(relay::run(needs, shutdown).await?) });
        let (needs, shutdown) = (self.mailbox, told.clone());
        workers.spawn(async move {
            mailbox::run(needs, shutdown).await;
            Ok(())
        });
        Node {
            api: self.api,
            readiness: self.readiness,
            metrics: self.metrics,
            clock: self.clock,
            workers: (stop_workers, told, workers),
            bringup: (stop_bringup, bringup),
        }
    }
}

/// For a transaction in flight to be mined and a batch to be stored.
const DRAIN: Duration = Duration::from_secs(20);
/// For an enclave to end.
const END: Duration = Duration::from_secs(10);
