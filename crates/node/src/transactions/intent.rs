// SPDX-License-Identifier: Apache-2.0
//! Noting transactions down before they are broadcast, and going on with them after a crash.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes};
use subrosa_chain::send::SendError;
use subrosa_store::{Intent, IntentKind, Storage};
use subrosa_types::frame::ResultRef;
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::{
    chain::{Chain, ChainAccessError, InFlight, Note},
    failpoint::failpoint,
};

/// Notes each attempt of one transaction down in the store, under its nonce.
pub(super) fn note(
    store: Arc<dyn Storage>,
    sender: Address,
    kind: IntentKind,
    items: Vec<ResultRef>,
    attempts: Vec<Bytes>,
) -> Note {
    let attempts = Arc::new(Mutex::new(attempts));
    Arc::new(move |nonce, raw| {
        let (store, attempts) = (Arc::clone(&store), Arc::clone(&attempts));
        let items = items.clone();
        Box::pin(async move {
            let mut attempts = attempts.lock().await;
            attempts.push(raw);
            let intent = Intent {
                kind,
                items,
                attempts: attempts.clone(),
            };
            store.put_intent(sender, nonce, intent).await?;
            failpoint!("after_intent_before_broadcast");
            Ok(())
        })
    })
}

/// Goes on with what an earlier process noted down.
pub(super) async fn resume(
    chain: &dyn Chain,
    store: &Arc<dyn Storage>,
) -> Result<Vec<Box<dyn InFlight>>, ChainAccessError> {
    let sender = chain.address();
    let mut leftovers = Vec::new();
    for (nonce, intent) in store.intents(sender).await? {
        let Intent {
            kind,
            items,
            attempts,
        } = intent;
        let note = note(Arc::clone(store), sender, kind, items, attempts.clone());
        match chain.resume(nonce, &attempts, note).await {
            Ok(Some(pending)) => {
                info!(
                    nonce,
                    ?kind,
                    "going on with a transaction of an earlier run"
                );
                leftovers.push(pending);
            }
            Ok(None) => {}
            Err(SendError::Unusable) => warn!(nonce, ?kind, "noted transaction is unusable"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(leftovers)
}
