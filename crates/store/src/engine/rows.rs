// SPDX-License-Identifier: Apache-2.0
//! What an engine asks of a database: ordered rows in named keyspaces, and atomic batches.

use std::ops::{Bound, RangeBounds};

use fjall::{UserKey, UserValue};

use crate::StoreError;

/// A database of rows, each a key and a value in a keyspace.
pub(crate) trait Rows: Send + Sync {
    /// The value under a key.
    fn get(&self, keyspace: &'static str, key: &[u8]) -> Result<Option<UserValue>, StoreError>;

    /// The rows of a span, one after the other.
    fn scan(
        &self,
        keyspace: &'static str,
        span: Span,
        order: Order,
    ) -> Box<dyn Iterator<Item = Result<(UserKey, UserValue), StoreError>> + '_>;

    /// The keys of a span, ascending, without reading the values.
    fn keys(&self, keyspace: &'static str, span: Span) -> Result<Vec<UserKey>, StoreError>;

    /// Writes all of a batch or nothing, after everything that was written before it.
    fn commit(&self, batch: Batch) -> Result<(), StoreError>;
}

/// The order of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// A range of keys.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) from: Bound<Vec<u8>>,
    pub(crate) to: Bound<Vec<u8>>,
}

impl Span {
    pub(crate) fn new<K: AsRef<[u8]>>(range: impl RangeBounds<K>) -> Self {
        let owned = |bound: Bound<&K>| bound.map(|key| key.as_ref().to_vec());
        Self {
            from: owned(range.start_bound()),
            to: owned(range.end_bound()),
        }
    }

    /// Keys that begin with `prefix`.
    pub(crate) fn prefix(prefix: &[u8]) -> Self {
        let mut after = prefix.to_vec();
        while after.pop_if(|last| *last == u8::MAX).is_some() {}
        if let Some(last) = after.last_mut() {
            *last += 1;
        }
        Self {
            from: Bound::Included(prefix.to_vec()),
            to: if after.is_empty() {
                Bound::Unbounded
            } else {
                Bound::Excluded(after)
            },
        }
    }

    /// The span as a range of rows in order.
    #[cfg(feature = "memory")]
    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (
            self.from.as_ref().map(Vec::as_slice),
            self.to.as_ref().map(Vec::as_slice),
        )
    }
}

/// Writes that happen together.
pub(crate) struct Batch {
    pub(crate) writes: Vec<Write>,
    /// Whether they must survive a power failure, and not the death of the process alone.
    pub(crate) durable: bool,
}

/// One row's new value.
pub(crate) struct Write {
    pub(crate) keyspace: &'static str,
    pub(crate) key: Vec<u8>,
    /// `None` removes the row.
    pub(crate) value: Option<Vec<u8>>,
}

impl Batch {
    pub(crate) fn new(durable: bool) -> Self {
        Self {
            writes: Vec::new(),
            durable,
        }
    }

    pub(crate) fn write(&mut self, keyspace: &'static str, key: &[u8], value: Option<Vec<u8>>) {
        self.writes.push(Write {
            keyspace,
            key: key.to_vec(),
            value,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_spans_what_begins_with_it_and_nothing_else() {
        let to = |prefix: &[u8]| Span::prefix(prefix).to;
        assert_eq!(to(&[1, 2]), Bound::Excluded(vec![1, 3]));
        assert_eq!(to(&[1, 255, 255]), Bound::Excluded(vec![2]));
        assert_eq!(to(&[255, 255]), Bound::Unbounded);
        assert_eq!(to(&[]), Bound::Unbounded);
    }
}
