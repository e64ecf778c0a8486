// SPDX-License-Identifier: Apache-2.0
//! A contract's state, the same for every engine.

mod account;
mod codec;
mod entries;
mod holder;
mod kept;
mod key;
mod reading;
mod value;
mod write_set;

use alloc::vec::Vec;
use core::fmt;

use alloy_primitives::{Address, B256};
use imbl::OrdMap;

pub use account::AccountRecord;
pub use codec::{CodecError, InvalidValue};
pub use holder::Holder;
pub use kept::Share;
pub use key::StateKey;
pub use reading::{StateReader, StateWriter};
pub use write_set::WriteSet;

use entries::{entry_size, put_entry};
use kept::Kept;
use value::Value;

/// Version of the encodings of [`State`] and [`WriteSet`], for the header of what seals them.
pub const CODEC_VERSION: u8 = 1;

/// Everything a confidential contract remembers: its accounts, code and storage, the envelopes it
/// has seen and the sessions opened by some. Values are well-formed by construction ([`StateKey::accepts`]).
///
/// A clone shares what both have and costs nothing, whatever the size: queries read and snapshots are
/// sealed from one while execution goes on with the other.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct State {
    entries: OrdMap<StateKey, Value>,
    size: usize,
    kept: Kept,
}

impl State {
    /// An empty state.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value under `key`.
    pub fn get(&self, key: &StateKey) -> Option<&[u8]> {
        self.entries.get(key).map(Value::as_slice)
    }

    /// Whether there is a value under `key`.
    pub fn contains(&self, key: &StateKey) -> bool {
        self.entries.contains_key(key)
    }

    /// Puts `value` under `key`, in the place of what was there.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] if `key` does not accept it; the state is unchanged.
    pub fn insert(&mut self, key: StateKey, value: Vec<u8>) -> Result<(), InvalidValue> {
        key.accepts(&value)?;
        self.put(key, Value::new(&value));
        Ok(())
    }

    /// Takes away what is under `key`.
    pub fn remove(&mut self, key: &StateKey) {
        if *key == StateKey::Kept {
            return self.forget_kept();
        }
        if let Some(value) = self.entries.remove(key) {
            let size = entry_size(key, value.as_slice());
            self.size -= size;
            self.kept.remove(key, size);
        }
    }

    /// Makes the changes in `writes`.
    pub fn apply(&mut self, writes: &WriteSet) {
        for (key, value) in writes.iter() {
            match value {
                Some(value) => self.put(*key, Value::new(value)),
                None => self.remove(key),
            }
        }
    }

    /// Every entry in canonical order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&StateKey, &[u8])> {
        self.entries
            .iter()
            .map(|(key, value)| (key, value.as_slice()))
    }

    /// The envelopes seen whose expiry (Unix seconds) is before `now`, in order of expiry. Such an
    /// envelope no longer opens, so it need not be remembered.
    pub fn seen_expired(&self, now: u64) -> impl Iterator<Item = StateKey> + '_ {
        let end = seen(now, Address::ZERO, 0);
        self.entries
            .range(seen(0, Address::ZERO, 0)..end)
            .map(|(key, _)| *key)
    }

    /// Every envelope seen, in order of expiry.
    pub fn seen(&self) -> impl Iterator<Item = StateKey> + '_ {
        let last = seen(u64::MAX, Address::repeat_byte(0xff), 0xff);
        self.entries
            .range(seen(0, Address::ZERO, 0)..=last)
            .map(|(key, _)| *key)
    }

    /// How many envelopes are remembered.
    pub fn seen_count(&self) -> usize {
        self.seen().count()
    }

    /// The open sessions, oldest first: the position of the entry that opened each, whose it is,
    /// and its value.
    pub fn sessions(&self) -> impl DoubleEndedIterator<Item = (u64, Holder, &[u8])> {
        let nobody = Holder::new(Address::ZERO, B256::ZERO);
        let first = StateKey::Session {
            seq: 0,
            holder: nobody,
        };
        self.entries
            .range(first..)
            .filter_map(|(key, value)| match key {
                StateKey::Session { seq, holder } => Some((*seq, *holder, value.as_slice())),
                _ => None,
            })
    }

    /// How many envelopes of `holder` are remembered, expired ones among them.
    pub fn envelopes_of(&self, holder: &Holder) -> usize {
        self.kept.envelopes_of(holder)
    }

    /// The open sessions of `holder`, oldest first: the positions of the entries that opened them.
    pub fn sessions_of(&self, holder: &Holder) -> Vec<u64> {
        self.kept.sessions_of(holder)
    }

    /// How much is remembered for all the holders behind `requester`.
    pub fn share_of(&self, requester: Address) -> Share {
        self.kept.share_of(requester)
    }

    /// The account at `address`, if there is one.
    pub fn account(&self, address: Address) -> Option<AccountRecord> {
        AccountRecord::decode(self.get(&StateKey::Account(address))?)
    }

    /// Every account, in order of address.
    pub fn accounts(&self) -> impl Iterator<Item = (Address, AccountRecord)> + '_ {
        let first = StateKey::Account(Address::ZERO);
        let last = StateKey::Account(Address::repeat_byte(0xff));
        let entries = self.entries.range(first..=last);
        entries.filter_map(|(key, value)| match key {
            StateKey::Account(address) => {
                Some((*address, AccountRecord::decode(value.as_slice())?))
            }
            _ => None,
        })
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of [`encode`](Self::encode).
    pub fn encoded_size(&self) -> usize {
        codec::COUNT_BYTES + self.size
    }

    /// Bytes of envelopes seen and of sessions in the encoding. They have a budget of their own: what
    /// strangers send a contract takes no room from what it stores.
    pub fn kept_size(&self) -> usize {
        self.kept.bytes()
    }

    /// Bytes of everything else, which is the guest's doing.
    pub fn guest_size(&self) -> usize {
        self.encoded_size() - self.kept_size()
    }

    /// What [`guest_size`](Self::guest_size) would be after `writes`, which are a guest's.
    pub fn guest_size_after(&self, writes: &WriteSet) -> usize {
        self.encoded_size_after(writes) - self.kept_size()
    }

    /// What [`encoded_size`](Self::encoded_size) would be after `writes`.
    pub fn encoded_size_after(&self, writes: &WriteSet) -> usize {
        let mut size = self.encoded_size();
        for (key, value) in writes.iter() {
            if *key == StateKey::Kept {
                size -= self.kept.bytes();
            }
            if let Some(old) = self.get(key) {
                size -= entry_size(key, old);
            }
            if let Some(new) = value {
                size += entry_size(key, new);
            }
        }
        size
    }

    /// The canonical encoding: number of entries (4 bytes), then for each, in order, its key, the
    /// length of its value (4 bytes) and its value. Integers are big-endian.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_size());
        codec::put_count(&mut out, self.entries.len());
        for (key, value) in &self.entries {
            put_entry(&mut out, key, value.as_slice());
        }
        out
    }

    /// An estimate of the memory it takes, bytes. What clones share is counted for each.
    pub fn memory(&self) -> usize {
        // Nodes of the tree are half full at worst.
        let outside = self
            .size
            .saturating_sub(self.entries.len() * LEAST_ENTRY_BYTES);
        2 * self.entries.len() * size_of::<(StateKey, Value)>() + outside
    }

    fn forget_kept(&mut self) {
        let sessions = self
            .sessions()
            .map(|(seq, holder, _)| StateKey::Session { seq, holder });
        let kept: Vec<StateKey> = self.seen().chain(sessions).collect();
        for key in &kept {
            self.remove(key);
        }
    }

    fn put(&mut self, key: StateKey, value: Value) {
        let size = entry_size(&key, value.as_slice());
        if let Some(old) = self.entries.insert(key, value) {
            let size = entry_size(&key, old.as_slice());
            self.size -= size;
            self.kept.remove(&key, size);
        }
        self.size += size;
        self.kept.add(&key, size);
    }
}

/// A key of the range of envelopes seen, between all others.
fn seen(expiry: u64, account: Address, id: u8) -> StateKey {
    StateKey::Seen {
        expiry,
        holder: Holder {
            requester: account,
            user: account,
        },
        id: [id; 16],
    }
}

/// Encoding of an entry whose value takes no memory of its own.
const LEAST_ENTRY_BYTES: usize = 1 + 20 + 32 + codec::LENGTH_BYTES + 32;

/// Shows sizes; never what is stored.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("entries", &self.entries.len())
            .field("encoded_size", &self.encoded_size())
            .finish()
    }
}

#[cfg(test)]
mod tests;
