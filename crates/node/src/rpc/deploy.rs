// SPDX-License-Identifier: Apache-2.0
//! `subrosa_deploy`: taking in a deployment envelope.
//!
//! Anyone may hand in an envelope for any registered contract, and only the enclave can tell
//! whether it is the right one. So the latest one handed in is kept until the enclave has accepted
//! one; a wrong one is refused as soon as entry 0 is proven, and stands in nobody's way.

use std::time::Duration;

use alloy_primitives::keccak256;
use subrosa_types::{
    ContractId,
    rpc::{DeployAccepted, DeployRequest, RequestState},
};
use tokio::sync::broadcast::error::RecvError;

use super::{Context, RpcError, entry::state_of};

/// Stores an envelope durably and waits a while for what becomes of it.
pub(super) async fn deploy(
    context: &Context,
    request: DeployRequest,
) -> Result<DeployAccepted, RpcError> {
    let DeployRequest { contract, envelope } = request;
    context.check_envelope(&envelope)?;
    let host = &context.host;
    if host.store.entry(contract, 0)?.is_none() {
        // The follower may be a block behind whoever has just registered the contract.
        let registered = host.ledger.is_registered(contract).await;
        if !registered.map_err(|error| RpcError::Internal(Box::new(error)))? {
            return Err(RpcError::UnknownContract(contract));
        }
    }
    if host.store.result(contract, 0)?.is_some() {
        return accepted(context, contract);
    }
    let hash = keccak256(&envelope);
    let mut outcomes = host.executors.deployments();
    host.durably(move |store| store.put_deployment(contract, &envelope))
        .await?;
    host.executors.wake(contract);
    let outcome = async {
        loop {
            match outcomes.recv().await {
                Ok(outcome) if outcome.contract == contract && outcome.envelope == hash => {
                    return outcome.refused;
                }
                Ok(outcome) if outcome.contract == contract && outcome.refused.is_none() => {
                    return None;
                }
                Ok(_) => {}
                // Missed some: the store knows.
                Err(RecvError::Lagged(_))
                    if !matches!(host.store.result(contract, 0), Ok(None)) =>
                {
                    return None;
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    };
    let waited = context
        .wait_for(tokio::time::timeout(PATIENCE, outcome))
        .await;
    match waited {
        Ok(Ok(Some(reason))) => Err(RpcError::DeploymentRefused(reason)),
        // Not executed yet, or nobody waits: the envelope is stored all the same.
        _ => accepted(context, contract),
    }
}

fn accepted(context: &Context, contract: ContractId) -> Result<DeployAccepted, RpcError> {
    let state = match state_of(context.host.store.as_ref(), contract, 0)? {
        RequestState::Unknown => RequestState::Pending,
        state => state,
    };
    Ok(DeployAccepted { contract, state })
}

/// How long a caller waits for its envelope to be tried.
const PATIENCE: Duration = Duration::from_secs(5);
