// SPDX-License-Identifier: Apache-2.0
//! A database, its keyspaces, and how writes reach it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fjall::{Database, PersistMode};

use super::keyspaces::Keyspaces;
use crate::{Identity, StoreError};

/// Everything a store keeps, in one database.
pub(crate) struct Engine {
    pub(super) keyspaces: Keyspaces,
    pub(super) identity: Identity,
    database: Database,
    /// Held by writes that depend on what they read. Nothing is left half done if one panics.
    writing: Mutex<()>,
}

impl Engine {
    pub(crate) fn new(database: Database, identity: Identity) -> Result<Self, StoreError> {
        Ok(Self {
            keyspaces: Keyspaces::open(&database)?,
            identity,
            database,
            writing: Mutex::new(()),
        })
    }

    /// Keeps other dependent writes out.
    pub(super) fn exclusive(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A write that survives the process.
    pub(super) fn batch(&self) -> fjall::OwnedWriteBatch {
        self.database.batch().durability(Some(PersistMode::Buffer))
    }

    /// A write that survives a power failure.
    pub(super) fn durable_batch(&self) -> fjall::OwnedWriteBatch {
        self.database.batch().durability(Some(PersistMode::SyncAll))
    }
}
