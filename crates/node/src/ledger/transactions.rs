// SPDX-License-Identifier: Apache-2.0
//! The transactions a node sends, and what became of them.

use std::{sync::Arc, time::Duration};

use alloy::{
    consensus::Transaction, providers::Provider, rpc::types::TransactionReceipt, sol_types::SolCall,
};
use alloy_primitives::{Address, B256, Bytes};
use subrosa_chain::{
    ChainError,
    bindings::{
        SubrosaOracle,
        SubrosaOracle::SubrosaOracleEvents,
        SubrosaRegistry::{self, DcapRegistration},
    },
    send::{Call, Pending, SendError},
};
use subrosa_store::IntentKind;
use subrosa_types::{
    abi::{EpochOpening, Fulfillment, SignerAdmission},
    frame::ResultRef,
};
use tracing::warn;

use super::{Ledger, LedgerError, intent, oracle_event};
use crate::{failpoint::failpoint, relay::BatchEvent};

/// A transaction that was mined, whether or not it did what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mined {
    pub(crate) transaction: B256,
}

/// A `fulfill` that was mined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fulfilled {
    pub(crate) transaction: B256,
    /// What it did; `None` if it reverted.
    pub(crate) events: Option<Vec<BatchEvent>>,
}

impl Ledger {
    /// Admits a signer, and waits until that is mined.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Send`] if it would revert or cannot be sent.
    pub(crate) async fn admit(
        &self,
        admission: SignerAdmission,
        signatures: Vec<Bytes>,
    ) -> Result<Mined, LedgerError> {
        let call = SubrosaRegistry::admitCall {
            admission: admission.into(),
            signatures,
        };
        let call = Call::new(*self.registry.address(), call.abi_encode().into());
        let pending = self.send(call, IntentKind::Admit, Vec::new()).await?;
        self.mined(pending).await
    }

    /// Registers a signer by its quote, and waits until that is mined.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Send`] if it would revert or cannot be sent.
    pub(crate) async fn register_by_quote(
        &self,
        registration: DcapRegistration,
    ) -> Result<Mined, LedgerError> {
        let call = SubrosaRegistry::registerSignerDcapCall { registration };
        let call = Call::new(*self.registry.address(), call.abi_encode().into());
        let pending = self.send(call, IntentKind::Admit, Vec::new()).await?;
        self.mined(pending).await
    }

    /// Sends what prepares a registration, and waits until that is mined.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Send`] if it would revert or cannot be sent.
    pub(crate) async fn prepare(&self, call: Call) -> Result<Mined, LedgerError> {
        let pending = self.send(call, IntentKind::Other, Vec::new()).await?;
        self.mined(pending).await
    }

    /// Opens an epoch, and waits until that is mined.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Send`] if it would revert or cannot be sent.
    pub(crate) async fn open_epoch(
        &self,
        opening: &EpochOpening,
        measurement: B256,
        signer: Address,
        signature: Bytes,
    ) -> Result<Mined, LedgerError> {
        let call = SubrosaRegistry::openEpochCall {
            opening: opening.clone().into(),
            measurementId: measurement,
            signer,
            signature,
        };
        let call = Call::new(*self.registry.address(), call.abi_encode().into());
        let pending = self.send(call, IntentKind::OpenEpoch, Vec::new()).await?;
        self.mined(pending).await
    }

    /// Sends results with a given gas limit: estimating would cost the time of a round trip and
    /// know less, as callbacks need not be given all of theirs.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Send`] if it cannot be sent.
    pub(crate) async fn fulfill(
        &self,
        fulfillment: Fulfillment,
        items: Vec<ResultRef>,
        gas: u64,
    ) -> Result<Pending, LedgerError> {
        let call = SubrosaOracle::fulfillCall {
            fulfillment: fulfillment.into(),
        };
        let call = Call::new(*self.oracle.address(), call.abi_encode().into()).with_gas(gas);
        self.send(call, IntentKind::Fulfill, items).await
    }

    /// Waits until a `fulfill` is mined, however long that takes.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Send`] if another transaction took its nonce.
    pub(crate) async fn fulfilled(&self, pending: Pending) -> Result<Fulfilled, LedgerError> {
        let nonce = pending.nonce();
        let receipt = Self::receipt(pending).await;
        failpoint!("after_receipt_before_persist");
        self.forget_intents(nonce).await?;
        let receipt = receipt?;
        Ok(Fulfilled {
            transaction: receipt.transaction_hash,
            events: receipt.status().then(|| self.batch_events(&receipt)),
        })
    }

    /// What a transaction's calldata says of the results it carries; `None` unless it is a direct
    /// call of the oracle's `fulfill`.
    pub(crate) async fn carried(&self, hash: B256) -> Result<Option<Fulfillment>, LedgerError> {
        let found = self.provider.get_transaction_by_hash(hash).await;
        let Some(transaction) = found.map_err(ChainError::from)? else {
            return Ok(None);
        };
        if transaction.to() != Some(*self.oracle.address()) {
            return Ok(None);
        }
        let call = SubrosaOracle::fulfillCall::abi_decode(transaction.input());
        Ok(call.ok().map(|call| call.fulfillment.into()))
    }

    async fn send(
        &self,
        call: Call,
        kind: IntentKind,
        items: Vec<ResultRef>,
    ) -> Result<Pending, LedgerError> {
        let store = Arc::clone(&self.store);
        let record = intent::record(store, self.account(), kind, items, Vec::new());
        Ok(self.sender.send(call, record).await?)
    }

    async fn mined(&self, pending: Pending) -> Result<Mined, LedgerError> {
        let nonce = pending.nonce();
        let receipt = Self::receipt(pending).await;
        self.forget_intents(nonce).await?;
        Ok(Mined {
            transaction: receipt?.transaction_hash,
        })
    }

    async fn receipt(mut pending: Pending) -> Result<TransactionReceipt, SendError> {
        loop {
            match pending.receipt(PATIENCE).await {
                Err(SendError::Timeout { nonce }) => warn!(nonce, "a transaction is not mined yet"),
                outcome => return outcome,
            }
        }
    }

    fn batch_events(&self, receipt: &TransactionReceipt) -> Vec<BatchEvent> {
        let of_oracle = |log: &&alloy::rpc::types::Log| log.address() == *self.oracle.address();
        let logs = receipt.inner.logs().iter().filter(of_oracle);
        logs.filter_map(|log| match oracle_event(log)? {
            SubrosaOracleEvents::EntryFulfilled(event) => Some(BatchEvent::Fulfilled {
                contract: event.contractId,
                seq: u64::try_from(event.seq).ok()?,
                result: event.result,
            }),
            SubrosaOracleEvents::ItemsSkipped(event) => Some(BatchEvent::Skipped {
                contract: event.contractId,
                reason: event.reason,
            }),
            SubrosaOracleEvents::BatchEnded(_) => Some(BatchEvent::Ended),
            _ => None,
        })
        .collect()
    }
}

/// After this long unmined, a transaction is worth a warning.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
