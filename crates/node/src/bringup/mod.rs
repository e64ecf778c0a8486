// SPDX-License-Identifier: Apache-2.0
//! From a socket to an enclave that serves, again and again.
//!
//! Connect → start with the measured configuration → admit its signer → hold the current epoch's
//! key → serve. Every step asks first whether it is done already, so a host
//! that was killed anywhere, or an enclave that was, goes through all of them again and repeats
//! none. Contracts are loaded when something needs them. Results are never lost with an enclave: they are stored before they are offered, and any
//! enclave of the epoch signs them again.

mod admission;
mod epoch;
mod error;
mod lease;
mod needs;
mod registration;

use std::{sync::Arc, time::Duration};

use alloy_sol_types::SolValue;
use subrosa_types::frame::{HelloReply, Started};
use tracing::{info, warn};

pub use self::error::BringupError;
pub(crate) use self::needs::Needs;
use crate::{
    backoff::Backoff,
    enclave::{Enclaves, Link},
    failpoint::failpoint,
    loading::Loading,
    serving::Serving,
    shutdown::Shutdown,
};

/// Keeps an enclave serving until shutdown, then ends it if a host started it.
///
/// # Errors
///
/// [`BringupError`] if no enclave can ever serve with this configuration.
pub(crate) async fn supervise(
    needs: Needs,
    mut enclaves: Box<dyn Enclaves>,
    mut shutdown: Shutdown,
) -> Result<(), BringupError> {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
    loop {
        let Some(outcome) = shutdown.cancel(establish(&needs, enclaves.as_mut())).await else {
            return Ok(());
        };
        let serving = match outcome {
            Ok(serving) => Arc::new(serving),
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => {
                needs.metrics.failed.increment(1);
                warn!(
                    error = &error as &dyn std::error::Error,
                    "bring-up failed, trying again"
                );
                needs.readiness.say_unready(error.to_string());
                if shutdown
                    .cancel(backoff.wait(needs.clock.as_ref()))
                    .await
                    .is_none()
                {
                    return Ok(());
                }
                continue;
            }
        };
        backoff.reset();
        needs.metrics.completed.increment(1);
        needs.metrics.serving.set(1.0);
        needs.stage.show(Some(Arc::clone(&serving)));
        info!(signer = %serving.started.signer, epoch = serving.keys.epoch, "serving");
        let end = tend(&needs, &serving, &mut shutdown).await;
        needs.metrics.serving.set(0.0);
        needs.stage.show(None);
        match end {
            End::Shutdown => {
                enclaves.end().await;
                return Ok(());
            }
            End::Disconnected => warn!("the enclave is gone"),
            End::Distrusted => {
                warn!("the registry no longer accepts the enclave's signer");
                if shutdown
                    .cancel(backoff.wait(needs.clock.as_ref()))
                    .await
                    .is_none()
                {
                    return Ok(());
                }
            }
        }
    }
}

/// One attempt, from connecting to serving. Contracts are loaded when something needs them.
async fn establish(needs: &Needs, enclaves: &mut dyn Enclaves) -> Result<Serving, BringupError> {
    needs.readiness.say_unready("connecting to the enclave");
    let (port, hello) = enclaves.connect().await?;
    let link = Link::new(port, needs.refusals.clone());
    match prepare(needs, enclaves.is_ours(), &link, hello).await {
        Err(BringupError::OtherConfig { .. } | BringupError::SignerSpent) if enclaves.is_ours() => {
            // Ours to replace: a fresh boot takes any configuration and has a fresh signer.
            enclaves.end().await;
            Err(BringupError::Replaced)
        }
        outcome => outcome,
    }
}

async fn prepare(
    needs: &Needs,
    is_ours: bool,
    link: &Link,
    hello: HelloReply,
) -> Result<Serving, BringupError> {
    let started = start(needs, is_ours, link, &hello).await?;
    needs
        .readiness
        .say_unready("waiting for transactions of an earlier run");
    needs.transactions.settle_leftovers().await?;
    needs
        .readiness
        .say_unready("admitting the enclave's signer");
    let lease_until = admission::ensure(needs, link, &started).await?;
    failpoint!("after_admit_before_epoch");
    needs
        .readiness
        .say_unready("taking the epoch's key into use");
    let epoch = epoch::ensure(needs, link, &started, &hello.epochs).await?;
    let (keys, opening) = epoch;
    let contracts = Loading::new(
        link.clone(),
        Arc::clone(&needs.clock),
        Arc::clone(&needs.stops),
        needs.settings.max_loads,
        &hello.contracts,
    );
    Ok(Serving {
        link: link.clone(),
        started,
        keys,
        opening,
        lease_until,
        contracts,
    })
}

async fn start(
    needs: &Needs,
    is_ours: bool,
    link: &Link,
    hello: &HelloReply,
) -> Result<Started, BringupError> {
    let config = &needs.settings.enclave_config;
    let started = match &hello.started {
        Some(started) => started.clone(),
        None => link.start(config.abi_encode().into()).await?,
    };
    let expected = config.hash();
    if started.config_hash != expected {
        return Err(BringupError::OtherConfig {
            ours: is_ours,
            expected: expected.to_string(),
            found: started.config_hash.to_string(),
        });
    }
    Ok(started)
}

/// Why serving ended.
enum End {
    Shutdown,
    Disconnected,
    /// The signer's lease ended, or something that it rests on was taken away.
    Distrusted,
}

/// Watches over an enclave that serves.
async fn tend(needs: &Needs, serving: &Serving, shutdown: &mut Shutdown) -> End {
    tokio::select! {
        biased;
        () = shutdown.requested() => End::Shutdown,
        () = serving.link.closed() => End::Disconnected,
        () = needs.distrusted.notified() => End::Distrusted,
        () = lease::keep(needs, serving) => End::Distrusted,
    }
}
