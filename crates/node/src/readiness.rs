// SPDX-License-Identifier: Apache-2.0
//! Whether a node is ready, and what it waits for if not.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::serving::Stage;

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
