// SPDX-License-Identifier: Apache-2.0
//! What every method works with.

use std::{future::Future, sync::Arc};

use subrosa_store::Storage;
use tokio::sync::Semaphore;

use super::error::RpcError;
use crate::{
    chain::Chain, clock::Clock, serving::Stage, settings::Settings, signals::Executors,
    stops::Stops, verifier::Verifier,
};

/// What every method works with.
pub(crate) struct Context {
    pub(crate) settings: Arc<Settings>,
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) store: Arc<dyn Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stage: Arc<Stage>,
    pub(crate) executors: Arc<Executors>,
    pub(crate) stops: Arc<Stops>,
    /// `None`: clients appraise the evidence.
    pub(crate) verifier: Option<Arc<Verifier>>,
    /// Calls that may wait for the enclave or the verifier at once.
    pub(crate) waiting: Semaphore,
}

impl Context {
    /// Waits for an answer of the enclave or the verifier, if not too many calls do already.
    pub(super) async fn wait_for<T>(&self, answer: impl Future<Output = T>) -> Result<T, RpcError> {
        let _place = self.waiting.try_acquire().map_err(|_| RpcError::Busy)?;
        Ok(answer.await)
    }

    /// Refuses an envelope that no client would send.
    pub(super) fn check_envelope(&self, envelope: &[u8]) -> Result<(), RpcError> {
        if envelope.len() > MAX_ENVELOPE_BYTES {
            return Err(RpcError::EnvelopeTooLarge {
                bytes: envelope.len(),
                most: MAX_ENVELOPE_BYTES,
            });
        }
        Ok(())
    }
}

/// Largest envelope of a deployment or a query, bytes.
pub(crate) const MAX_ENVELOPE_BYTES: usize = 1 << 20;
