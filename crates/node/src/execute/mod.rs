// SPDX-License-Identifier: Apache-2.0
//! Executing entries: one task per contract, all sharing the enclave's stream.
//!
//! A task sleeps until its contract is woken (entries arrived, a code envelope did, its
//! head moved on chain, an enclave began to serve), then works until nothing is left to do. What
//! there is to do is always read from the store: the entry after the last one that has a result. Of one
//! log a second frame is sent before the first is answered; if that one ends early, the second is
//! refused, and planned anew.

mod contract;
mod envelopes;
mod needs;
mod plan;
mod proofs;
mod reassign;
mod snapshots;

use std::sync::Arc;

use tokio::task::JoinSet;

pub(crate) use self::{
    needs::{LOOKING, Needs},
    plan::ends_frame,
};
use crate::shutdown::Shutdown;

/// Spawns the contracts' tasks until shutdown, then waits until each has stored what it has.
///
/// # Errors
///
/// The first task that failed for good, which the store alone makes one do.
pub(crate) async fn run(
    needs: Arc<Needs>,
    mut shutdown: Shutdown,
) -> Result<(), subrosa_store::StoreError> {
    for contract in needs.store.contracts().await? {
        needs.executors.wake(contract);
    }
    let mut tasks = JoinSet::new();
    loop {
        for (contract, woken) in needs.executors.unspawned() {
            tasks.spawn(contract::run(
                Arc::clone(&needs),
                contract,
                woken,
                shutdown.clone(),
            ));
        }
        tokio::select! {
            biased;
            () = shutdown.requested() => break,
            Some(ended) = tasks.join_next() => finish(ended)?,
            () = needs.executors.woken() => {}
        }
    }
    while let Some(ended) = tasks.join_next().await {
        finish(ended)?;
    }
    Ok(())
}

fn finish(
    ended: Result<Result<(), subrosa_store::StoreError>, tokio::task::JoinError>,
) -> Result<(), subrosa_store::StoreError> {
    match ended {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Ok(()),
        },
    }
}
