// SPDX-License-Identifier: Apache-2.0
//! One keyspace with records of one type.

use std::{marker::PhantomData, ops::RangeBounds, sync::Arc};

use fjall::UserKey;
use serde::{Serialize, de::DeserializeOwned};

use super::rows::{Batch, Order, Rows, Span};
use crate::{StoreError, codec};

/// A keyspace whose values are records of type `T`.
pub(super) struct Table<T> {
    name: &'static str,
    rows: Arc<dyn Rows>,
    records: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Table<T> {
    pub(super) fn new(rows: &Arc<dyn Rows>, name: &'static str) -> Self {
        Self {
            name,
            rows: Arc::clone(rows),
            records: PhantomData,
        }
    }

    pub(super) fn read(&self, key: impl AsRef<[u8]>) -> Result<Option<T>, StoreError> {
        let value = self.rows.get(self.name, key.as_ref())?;
        value
            .map(|value| codec::decode(self.name, &value))
            .transpose()
    }

    pub(super) fn write(
        &self,
        batch: &mut Batch,
        key: impl AsRef<[u8]>,
        record: &T,
    ) -> Result<(), StoreError> {
        let value = codec::encode(self.name, record)?;
        batch.write(self.name, key.as_ref(), Some(value));
        Ok(())
    }

    pub(super) fn remove(&self, batch: &mut Batch, key: impl AsRef<[u8]>) {
        batch.write(self.name, key.as_ref(), None);
    }

    /// Removes every key in `range`; how many there were.
    pub(super) fn remove_range<K: AsRef<[u8]>>(
        &self,
        batch: &mut Batch,
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
        self.rows
            .scan(self.name, Span::new(range), Order::Ascending)
            .take(limit)
            .map(|row| codec::decode(self.name, &row?.1))
            .collect()
    }

    /// The record with the last key that begins with `prefix`.
    pub(super) fn last(&self, prefix: &[u8]) -> Result<Option<(UserKey, T)>, StoreError> {
        self.rows
            .scan(self.name, Span::prefix(prefix), Order::Descending)
            .next()
            .map(|row| self.record(row?))
            .transpose()
    }

    /// Parsed keys that begin with `prefix` and their records, ascending.
    pub(super) fn prefix<K>(
        &self,
        prefix: impl AsRef<[u8]>,
        parse: impl Fn(&[u8]) -> Option<K>,
    ) -> Result<Vec<(K, T)>, StoreError> {
        self.rows
            .scan(self.name, Span::prefix(prefix.as_ref()), Order::Ascending)
            .map(|row| {
                let (key, record) = self.record(row?)?;
                let key = parse(&key).ok_or_else(|| self.corrupt("bad key"))?;
                Ok((key, record))
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
        self.rows.keys(self.name, Span::new(range))
    }

    /// An error of this keyspace.
    pub(super) fn corrupt(&self, reason: &'static str) -> StoreError {
        StoreError::Corrupt {
            keyspace: self.name,
            reason,
        }
    }

    fn record(
        &self,
        (key, value): (UserKey, fjall::UserValue),
    ) -> Result<(UserKey, T), StoreError> {
        Ok((key, codec::decode(self.name, &value)?))
    }
}
