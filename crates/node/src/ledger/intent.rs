// SPDX-License-Identifier: Apache-2.0
//! Noting transactions down before they are broadcast, and going on with them after a crash.

use std::sync::{Arc, Mutex, PoisonError};

use alloy_primitives::{Address, Bytes};
use subrosa_chain::send::{Attempt, Record, RecordError, SendError};
use subrosa_store::{Intent, IntentKind, Storage};
use subrosa_types::frame::ResultRef;
use tracing::{info, warn};

use super::{Ledger, LedgerError};
use crate::failpoint::failpoint;

/// Notes each attempt of one transaction down in the store, under its nonce.
pub(super) fn record(
    store: Arc<dyn Storage>,
    sender: Address,
    kind: IntentKind,
    items: Vec<ResultRef>,
    attempts: Vec<Bytes>,
) -> Record {
    let attempts = Arc::new(Mutex::new(attempts));
    Arc::new(move |attempt: Attempt| {
        let (store, attempts) = (Arc::clone(&store), Arc::clone(&attempts));
        let items = items.clone();
        Box::pin(async move {
            let attempts = {
                let mut attempts = attempts.lock().unwrap_or_else(PoisonError::into_inner);
                attempts.push(attempt.raw);
                attempts.clone()
            };
            let intent = Intent {
                kind,
                items,
                attempts,
            };
            store
                .put_intent(sender, attempt.nonce, intent)
                .await
                .map_err(RecordError::from)?;
            failpoint!("after_intent_before_broadcast");
            Ok(())
        })
    })
}

impl Ledger {
    /// Goes on with what an earlier process noted down.
    pub(super) async fn resume(&self) -> Result<(), LedgerError> {
        let sender = self.account();
        let mut leftovers = self.leftovers.lock().await;
        for (nonce, intent) in self.store.intents(sender).await? {
            let Intent {
                kind,
                items,
                attempts,
            } = intent;
            let record = record(
                Arc::clone(&self.store),
                sender,
                kind,
                items,
                attempts.clone(),
            );
            match self.sender.resume(nonce, &attempts, record).await {
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
        Ok(())
    }

    /// Waits until the transactions of an earlier process are mined: what they did decides what
    /// there is left to do.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NotMined`] if that takes long; it can be waited for again.
    pub(crate) async fn settle_leftovers(&self) -> Result<(), LedgerError> {
        let mut leftovers = self.leftovers.lock().await;
        while let Some(pending) = leftovers.first_mut() {
            let nonce = pending.nonce();
            match pending.receipt(super::transactions::PATIENCE).await {
                Err(SendError::Timeout { nonce }) => return Err(LedgerError::NotMined(nonce)),
                Err(SendError::Closed) => return Err(SendError::Closed.into()),
                Err(error) => warn!(nonce, %error, "noted transaction was not mined"),
                Ok(receipt) => {
                    info!(nonce, transaction = %receipt.transaction_hash, "noted transaction is mined");
                }
            }
            leftovers.remove(0);
            self.forget_intents(nonce).await?;
        }
        Ok(())
    }

    /// Forgets what was noted down up to a nonce that is used up.
    pub(super) async fn forget_intents(&self, nonce: u64) -> Result<(), LedgerError> {
        let sender = self.account();
        self.store.settle_intents(sender, nonce + 1).await?;
        Ok(())
    }
}
