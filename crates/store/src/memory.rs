// SPDX-License-Identifier: Apache-2.0
//! A store in memory, whose disk can fail: for tests and simulations.

use std::{
    collections::BTreeMap,
    io, iter,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fjall::{UserKey, UserValue};

use crate::{
    Identity, StoreError,
    calls::Calls,
    engine::{
        Engine,
        rows::{Batch, Order, Rows, Span},
    },
};

/// A store on a [`Disk`]. It waits for nothing: its futures are ready when first polled.
pub struct Memory {
    engine: Engine,
}

impl Memory {
    /// Opens the store that is on `disk`. One that was opened before fails from now on, as if its
    /// process had died.
    pub fn open(disk: &Disk, identity: Identity) -> Self {
        let opening = disk.next_opening();
        let open = Open {
            disk: disk.clone(),
            opening,
        };
        Self {
            engine: Engine::new(Arc::new(open), identity),
        }
    }
}

impl Calls for Memory {
    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        work(&self.engine)
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

/// What outlives a [`Memory`], and what befalls it. A clone is the same disk.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    rows: BTreeMap<&'static str, BTreeMap<Vec<u8>, UserValue>>,
    /// What the rows that changed since the last durable write were before, oldest first.
    undo: Vec<(&'static str, Vec<u8>, Option<UserValue>)>,
    /// Number of the opening that may use the disk.
    opening: u64,
    fails_next_write: bool,
}

impl Disk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another disk with what is on this one now.
    pub fn copy(&self) -> Self {
        let contents = self.contents();
        Self(Arc::new(Mutex::new(Contents {
            rows: contents.rows.clone(),
            undo: contents.undo.clone(),
            ..Contents::default()
        })))
    }

    /// Takes back every write after the last durable one. What is open fails from now on.
    pub fn cut_power(&self) {
        let mut contents = self.contents();
        for (keyspace, key, before) in std::mem::take(&mut contents.undo).into_iter().rev() {
            contents.set(keyspace, key, before);
        }
        contents.opening += 1;
    }

    /// Lets the next write fail, and everything after it until the store is opened again. Nothing
    /// of that write is kept.
    pub fn fail_next_write(&self) {
        self.contents().fails_next_write = true;
    }

    fn next_opening(&self) -> u64 {
        let mut contents = self.contents();
        contents.opening += 1;
        contents.opening
    }

    /// Nothing is left half done if a holder panics.
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn set(
        &mut self,
        keyspace: &'static str,
        key: Vec<u8>,
        value: Option<UserValue>,
    ) -> Option<UserValue> {
        let rows = self.rows.entry(keyspace).or_default();
        match value {
            Some(value) => rows.insert(key, value),
            None => rows.remove(&key),
        }
    }

    /// The first row of a span in an order.
    fn first(
        &self,
        keyspace: &'static str,
        span: &Span,
        order: Order,
    ) -> Option<(Vec<u8>, UserValue)> {
        let mut rows = self.rows.get(keyspace)?.range::<[u8], _>(span.bounds());
        let (key, value) = match order {
            Order::Ascending => rows.next(),
            Order::Descending => rows.next_back(),
        }?;
        Some((key.clone(), value.clone()))
    }
}

/// One opening of a disk.
struct Open {
    disk: Disk,
    opening: u64,
}

impl Open {
    fn contents(&self) -> Result<MutexGuard<'_, Contents>, StoreError> {
        let contents = self.disk.contents();
        if contents.opening == self.opening {
            Ok(contents)
        } else {
            Err(failed("the disk is gone"))
        }
    }
}

impl Rows for Open {
    fn get(&self, keyspace: &'static str, key: &[u8]) -> Result<Option<UserValue>, StoreError> {
        let contents = self.contents()?;
        let rows = contents.rows.get(keyspace);
        Ok(rows.and_then(|rows| rows.get(key)).cloned())
    }

    fn scan(
        &self,
        keyspace: &'static str,
        mut span: Span,
        order: Order,
    ) -> Box<dyn Iterator<Item = Result<(UserKey, UserValue), StoreError>> + '_> {
        Box::new(iter::from_fn(move || {
            let contents = match self.contents() {
                Ok(contents) => contents,
                Err(error) => return Some(Err(error)),
            };
            let (key, value) = contents.first(keyspace, &span, order)?;
            let passed = Bound::Excluded(key.clone());
            match order {
                Order::Ascending => span.from = passed,
                Order::Descending => span.to = passed,
            }
            Some(Ok((key.into(), value)))
        }))
    }

    fn keys(&self, keyspace: &'static str, span: Span) -> Result<Vec<UserKey>, StoreError> {
        self.scan(keyspace, span, Order::Ascending)
            .map(|row| Ok(row?.0))
            .collect()
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut contents = self.contents()?;
        if std::mem::take(&mut contents.fails_next_write) {
            contents.opening += 1;
            return Err(failed("the write failed"));
        }
        for write in batch.writes {
            let value = write.value.map(UserValue::from);
            let before = contents.set(write.keyspace, write.key.clone(), value);
            contents.undo.push((write.keyspace, write.key, before));
        }
        if batch.durable {
            contents.undo.clear();
        }
        Ok(())
    }
}

fn failed(what: &'static str) -> StoreError {
    StoreError::Engine(Box::new(io::Error::other(what)))
}
