// SPDX-License-Identifier: Apache-2.0
//! Whether a node is ready, and what it waits for if not.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::{loading::Counts, metrics::LoadingMetrics, serving::Stage};

/// What bring-up and following say of themselves.
#[derive(Debug)]
pub(crate) struct Readiness {
    stage: Arc<Stage>,
    following: AtomicBool,
    unready: Mutex<String>,
}

impl Readiness {
    pub(crate) fn new(stage: Arc<Stage>) -> Self {
        Self {
            stage,
            following: AtomicBool::new(false),
            unready: Mutex::new("starting".to_owned()),
        }
    }

    /// Says that the chain has been followed to its tip.
    pub(crate) fn caught_up(&self) {
        self.following.store(true, Ordering::Relaxed);
    }

    /// Says what bring-up is doing, or why it fails.
    pub(crate) fn say_unready(&self, reason: impl Into<String>) {
        *self.unready.lock().unwrap_or_else(PoisonError::into_inner) = reason.into();
    }

    /// How many contracts are loaded, wait for it, or could not be, in the enclave that serves.
    pub(crate) fn contracts(&self) -> Counts {
        let serving = self.stage.now();
        serving.map_or_else(Counts::default, |serving| serving.contracts.counts())
    }

    /// Shows [`Self::contracts`] in metrics.
    pub(crate) fn measure(&self, metrics: &LoadingMetrics) {
        let counts = self.contracts();
        metrics.loaded.set(counts.loaded as f64);
        metrics.waiting.set(counts.waiting as f64);
        metrics.failed.set(counts.failed as f64);
    }

    /// Why the node is not ready; `None` if it is.
    pub(crate) fn unreadiness(&self) -> Option<String> {
        if self.stage.now().is_none() {
            let reason = self.unready.lock().unwrap_or_else(PoisonError::into_inner);
            return Some(format!("enclave: {reason}"));
        }
        if !self.following.load(Ordering::Relaxed) {
            return Some("chain: not followed to its tip yet".to_owned());
        }
        None
    }
}
