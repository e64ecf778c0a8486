// SPDX-License-Identifier: Apache-2.0
//! Code that owners published, handed in as by any client: same path, same checks, same limits.

use std::{sync::Arc, time::Duration};

use alloy_primitives::{B256, Bytes};
use subrosa_store::CodeOf;
use subrosa_types::{
    ContractId,
    entry::{EntryKind, Execution, Payment},
    rpc::DeployRequest,
};
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use super::{assemble::assemble, needs::Needs, room::Published};
use crate::{
    backoff::Backoff,
    rpc::{MAX_ENVELOPE_BYTES, RpcError},
    shutdown::Shutdown,
};

/// Hands in what is published until shutdown.
pub(super) async fn run(needs: Arc<Needs>, mut shutdown: Shutdown) {
    let Some(settings) = &needs.settings.mailbox else {
        return;
    };
    if !settings.code {
        return;
    }
    if shutdown.cancel(recall(&needs)).await.is_none() {
        return;
    }
    let mut under_way = JoinSet::new();
    while !shutdown.is_requested() {
        while under_way.len() < AT_ONCE
            && let Some((contract, published)) = needs.room.next_code()
        {
            let needs = Arc::clone(&needs);
            under_way.spawn(async move {
                see_to(&needs, contract, published).await;
                // Whoever publishes without end has one of these places, and no more of the enclave.
                needs.clock.sleep(PACE).await;
            });
        }
        tokio::select! {
            () = shutdown.requested() => {}
            () = needs.room.code() => {}
            Some(_) = under_way.join_next() => {}
        }
    }
}

/// Has the code looked for of contracts that wait for it: it may have been published before this node
/// ran, or while it did not look.
async fn recall(needs: &Needs) {
    let contracts = match needs.store.contracts().await {
        Ok(contracts) => contracts,
        Err(error) => {
            warn!(
                error = &error as &dyn std::error::Error,
                "code is not looked for"
            );
            return;
        }
    };
    let mut waiting = Vec::new();
    for contract in contracts {
        let kept = needs.store.code_envelope(contract, CodeOf::Deploy).await;
        let result = needs.store.result(contract, 0).await;
        if let (Ok(None), Ok(None)) = (kept, result)
            && let Ok(Some(entry)) = needs.store.entry(contract, 0).await
        {
            waiting.push((entry.block_number, contract));
        }
    }
    // The newest first: who waited long has been looked for before.
    waiting.sort_unstable_by(|one, other| other.cmp(one));
    for (block, contract) in waiting.into_iter().take(MAX_RECALLED) {
        needs.room.look_for(contract, block);
    }
}

/// Reads what was published of a contract's code and hands it in, again while the node or the chain has
/// no answer.
async fn see_to(needs: &Needs, contract: ContractId, published: Published) {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(30));
    for _ in 0..TRIES {
        match hand_in(needs, contract, published).await {
            Ok(()) => return,
            Err(error) => {
                debug!(%contract, error = &error as &dyn std::error::Error, "code cannot be handed in yet");
            }
        }
        backoff.wait(needs.clock.as_ref()).await;
    }
    needs.metrics.code_failed.increment(1);
    warn!(%contract, "published code could not be handed in");
}

async fn hand_in(
    needs: &Needs,
    contract: ContractId,
    published: Published,
) -> Result<(), RpcError> {
    // Nothing is read that nobody waits for.
    let places = places(needs, contract).await?;
    if places.is_empty() {
        return Ok(());
    }
    let parts = needs
        .chain
        .published(contract, published.envelope, published.from)
        .await
        .map_err(|error| RpcError::Internal(Box::new(error)))?;
    let found = parts.len();
    let envelopes = assemble(parts, MAX_ENVELOPE_BYTES, MAX_TRIED);
    if envelopes.is_empty() && found > 0 {
        info!(%contract, parts = found, "published code is incomplete, or not what its hash says");
        needs.metrics.code_refused.increment(1);
    }
    for envelope in envelopes {
        for place in &places {
            match needs.api.deploy(place.request(contract, &envelope)).await {
                Ok(_) => {
                    info!(%contract, bytes = envelope.len(), "code came through the chain");
                    needs.metrics.code_taken.increment(1);
                    return Ok(());
                }
                Err(error) if is_verdict(&error) => {
                    info!(%contract, error = &error as &dyn std::error::Error, "published code is refused");
                    needs.metrics.code_refused.increment(1);
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// What an envelope may carry the code of. It says nothing of that itself.
enum CodePlace {
    /// Entry 0.
    Deployment,
    /// An upgrade on the log.
    Upgrade(u64),
    /// An upgrade that is announced.
    Announced(B256),
}

impl CodePlace {
    fn request(&self, contract: ContractId, envelope: &Bytes) -> DeployRequest {
        let (seq, code_commitment) = match self {
            Self::Deployment => (None, None),
            Self::Upgrade(seq) => (Some(*seq), None),
            Self::Announced(commitment) => (None, Some(*commitment)),
        };
        DeployRequest {
            contract,
            code_envelope: envelope.clone(),
            seq,
            code_commitment,
        }
    }
}

/// Where code of a contract is waited for; none if this node does not serve it.
async fn places(needs: &Needs, contract: ContractId) -> Result<Vec<CodePlace>, RpcError> {
    let Some(first) = needs.store.entry(contract, 0).await? else {
        return Ok(Vec::new());
    };
    let group = Payment::unpack(first.logged.entry.payment).key_group;
    if group != needs.settings.enclave_config.keyGroup {
        return Ok(Vec::new());
    }
    let Some(last) = needs.store.last_result(contract).await? else {
        return Ok(vec![CodePlace::Deployment]);
    };
    let mut places = Vec::new();
    let next = last.seq + 1;
    for record in needs.store.entries(contract, next, LOOK_AHEAD).await? {
        let entry = record.logged.entry;
        let kind = Execution::unpack(entry.execution).map(|execution| execution.kind);
        if kind == Ok(EntryKind::Upgrade) {
            places.push(CodePlace::Upgrade(entry.seq()));
            break;
        }
    }
    let announced = needs.chain.announced(contract).await;
    let announced = announced.map_err(|error| RpcError::Internal(Box::new(error)))?;
    if !announced.is_zero() {
        places.push(CodePlace::Announced(announced));
    }
    Ok(places)
}

/// Whether the same envelope would be refused again: one that is is not tried for minutes, in the place of
/// others.
fn is_verdict(error: &RpcError) -> bool {
    matches!(
        error,
        RpcError::CodeEnvelopeRefused(_)
            | RpcError::EnvelopeTooLarge { .. }
            | RpcError::NoResult(_)
            | RpcError::UnknownContract(_)
            | RpcError::UnknownEntry { .. }
    )
}

/// Contracts whose code is handed in at once.
const AT_ONCE: usize = 16;
/// For how long a contract keeps its place after that.
const PACE: Duration = Duration::from_secs(1);
/// Contracts whose code is looked for at the start.
const MAX_RECALLED: usize = 1_024;
/// Envelopes of a contract that are tried at a time.
const MAX_TRIED: usize = 2;
/// How often something is tried that has no answer, for some ten minutes in all.
const TRIES: usize = 28;
/// Entries among which an upgrade is looked for.
const LOOK_AHEAD: usize = 64;
