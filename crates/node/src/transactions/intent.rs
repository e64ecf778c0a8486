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

/// Notes each attempt of one transaction down in the store, under its nonce. `earlier` are the
/// attempts that an earlier process noted, and their nonce.
pub(super) fn note(
    store: Arc<dyn Storage>,
    sender: Address,
    kind: IntentKind,
    items: Vec<ResultRef>,
    earlier: Option<(u64, Vec<Bytes>)>,
) -> Note {
    let noted = Arc::new(Mutex::new(earlier.unwrap_or_default()));
    Arc::new(move |nonce, raw| {
        let (store, noted) = (Arc::clone(&store), Arc::clone(&noted));
        let items = items.clone();
        Box::pin(async move {
            let mut noted = noted.lock().await;
            let (under, attempts) = &mut *noted;
            // A nonce that was used up was given up: what was signed under it is of no use here,
            // and would make the rest unusable.
            if *under != nonce {
                (*under, *attempts) = (nonce, Vec::new());
            }
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
        let earlier = Some((nonce, attempts.clone()));
        let note = note(Arc::clone(store), sender, kind, items, earlier);
        // Results were sent for what their entries' fees cover.
        let capped = kind == IntentKind::Fulfill;
        match chain.resume(nonce, &attempts, note, capped).await {
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

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;
    use subrosa_store::{Disk, Identity, Memory};

    use super::*;

    const SENDER: Address = Address::repeat_byte(7);

    #[tokio::test]
    async fn what_was_signed_under_a_nonce_that_was_given_up_is_not_noted_under_the_next() {
        let identity = Identity {
            chain_id: 1,
            oracle: Address::ZERO,
            registry: Address::ZERO,
            config_hash: B256::ZERO,
        };
        let store: Arc<dyn Storage> = Arc::new(Memory::open(&Disk::new(), identity));
        let note = note(
            Arc::clone(&store),
            SENDER,
            IntentKind::Fulfill,
            Vec::new(),
            Some((4, vec![Bytes::from_static(b"resumed")])),
        );
        for (nonce, raw) in [(4, "raised"), (5, "anew"), (5, "anew, raised")] {
            note(nonce, Bytes::from_static(raw.as_bytes()))
                .await
                .unwrap();
        }
        let intents = store.intents(SENDER).await.unwrap();
        let attempts: Vec<_> = intents
            .into_iter()
            .map(|(nonce, intent)| (nonce, intent.attempts))
            .collect();
        let raw = |words: &[&'static str]| -> Vec<Bytes> {
            let raw = words.iter().map(|word| word.as_bytes());
            raw.map(Bytes::from_static).collect()
        };
        assert_eq!(
            attempts,
            [
                (4, raw(&["resumed", "raised"])),
                (5, raw(&["anew", "anew, raised"]))
            ]
        );
    }
}
