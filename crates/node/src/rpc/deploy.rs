// SPDX-License-Identifier: Apache-2.0
//! `subrosa_deploy`: taking in the code envelope for a deployment or an upgrade.
//!
//! Anyone may hand in an envelope for code that was registered or announced, and only the enclave
//! can tell whether it is the right one. It is asked before one takes the place of another, so that
//! only an envelope that opens replaces one; a wrong one stands in nobody's way.

use std::time::Duration;

use alloy_primitives::{B256, Bytes, keccak256};
use subrosa_store::CodeOf;
use subrosa_types::{
    ContractId,
    entry::{EntryKind, Execution},
    frame::ErrorCode,
    rpc::{DeployAccepted, DeployRequest, RequestState},
};
use tokio::sync::broadcast::error::RecvError;

use super::{context::Context, entry::state_of, error::RpcError};
use crate::{clock::within, signals::CodeOutcome};

/// Stores an envelope durably and waits a while for what becomes of it, if its entry is logged.
pub(super) async fn deploy(
    context: &Context,
    request: DeployRequest,
) -> Result<DeployAccepted, RpcError> {
    let DeployRequest {
        contract,
        code_envelope: envelope,
        seq,
        code_commitment,
    } = request;
    context.check_envelope(&envelope)?;
    match (seq, code_commitment) {
        (None | Some(0), None) => deployment(context, contract, envelope).await,
        (None, Some(commitment)) => announced(context, contract, commitment, envelope).await,
        (Some(seq), commitment) => upgrade(context, (contract, seq), commitment, envelope).await,
    }
}

/// The envelope of entry 0.
async fn deployment(
    context: &Context,
    contract: ContractId,
    envelope: Bytes,
) -> Result<DeployAccepted, RpcError> {
    if context.store.entry(contract, 0).await?.is_none() {
        // The follower may be a block behind whoever has just registered the contract.
        check_registered(context, contract).await?;
    }
    if context.store.result(contract, 0).await?.is_some() {
        return accepted(context, contract, 0).await;
    }
    let hash = keccak256(&envelope);
    let outcomes = context.executors.code_outcomes();
    put(context, (contract, 0), CodeOf::Deploy, envelope).await?;
    tried(context, (contract, 0), hash, outcomes).await
}

/// The envelope of an upgrade that is on the log.
async fn upgrade(
    context: &Context,
    (contract, seq): (ContractId, u64),
    expected: Option<B256>,
    envelope: Bytes,
) -> Result<DeployAccepted, RpcError> {
    let Some(record) = context.store.entry(contract, seq).await? else {
        return Err(RpcError::UnknownEntry { contract, seq });
    };
    let entry = record.logged.entry;
    let is_upgrade = Execution::unpack(entry.execution)
        .is_ok_and(|execution| execution.kind == EntryKind::Upgrade);
    if !is_upgrade {
        let message = format!("entry {seq} is no upgrade");
        return Err(RpcError::CodeEnvelopeRefused(message));
    }
    let commitment = entry.inputHash;
    if expected.is_some_and(|expected| expected != commitment) {
        let message = format!("entry {seq} commits to {commitment}");
        return Err(RpcError::CodeEnvelopeRefused(message));
    }
    if context.store.result(contract, seq).await?.is_some() {
        return accepted(context, contract, seq).await;
    }
    let hash = keccak256(&envelope);
    let outcomes = context.executors.code_outcomes();
    let code = CodeOf::Upgrade(commitment);
    put(context, (contract, seq), code, envelope).await?;
    tried(context, (contract, seq), hash, outcomes).await
}

/// The envelope of an upgrade that is announced, and not on the log yet.
async fn announced(
    context: &Context,
    contract: ContractId,
    commitment: B256,
    envelope: Bytes,
) -> Result<DeployAccepted, RpcError> {
    check_registered(context, contract).await?;
    let announced = context.chain.announced(contract).await;
    let announced = announced.map_err(|error| RpcError::Internal(Box::new(error)))?;
    if commitment.is_zero() || announced != commitment {
        let message = format!("code {commitment} is not announced for contract {contract}");
        return Err(RpcError::CodeEnvelopeRefused(message));
    }
    let store = &context.store;
    store
        .put_code_envelope(contract, CodeOf::Upgrade(commitment), envelope)
        .await?;
    // In the meantime it may be on the log, and waited for.
    context.executors.wake(contract);
    Ok(DeployAccepted {
        contract,
        state: RequestState::Pending,
    })
}

/// Keeps an envelope, unless another is kept already and this one does not open.
async fn put(
    context: &Context,
    (contract, seq): (ContractId, u64),
    code: CodeOf,
    envelope: Bytes,
) -> Result<(), RpcError> {
    let store = &context.store;
    let kept = store.code_envelope(contract, code).await?;
    if kept.is_some_and(|kept| kept != envelope) {
        let serving = context.stage.now().ok_or(RpcError::NotReady)?;
        let Some(record) = store.entry(contract, seq).await? else {
            return Err(RpcError::NotReady);
        };
        let entry = record.logged.entry;
        let checked = context
            .wait_for(serving.link.check_code(entry, envelope.clone()))
            .await?;
        if let Err(error) = checked {
            return match error.code() {
                Some(ErrorCode::CodeEnvelope) => {
                    Err(RpcError::CodeEnvelopeRefused(error.to_string()))
                }
                _ => Err(error.into()),
            };
        }
    }
    store.put_code_envelope(contract, code, envelope).await?;
    Ok(())
}

async fn check_registered(context: &Context, contract: ContractId) -> Result<(), RpcError> {
    let registered = context.chain.is_registered(contract).await;
    if registered.map_err(|error| RpcError::Internal(Box::new(error)))? {
        Ok(())
    } else {
        Err(RpcError::UnknownContract(contract))
    }
}

/// Has an envelope tried, and waits a while for what becomes of it.
async fn tried(
    context: &Context,
    (contract, seq): (ContractId, u64),
    envelope: B256,
    mut outcomes: tokio::sync::broadcast::Receiver<CodeOutcome>,
) -> Result<DeployAccepted, RpcError> {
    context.executors.wake(contract);
    let outcome = async {
        loop {
            match outcomes.recv().await {
                Ok(outcome) if (outcome.contract, outcome.seq) != (contract, seq) => {}
                Ok(outcome) if outcome.envelope == envelope || outcome.refused.is_none() => {
                    return outcome.refused;
                }
                Ok(_) => {}
                // Missed some: the store knows.
                Err(RecvError::Lagged(_)) => {
                    if !matches!(context.store.result(contract, seq).await, Ok(None)) {
                        return None;
                    }
                }
                Err(RecvError::Closed) => return None,
            }
        }
    };
    let clock = context.clock.as_ref();
    let waited = context.wait_for(within(clock, PATIENCE, outcome)).await;
    match waited {
        Ok(Some(Some(reason))) => Err(RpcError::CodeEnvelopeRefused(reason)),
        // Not executed yet, or nobody waits: the envelope is stored all the same.
        _ => accepted(context, contract, seq).await,
    }
}

async fn accepted(
    context: &Context,
    contract: ContractId,
    seq: u64,
) -> Result<DeployAccepted, RpcError> {
    let state = match state_of(context.store.as_ref(), contract, seq).await? {
        RequestState::Unknown => RequestState::Pending,
        state => state,
    };
    Ok(DeployAccepted { contract, state })
}

/// How long a caller waits for its envelope to be tried.
const PATIENCE: Duration = Duration::from_secs(5);
