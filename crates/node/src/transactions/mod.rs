// SPDX-License-Identifier: Apache-2.0
//! The transactions a node sends, and what became of them.
//!
//! Every transaction is noted down before it is broadcast. A host that was killed goes on with
//! what it finds noted, under the same nonces, before it sends anything new.

mod intent;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use alloy_primitives::{Address, B256, Bytes};
use subrosa_chain::{
    bindings::{SubrosaMailbox::answerChallengeCall, SubrosaRegistry::DcapRegistration},
    follow::OracleEvent,
    send::{Call, SendError},
};
use subrosa_store::{IntentKind, Storage};
use subrosa_types::{
    abi::{EpochAcknowledgement, EpochOpening, SignerAdmission},
    frame::ResultRef,
};
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::{
    chain::{Chain, ChainAccessError, InFlight, Mined, Transaction},
    clock::{Clock, within},
    failpoint::failpoint,
};

/// What sends a node's transactions.
pub(crate) struct Transactions {
    chain: Arc<dyn Chain>,
    store: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    /// Transactions that an earlier process had sent and that are not known to be mined.
    leftovers: Mutex<Vec<Box<dyn InFlight>>>,
    /// Transactions with results that were sent and not waited for to the end.
    fulfilling: AtomicUsize,
}

/// A `fulfill` that was mined.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fulfilled {
    pub(crate) transaction: B256,
    /// The oracle's events in it; `None` if it reverted.
    pub(crate) events: Option<Vec<OracleEvent>>,
}

impl Transactions {
    /// Goes on with what an earlier process noted down.
    ///
    /// # Errors
    ///
    /// What chain and store fail with.
    pub(crate) async fn resume(
        chain: Arc<dyn Chain>,
        store: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ChainAccessError> {
        let leftovers = intent::resume(chain.as_ref(), &store).await?;
        Ok(Self {
            chain,
            store,
            clock,
            leftovers: Mutex::new(leftovers),
            fulfilling: AtomicUsize::new(0),
        })
    }

    /// Waits until the transactions of an earlier process are mined: what they did decides what
    /// there is left to do.
    ///
    /// # Errors
    ///
    /// [`ChainAccessError::NotMined`] if that takes long; it can be waited for again.
    pub(crate) async fn settle_leftovers(&self) -> Result<(), ChainAccessError> {
        let mut leftovers = self.leftovers.lock().await;
        while let Some(pending) = leftovers.first_mut() {
            let nonce = pending.nonce();
            let Some(outcome) = within(self.clock.as_ref(), PATIENCE, pending.mined()).await else {
                return Err(ChainAccessError::NotMined(nonce));
            };
            match outcome {
                Err(SendError::Closed) => return Err(SendError::Closed.into()),
                Err(error) => warn!(nonce, %error, "noted transaction was not mined"),
                Ok(mined) => {
                    info!(nonce, transaction = %mined.transaction, "noted transaction is mined");
                }
            }
            leftovers.remove(0);
            self.forget_intents(nonce).await?;
        }
        Ok(())
    }

    /// Admits a signer, and waits until that is mined.
    ///
    /// # Errors
    ///
    /// [`ChainAccessError::Send`] if it would revert or cannot be sent.
    pub(crate) async fn admit(
        &self,
        admission: SignerAdmission,
        signatures: Vec<Bytes>,
    ) -> Result<B256, ChainAccessError> {
        let transaction = Transaction::Admit {
            admission: Box::new(admission),
            signatures,
        };
        self.complete(transaction, IntentKind::Admit).await
    }

    /// Registers a signer by its quote, and waits until that is mined.
    ///
    /// # Errors
    ///
    /// [`ChainAccessError::Send`] if it would revert or cannot be sent.
    pub(crate) async fn register_by_quote(
        &self,
        registration: DcapRegistration,
    ) -> Result<B256, ChainAccessError> {
        let transaction = Transaction::RegisterByQuote(Box::new(registration));
        self.complete(transaction, IntentKind::Admit).await
    }

    /// Sends what prepares a registration, and waits until that is mined.
    ///
    /// # Errors
    ///
    /// [`ChainAccessError::Send`] if it would revert or cannot be sent.
    pub(crate) async fn prepare(&self, call: Call) -> Result<B256, ChainAccessError> {
        let transaction = Transaction::Prepared(call);
        self.complete(transaction, IntentKind::Other).await
    }

    /// Opens an epoch, and waits until that is mined.
    ///
    /// # Errors
    ///
    /// [`ChainAccessError::Send`] if it would revert or cannot be sent.
    pub(crate) async fn open_epoch(
        &self,
        opening: EpochOpening,
        signer: Address,
        signature: Bytes,
    ) -> Result<B256, ChainAccessError> {
        let transaction = Transaction::OpenEpoch {
            opening,
            signer,
            signature,
        };
        self.complete(transaction, IntentKind::OpenEpoch).await
    }

    /// Acknowledges an epoch's opening, and waits until that is mined.
    ///
    /// # Errors
    ///
    /// [`ChainAccessError::Send`] if it would revert or cannot be sent.
    pub(crate) async fn acknowledge_epoch(
        &self,
        acknowledgement: EpochAcknowledgement,
        signer: Address,
        signature: Bytes,
    ) -> Result<B256, ChainAccessError> {
        let transaction = Transaction::AcknowledgeEpoch {
            acknowledgement,
            signer,
            signature,
        };
        self.complete(transaction, IntentKind::Other).await
    }

    /// Sends results, with a given gas limit, and paying no more than this per gas.
    ///
    /// # Errors
    ///
    /// [`ChainAccessError::Send`] if it cannot be sent.
    pub(crate) async fn fulfill(
        &self,
        batch: Bytes,
        items: Vec<ResultRef>,
        gas: u64,
        max_fee_per_gas: Option<u128>,
    ) -> Result<Box<dyn InFlight>, ChainAccessError> {
        let transaction = Transaction::Fulfill {
            batch,
            gas,
            max_fee_per_gas,
        };
        let sent = self.send(transaction, IntentKind::Fulfill, items).await?;
        self.fulfilling.fetch_add(1, Ordering::Relaxed);
        Ok(sent)
    }

    /// How many transactions with results are in flight.
    pub(crate) fn fulfilling(&self) -> usize {
        self.fulfilling.load(Ordering::Relaxed)
    }

    /// Answers a challenge at the mailbox, and waits until that is mined. `None` if it reverted.
    ///
    /// # Errors
    ///
    /// [`ChainAccessError::Send`] if it would revert or cannot be sent.
    pub(crate) async fn answer(
        &self,
        mailbox: Address,
        call: answerChallengeCall,
    ) -> Result<Option<B256>, ChainAccessError> {
        let call = Box::new(call);
        let transaction = Transaction::Answer { mailbox, call };
        let pending = self.send(transaction, IntentKind::Other, Vec::new());
        let pending = pending.await?;
        let nonce = pending.nonce();
        let mined = self.mined(pending).await;
        let mined = self.settled(nonce, mined).await?;
        Ok(mined.succeeded.then_some(mined.transaction))
    }

    /// Has what waits at the oracle sent to the account, and waits until that is mined.
    ///
    /// # Errors
    ///
    /// [`ChainAccessError::Send`] if it would revert or cannot be sent.
    pub(crate) async fn withdraw(&self) -> Result<B256, ChainAccessError> {
        self.complete(Transaction::Withdraw, IntentKind::Other)
            .await
    }

    /// Waits until a `fulfill` is mined, however long that takes.
    ///
    /// # Errors
    ///
    /// [`ChainAccessError::Send`] if another transaction took its nonce.
    pub(crate) async fn fulfilled(
        &self,
        pending: Box<dyn InFlight>,
    ) -> Result<Fulfilled, ChainAccessError> {
        let nonce = pending.nonce();
        let mined = self.mined(pending).await;
        self.fulfilling.fetch_sub(1, Ordering::Relaxed);
        failpoint!("after_receipt_before_persist");
        let mined = self.settled(nonce, mined).await?;
        Ok(Fulfilled {
            transaction: mined.transaction,
            events: mined.succeeded.then_some(mined.events),
        })
    }

    async fn send(
        &self,
        transaction: Transaction,
        kind: IntentKind,
        items: Vec<ResultRef>,
    ) -> Result<Box<dyn InFlight>, ChainAccessError> {
        let (store, sender) = (Arc::clone(&self.store), self.chain.address());
        let note = intent::note(store, sender, kind, items, None);
        Ok(self.chain.send(transaction, note).await?)
    }

    /// Sends a transaction and waits until it is mined. Returns its hash.
    async fn complete(
        &self,
        transaction: Transaction,
        kind: IntentKind,
    ) -> Result<B256, ChainAccessError> {
        let pending = self.send(transaction, kind, Vec::new()).await?;
        let nonce = pending.nonce();
        let mined = self.mined(pending).await;
        Ok(self.settled(nonce, mined).await?.transaction)
    }

    /// Forgets what was noted of a transaction, unless nobody knows what became of it.
    async fn settled(
        &self,
        nonce: u64,
        mined: Result<Mined, SendError>,
    ) -> Result<Mined, ChainAccessError> {
        if !matches!(mined, Err(SendError::Closed)) {
            self.forget_intents(nonce).await?;
        }
        Ok(mined?)
    }

    async fn mined(&self, mut pending: Box<dyn InFlight>) -> Result<Mined, SendError> {
        loop {
            match within(self.clock.as_ref(), PATIENCE, pending.mined()).await {
                None => warn!(nonce = pending.nonce(), "a transaction is not mined yet"),
                Some(outcome) => return outcome,
            }
        }
    }

    /// Forgets what was noted down up to a nonce that is used up.
    async fn forget_intents(&self, nonce: u64) -> Result<(), ChainAccessError> {
        let sender = self.chain.address();
        self.store.settle_intents(sender, nonce + 1).await?;
        Ok(())
    }
}

/// After this long unmined, a transaction is worth a warning.
const PATIENCE: Duration = Duration::from_secs(60);
