// SPDX-License-Identifier: Apache-2.0
//! What an execution changes.

use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;

use alloy_primitives::{Address, B256, U256, keccak256};

use super::{
    account::AccountRecord,
    codec::{self, CodecError, InvalidValue, put_value},
    entries::read_entries,
    key::StateKey,
};

/// Changes to a [`State`](super::State), sorted by key. `None` takes an entry away.
///
/// What a [`Vm`](crate::Vm) returns holds real changes only: no value that was there already, no
/// removal of what was not there.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct WriteSet(BTreeMap<StateKey, Option<Vec<u8>>>);

impl WriteSet {
    /// No changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `value` under `key`, in the place of an earlier change.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] if `key` does not accept it; nothing is changed.
    pub fn insert(&mut self, key: StateKey, value: Vec<u8>) -> Result<(), InvalidValue> {
        key.accepts(&value)?;
        self.0.insert(key, Some(value));
        Ok(())
    }

    /// Takes away what is under `key`, in the place of an earlier change.
    pub fn remove(&mut self, key: StateKey) {
        self.0.insert(key, None);
    }

    /// Makes a storage slot hold `value`; zero takes the entry away.
    pub fn set_storage(&mut self, account: Address, slot: B256, value: U256) {
        let value = (!value.is_zero()).then(|| value.to_be_bytes_vec());
        self.0.insert(StateKey::Storage { account, slot }, value);
    }

    /// Makes `record` the account at `address`; an empty one, or none, takes the entry away.
    pub fn set_account(&mut self, address: Address, record: Option<AccountRecord>) {
        let record = record.filter(|record| !record.is_empty());
        self.0
            .insert(StateKey::Account(address), record.map(|r| r.encode()));
    }

    /// Puts code under its hash. Empty code has no entry.
    pub fn add_code(&mut self, code: Vec<u8>) {
        if !code.is_empty() {
            self.0.insert(StateKey::Code(keccak256(&code)), Some(code));
        }
    }

    /// The change to `key`, if there is one.
    pub fn get(&self, key: &StateKey) -> Option<Option<&[u8]>> {
        self.0.get(key).map(Option::as_deref)
    }

    /// Every change in canonical order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&StateKey, Option<&[u8]>)> {
        self.0.iter().map(|(key, value)| (key, value.as_deref()))
    }

    /// Number of changes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of [`encode`](Self::encode).
    pub fn encoded_size(&self) -> usize {
        let change = |(key, value): (&StateKey, &Option<Vec<u8>>)| {
            let value = value
                .as_ref()
                .map_or(0, |value| codec::LENGTH_BYTES + value.len());
            key.encoded_size() + 1 + value
        };
        codec::COUNT_BYTES + self.0.iter().map(change).sum::<usize>()
    }

    /// The canonical encoding: number of changes (4 bytes), then for each, in order, its key and
    /// either 0, or 1 with the length of the value (4 bytes) and the value. Integers are
    /// big-endian.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_size());
        codec::put_count(&mut out, self.0.len());
        for (key, value) in &self.0 {
            key.encode_into(&mut out);
            match value {
                None => out.push(REMOVE),
                Some(value) => {
                    out.push(PUT);
                    put_value(&mut out, value);
                }
            }
        }
        out
    }

    /// Reads an encoding. Only what [`encode`](Self::encode) writes is accepted.
    ///
    /// # Errors
    ///
    /// [`CodecError`]. No more memory is allocated than the bytes themselves account for.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut writes = Self::default();
        read_entries(bytes, |reader, key| {
            match reader.byte()? {
                REMOVE => writes.remove(key),
                PUT => writes.insert(key, reader.value()?.to_vec())?,
                tag => return Err(CodecError::UnknownChange(tag)),
            }
            Ok(())
        })?;
        Ok(writes)
    }

    /// keccak256 of the encoding.
    pub fn hash(&self) -> B256 {
        keccak256(self.encode())
    }
}

/// Shows how many changes; never which.
impl fmt::Debug for WriteSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriteSet({} changes)", self.0.len())
    }
}

const REMOVE: u8 = 0;
const PUT: u8 = 1;
