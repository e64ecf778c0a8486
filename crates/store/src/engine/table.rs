// SPDX-License-Identifier: Apache-2.0
//! One keyspace with records of one type.

use std::{marker::PhantomData, ops::RangeBounds};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, UserKey};
use serde::{Serialize, de::DeserializeOwned};

use crate::{StoreError, codec};

/// A keyspace whose values are records of type `T`.
pub(super) struct Table<T> {
    name: &'static str,
    keyspace: Keyspace,
    records: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Table<T> {
    pub(super) fn open(
        database: &Database,
        name: &'static str,
        options: impl FnOnce() -> KeyspaceCreateOptions,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            name,
            keyspace: database.keyspace(name, options)?,
            records: PhantomData,
        })
    }

    pub(super) fn read(&self, key: impl AsRef<[u8]>) -> Result<Option<T>, StoreError> {
        let value = self.keyspace.get(key)?;
        value
            .map(|value| codec::decode(self.name, &value))
            .transpose()
    }

    pub(super) fn write(
        &self,
        batch: &mut OwnedWriteBatch,
        key: impl AsRef<[u8]>,
        record: &T,
    ) -> Result<(), StoreError> {
        let value = codec::encode(self.name, record)?;
        batch.insert(&self.keyspace, key.as_ref(), value);
        Ok(())
    }

    pub(super) fn remove(&self, batch: &mut OwnedWriteBatch, key: impl AsRef<[u8]>) {
        batch.remove(&self.keyspace, key.as_ref());
    }

    /// Removes every key in `range`; how many there were.
    pub(super) fn remove_range<K: AsRef<[u8]>>(
        &self,
        batch: &mut OwnedWriteBatch,
        range: impl RangeBounds<K>,
    ) -> Result<usize, StoreError> {
        let keys = self.range_keys(range)?;
        for key in &keys {
            self.remove(batch, key);
        }
        Ok(keys.len())
    }

    /// At most `limit` records with keys in `range`, ascending.
    pub(super) fn scan<K: AsRef<[u8]>>(
        &self,
        range: impl RangeBounds<K>,
        limit: usize,
    ) -> Result<Vec<T>, StoreError> {
        self.keyspace
            .range(range)
            .take(limit)
            .map(|pair| codec::decode(self.name, &pair.value()?))
            .collect()
    }

    /// Keys and records in `range`, descending.
    pub(super) fn descending<K: AsRef<[u8]>>(
        &self,
        range: impl RangeBounds<K>,
    ) -> impl Iterator<Item = Result<(UserKey, T), StoreError>> {
        self.keyspace.range(range).rev().map(|pair| {
            let (key, value) = pair.into_inner()?;
            Ok((key, codec::decode(self.name, &value)?))
        })
    }

    /// The record with the last key that begins with `prefix`.
    pub(super) fn last(&self, prefix: &[u8]) -> Result<Option<(UserKey, T)>, StoreError> {
        let Some(pair) = self.keyspace.prefix(prefix).next_back() else {
            return Ok(None);
        };
        let (key, value) = pair.into_inner()?;
        Ok(Some((key, codec::decode(self.name, &value)?)))
    }

    /// Parsed keys that begin with `prefix` and their records, ascending.
    pub(super) fn prefix<K>(
        &self,
        prefix: impl AsRef<[u8]>,
        parse: impl Fn(&[u8]) -> Option<K>,
    ) -> Result<Vec<(K, T)>, StoreError> {
        self.keyspace
            .prefix(prefix)
            .map(|pair| {
                let (key, value) = pair.into_inner()?;
                let key = parse(&key).ok_or_else(|| self.corrupt("bad key"))?;
                Ok((key, codec::decode(self.name, &value)?))
            })
            .collect()
    }

    /// All keys, parsed, ascending.
    pub(super) fn keys<K>(&self, parse: impl Fn(&[u8]) -> Option<K>) -> Result<Vec<K>, StoreError> {
        self.range_keys::<&[u8]>(..)?
            .iter()
            .map(|key| parse(key).ok_or_else(|| self.corrupt("bad key")))
            .collect()
    }

    /// All keys in `range`, ascending.
    pub(super) fn range_keys<K: AsRef<[u8]>>(
        &self,
        range: impl RangeBounds<K>,
    ) -> Result<Vec<UserKey>, StoreError> {
        let keys = self.keyspace.range(range).map(|pair| Ok(pair.key()?));
        keys.collect()
    }

    /// An error of this keyspace.
    pub(super) fn corrupt(&self, reason: &'static str) -> StoreError {
        StoreError::Corrupt {
            keyspace: self.name,
            reason,
        }
    }
}
