// SPDX-License-Identifier: Apache-2.0
//! Rows in fjall's files.

use std::{collections::HashMap, path::Path};

use fjall::{
    Database, Guard, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode, UserKey,
    UserValue,
};

use crate::{
    StoreError,
    engine::{
        KEYSPACES,
        rows::{Batch, Order, Rows, Span},
    },
};

/// fjall's database, its keyspaces open.
pub(super) struct Files {
    keyspaces: HashMap<&'static str, Keyspace>,
    database: Database,
}

impl Files {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let database = Database::builder(path).open()?;
        let mut keyspaces = HashMap::new();
        for (name, large) in KEYSPACES {
            // What is written once and large is kept out of compactions.
            let separated = large.then(KvSeparationOptions::default);
            let options = || KeyspaceCreateOptions::default().with_kv_separation(separated);
            keyspaces.insert(name, database.keyspace(name, options)?);
        }
        Ok(Self {
            keyspaces,
            database,
        })
    }

    fn keyspace(&self, name: &'static str) -> Result<&Keyspace, StoreError> {
        let unknown = StoreError::Inconsistent("a keyspace that is not open");
        self.keyspaces.get(name).ok_or(unknown)
    }
}

impl Rows for Files {
    fn get(&self, keyspace: &'static str, key: &[u8]) -> Result<Option<UserValue>, StoreError> {
        Ok(self.keyspace(keyspace)?.get(key)?)
    }

    fn scan(
        &self,
        keyspace: &'static str,
        span: Span,
        order: Order,
    ) -> Box<dyn Iterator<Item = Result<(UserKey, UserValue), StoreError>> + '_> {
        let rows = match self.keyspace(keyspace) {
            Ok(keyspace) => keyspace.range((span.from, span.to)),
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let read = |row: Guard| Ok(row.into_inner()?);
        match order {
            Order::Ascending => Box::new(rows.map(read)),
            Order::Descending => Box::new(rows.rev().map(read)),
        }
    }

    fn keys(&self, keyspace: &'static str, span: Span) -> Result<Vec<UserKey>, StoreError> {
        let rows = self.keyspace(keyspace)?.range((span.from, span.to));
        rows.map(|row| Ok(row.key()?)).collect()
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mode = if batch.durable {
            PersistMode::SyncAll
        } else {
            PersistMode::Buffer
        };
        let mut writes = self.database.batch().durability(Some(mode));
        for write in batch.writes {
            let keyspace = self.keyspace(write.keyspace)?;
            match write.value {
                Some(value) => writes.insert(keyspace, write.key, value),
                None => writes.remove(keyspace, write.key),
            }
        }
        Ok(writes.commit()?)
    }
}
