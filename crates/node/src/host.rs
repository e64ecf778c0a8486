// SPDX-License-Identifier: Apache-2.0
//! What the components share.

use std::sync::{Arc, Mutex, PoisonError};

use alloy_primitives::{B256, b256};
use subrosa_store::{Storage, StoreError};
use subrosa_types::{ContractId, abi::EnclaveConfig, frame::HeaderFrame};
use tokio::sync::{Notify, RwLock, watch};

use crate::{
    config::Config, execute::Executors, latency::Latency, ledger::Ledger, metrics::Metrics,
    relay::Offers, serving::Serving, verifier::Verifier,
};

/// The parts of a running node, and the signals between them.
///
/// Entries flow from the follower to the store, from the store through the executors back to the
/// store, and from there through the relay onto the chain. Every arrow is a wake-up without
/// content: whoever wakes reads the store, so a lost or doubled wake-up costs nothing but time.
pub(crate) struct Host {
    pub(crate) config: Config,
    pub(crate) enclave_config: EnclaveConfig,
    pub(crate) config_hash: B256,
    pub(crate) store: Arc<dyn Storage>,
    pub(crate) ledger: Ledger,
    /// `None`: the chain admits the signer by its quote, and clients appraise the evidence.
    pub(crate) verifier: Option<Verifier>,
    pub(crate) executors: Executors,
    pub(crate) latency: Latency,
    pub(crate) metrics: Metrics,
    /// Contracts that may have results to send.
    pub(crate) offers: Offers,
    /// A recent header that some proof started at, for signatures to be anchored to.
    anchor: Mutex<Option<(u64, HeaderFrame)>>,
    /// The registry refused the signer that serves.
    pub(crate) distrusted: Notify,
    /// Held for writing while the store is rewound, for reading while entries read from it are
    /// executed and their results stored. Counts rewinds.
    pub(crate) rewinds: RwLock<u64>,
    serving: watch::Sender<Option<Arc<Serving>>>,
    following: watch::Sender<bool>,
    unready: Mutex<String>,
}

impl Host {
    pub(crate) fn new(
        config: Config,
        enclave_config: EnclaveConfig,
        store: Arc<dyn Storage>,
        ledger: Ledger,
        verifier: Option<Verifier>,
        metrics: Metrics,
    ) -> Self {
        Self {
            config_hash: enclave_config.hash(),
            config,
            enclave_config,
            store,
            ledger,
            verifier,
            executors: Executors::default(),
            latency: Latency::default(),
            metrics,
            offers: Offers::default(),
            anchor: Mutex::new(None),
            distrusted: Notify::new(),
            rewinds: RwLock::new(0),
            serving: watch::Sender::new(None),
            following: watch::Sender::new(false),
            unready: Mutex::new("starting".to_owned()),
        }
    }

    /// The enclave that serves, now and after each change.
    pub(crate) fn serving(&self) -> watch::Receiver<Option<Arc<Serving>>> {
        self.serving.subscribe()
    }

    /// The enclave that serves at the moment.
    pub(crate) fn serving_now(&self) -> Option<Arc<Serving>> {
        self.serving.borrow().clone()
    }

    /// Announces an enclave that serves, or that none does.
    pub(crate) fn serve(&self, serving: Option<Arc<Serving>>) {
        self.metrics
            .bringup
            .serving
            .set(if serving.is_some() { 1.0 } else { 0.0 });
        self.serving.send_replace(serving);
    }

    /// Says that the chain has been followed to its tip.
    pub(crate) fn caught_up(&self) {
        self.following
            .send_if_modified(|following| !std::mem::replace(following, true));
    }

    /// Says what bring-up is doing, or why it fails.
    pub(crate) fn say_unready(&self, reason: impl Into<String>) {
        *self.unready.lock().unwrap_or_else(PoisonError::into_inner) = reason.into();
    }

    /// Why the node is not ready; `None` if it is.
    pub(crate) fn unreadiness(&self) -> Option<String> {
        if self.serving.borrow().is_none() {
            let reason = self.unready.lock().unwrap_or_else(PoisonError::into_inner);
            return Some(format!("enclave: {reason}"));
        }
        if !*self.following.borrow() {
            return Some("chain: not followed to its tip yet".to_owned());
        }
        None
    }

    /// Tells the relay that a contract may have results to send.
    pub(crate) fn offer(&self, contract: ContractId) {
        self.offers.offer(contract);
    }

    /// Keeps a header of the chain's tip; later ones replace it.
    pub(crate) fn saw_header(&self, number: u64, header: &HeaderFrame) {
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        if anchor.as_ref().is_none_or(|(known, _)| *known < number) {
            *anchor = Some((number, header.clone()));
        }
    }

    /// The latest header that was kept, with its number.
    pub(crate) fn anchor(&self) -> Option<(u64, HeaderFrame)> {
        self.anchor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Drops the header that was kept: it may not be the chain's any more.
    pub(crate) fn forget_anchor(&self) {
        *self.anchor.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Runs a durable write where waiting for the disk holds nobody up.
    ///
    /// # Errors
    ///
    /// What the write fails with.
    pub(crate) async fn durably<T: Send + 'static>(
        &self,
        write: impl FnOnce(&dyn Storage) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(&self.store);
        match tokio::task::spawn_blocking(move || write(store.as_ref())).await {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// Whether a contract's entries stand alone. Its second entry tells: only there do the digests
    /// of a stateful log begin to chain. With no second entry it makes no difference yet.
    ///
    /// # Errors
    ///
    /// What the store fails with.
    pub(crate) fn is_stateless(&self, contract: ContractId) -> Result<bool, StoreError> {
        let second = self.store.entry(contract, 1)?;
        Ok(second.is_some_and(|second| second.logged.entry.is_stateless()))
    }

    /// Whether evidence of the enclave that serves roots in the development root.
    pub(crate) fn is_development(&self) -> bool {
        match self.serving_now() {
            Some(serving) => serving.started.root_id == DEVELOPMENT_ROOT_ID,
            None => self
                .enclave_config
                .evidenceRoots
                .contains(&DEVELOPMENT_ROOT_ID),
        }
    }
}

/// Id of the root that vouches for the software TEE: anyone can make evidence under it.
pub(crate) const DEVELOPMENT_ROOT_ID: B256 =
    b256!("0x5f18a1e34e91ef9649743f423dd57387014bf3e60ca49f7b51d8adfbcf70bfc4");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_development_root_is_the_one_of_the_software_tee() {
        assert_eq!(DEVELOPMENT_ROOT_ID.0, subrosa_tee::DEVELOPMENT_ROOT_ID);
    }
}
