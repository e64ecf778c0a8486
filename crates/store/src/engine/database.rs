// SPDX-License-Identifier: Apache-2.0
//! A database's tables, and how writes reach it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    keyspaces::Keyspaces,
    rows::{Batch, Rows},
};
use crate::{Identity, StoreError};

/// Everything a store keeps, in one database.
pub(crate) struct Engine {
    pub(super) keyspaces: Keyspaces,
    pub(super) identity: Identity,
    rows: Arc<dyn Rows>,
    /// Held by writes that depend on what they read. Nothing is left half done if one panics.
    writing: Mutex<()>,
}

impl Engine {
    pub(crate) fn new(rows: Arc<dyn Rows>, identity: Identity) -> Self {
        Self {
            keyspaces: Keyspaces::new(&rows),
            identity,
            rows,
            writing: Mutex::new(()),
        }
    }

    /// Keeps other dependent writes out.
    pub(super) fn exclusive(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.rows.commit(batch)
    }
}
