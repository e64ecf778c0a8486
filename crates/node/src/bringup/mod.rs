// SPDX-License-Identifier: Apache-2.0
//! From a socket to an enclave that serves, again and again.
//!
//! Connect → start with the measured configuration → admit its signer → hold the current epoch's
//! key → load every contract → serve. Every step asks first whether it is done already, so a host
//! that was killed anywhere, or an enclave that was, goes through all of them again and repeats
//! none. Results are never lost with an enclave: they are stored before they are offered, and any
//! enclave of the epoch signs them again.

mod admission;
mod epoch;
mod lease;
mod registration;

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alloy_sol_types::SolValue;
use subrosa_chain::{ChainError, dcap::DcapError};
use subrosa_store::StoreError;
use subrosa_types::frame::{ErrorCode, HelloReply, Loaded, Started};
use tracing::{info, warn};

use crate::{
    backoff::Backoff,
    enclave::{ConnectError, EnclaveError, Launcher, Link},
    failpoint::failpoint,
    host::Host,
    ledger::LedgerError,
    serving::Serving,
    shutdown::Shutdown,
    verifier::VerifierError,
};

/// Keeps an enclave serving until shutdown, then ends it if a host started it.
///
/// # Errors
///
/// [`BringupError`] if no enclave can ever serve with this configuration.
pub(crate) async fn supervise(
    host: Arc<Host>,
    mut launcher: Launcher,
    mut shutdown: Shutdown,
) -> Result<(), BringupError> {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
    loop {
        let Some(outcome) = shutdown.cancel(establish(&host, &mut launcher)).await else {
            return Ok(());
        };
        let serving = match outcome {
            Ok(serving) => Arc::new(serving),
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => {
                host.metrics.bringup.failed.increment(1);
                warn!(
                    error = &error as &dyn std::error::Error,
                    "bring-up failed, trying again"
                );
                host.say_unready(error.to_string());
                if shutdown.cancel(backoff.wait()).await.is_none() {
                    return Ok(());
                }
                continue;
            }
        };
        backoff.reset();
        host.metrics.bringup.completed.increment(1);
        host.serve(Some(Arc::clone(&serving)));
        info!(signer = %serving.started.signer, epoch = serving.keys.epoch, "serving");
        let end = tend(&host, &serving, &mut shutdown).await;
        host.serve(None);
        match end {
            End::Shutdown => {
                launcher.terminate(&serving.link).await;
                return Ok(());
            }
            End::Disconnected => warn!("the enclave is gone"),
            End::Distrusted => {
                warn!("the registry no longer accepts the enclave's signer");
                if shutdown.cancel(backoff.wait()).await.is_none() {
                    return Ok(());
                }
            }
        }
    }
}

/// One attempt, from connecting to having everything loaded.
async fn establish(host: &Host, launcher: &mut Launcher) -> Result<Serving, BringupError> {
    host.say_unready("connecting to the enclave");
    let (link, hello) = launcher.connect().await?;
    match prepare(host, launcher, &link, hello).await {
        Err(BringupError::OtherConfig { .. } | BringupError::SignerSpent)
            if launcher.started(&link) =>
        {
            // Ours to replace: a fresh boot takes any configuration and has a fresh signer.
            launcher.terminate(&link).await;
            Err(BringupError::Replaced)
        }
        outcome => outcome,
    }
}

async fn prepare(
    host: &Host,
    launcher: &Launcher,
    link: &Link,
    hello: HelloReply,
) -> Result<Serving, BringupError> {
    let started = start(host, launcher, link, &hello).await?;
    host.say_unready("waiting for transactions of an earlier run");
    host.ledger.settle_leftovers().await?;
    host.say_unready("admitting the enclave's signer");
    let lease_until = admission::ensure(host, link, &started).await?;
    failpoint!("after_admit_before_epoch");
    host.say_unready("taking the epoch's key into use");
    let epoch = epoch::ensure(host, link, &started, &hello.epochs).await?;
    let serving = Serving::new(link.clone(), started, epoch, lease_until, &hello.contracts);
    host.say_unready("loading contracts");
    load_all(host, &serving).await?;
    failpoint!("after_load");
    Ok(serving)
}

async fn start(
    host: &Host,
    launcher: &Launcher,
    link: &Link,
    hello: &HelloReply,
) -> Result<Started, BringupError> {
    if let Some(started) = &hello.started {
        if started.config_hash == host.config_hash {
            return Ok(started.clone());
        }
        return Err(BringupError::OtherConfig {
            ours: launcher.started(link),
            expected: host.config_hash.to_string(),
            found: started.config_hash.to_string(),
        });
    }
    let started = link.start(host.enclave_config.abi_encode().into()).await?;
    if started.config_hash != host.config_hash {
        return Err(BringupError::OtherConfig {
            ours: launcher.started(link),
            expected: host.config_hash.to_string(),
            found: started.config_hash.to_string(),
        });
    }
    Ok(started)
}

/// Brings every contract to the last state that is stored, unless it is there already. One that
/// cannot be loaded (an older epoch's key is missing) does not hold the others up.
async fn load_all(host: &Host, serving: &Serving) -> Result<(), BringupError> {
    for contract in host.store.contracts().await? {
        let Some(last) = host.store.last_result(contract).await? else {
            continue;
        };
        let stands = serving.position(contract);
        let stateless = host.is_stateless(contract).await?;
        let is_there = |loaded: Loaded| {
            stateless || (loaded.head.seq == last.seq + 1 && loaded.digest == last.digest)
        };
        if stands.is_some_and(is_there) {
            continue;
        }
        match serving.load(host.store.as_ref(), contract, last.seq).await {
            Ok(_) => {}
            Err(error) if serving.link.is_closed() => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "lost the enclave while loading"
                );
                return Err(EnclaveError::Disconnected.into());
            }
            Err(error) => {
                warn!(%contract, error = &error as &dyn std::error::Error, "cannot load a contract");
            }
        }
    }
    Ok(())
}

/// Why serving ended.
enum End {
    Shutdown,
    Disconnected,
    /// The signer's lease ended, or something that it rests on was taken away.
    Distrusted,
}

/// Watches over an enclave that serves.
async fn tend(host: &Host, serving: &Serving, shutdown: &mut Shutdown) -> End {
    tokio::select! {
        biased;
        () = shutdown.requested() => End::Shutdown,
        () = serving.link.closed() => End::Disconnected,
        () = host.distrusted.notified() => End::Distrusted,
        () = lease::keep(host, serving) => End::Distrusted,
    }
}

fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

/// Why an enclave does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BringupError {
    /// There is no connection.
    #[error("no connection to the enclave")]
    Connect(#[from] ConnectError),
    /// The enclave refused a step, or is gone.
    #[error("the enclave refused a step of bring-up")]
    Enclave(#[from] EnclaveError),
    /// It was started with another configuration.
    #[error(
        "the enclave was started with configuration {found}, this node's is {expected}; restart it"
    )]
    OtherConfig {
        /// Whether a host on this data directory started it, and so may replace it.
        ours: bool,
        /// Hash of this node's configuration.
        expected: String,
        /// Hash of the enclave's.
        found: String,
    },
    /// The enclave was ended, to be started afresh.
    #[error("the enclave had to be replaced")]
    Replaced,
    /// Its signer's lease has ended or was revoked; only a fresh boot has another.
    #[error("the signer's lease has ended or was revoked; restart the enclave")]
    SignerSpent,
    /// The registry would not take an admission that ends sooner than the lease.
    #[error("the verifier admits the signer until {offered}, and its lease runs until {until}")]
    ShorterLease {
        /// When the lease ends, Unix seconds.
        until: u64,
        /// When the admission does.
        offered: u64,
    },
    /// The verifier gives no admission.
    #[error("no admission")]
    Verifier(#[from] VerifierError),
    /// The enclave's evidence is none that the chain could verify.
    #[error("no registration by quote with this evidence")]
    Evidence(#[from] DcapError),
    /// The registry names no contract that verifies quotes.
    #[error(
        "the registry takes no DCAP quotes; its governance names what verifies them (setDcap), or \
         a [verifier] admits the signer"
    )]
    NoDcap,
    /// The chain does not keep what it needs to judge the quote, and the evidence brings none.
    #[error(
        "the chain keeps no collateral in force for this platform: {0}; \
         `subrosa collateral push` submits it"
    )]
    Collateral(String),
    /// The chain does not answer, or refused a transaction.
    #[error("the chain failed during bring-up")]
    Ledger(#[source] Box<LedgerError>),
    /// A transaction was mined and reverted.
    #[error("{what} reverted in transaction {transaction}")]
    Reverted {
        /// Which function.
        what: &'static str,
        /// Where.
        transaction: alloy_primitives::B256,
    },
    /// The secret of the current epoch is not held here, and the configuration forbids opening
    /// another.
    #[error(
        "epoch {epoch} of key group {group} is open and its secret is not held here; \
         see enclave.open_epochs"
    )]
    EpochMissing {
        /// Key group.
        group: u32,
        /// Its current epoch; 0 if it has none.
        epoch: u32,
    },
    /// Another node opened the epoch first.
    #[error("another node opened epoch {0} first")]
    EpochTaken(u32),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl From<ChainError> for BringupError {
    fn from(error: ChainError) -> Self {
        LedgerError::from(error).into()
    }
}

impl From<LedgerError> for BringupError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(Box::new(error))
    }
}

impl BringupError {
    /// Whether trying again is pointless until someone changes something by hand.
    fn is_fatal(&self) -> bool {
        match self {
            Self::Connect(error) => !error.is_transient(),
            Self::Enclave(error) => error.code() == Some(ErrorCode::Config),
            Self::OtherConfig { ours, .. } => !ours,
            Self::Store(_) => true,
            _ => false,
        }
    }
}
