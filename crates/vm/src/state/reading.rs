// SPDX-License-Identifier: Apache-2.0
//! A state's encoding in parts: written from a state that others may go on changing, and read
//! without ever being in memory as a whole.

use alloc::vec::Vec;
use core::fmt;

use super::{
    State,
    codec::{self, CodecError, Reader},
    entries::put_entry,
    key::StateKey,
    value::Value,
};
use crate::limits::MAX_ENCODED_BYTES;

/// Writes the encoding of a state, part after part.
pub struct StateWriter {
    state: State,
    next: Next,
    /// What was encoded and did not fit into the part before.
    carried: Vec<u8>,
}

/// What is encoded next.
enum Next {
    Count,
    From(StateKey),
    Nothing,
}

impl StateWriter {
    /// Starts before the first byte.
    pub fn new(state: State) -> Self {
        Self {
            state,
            next: Next::Count,
            carried: Vec::new(),
        }
    }

    /// The next `limit` bytes of [`State::encode`], or what is left of them.
    pub fn part(&mut self, limit: usize) -> Vec<u8> {
        let mut out = core::mem::take(&mut self.carried);
        out.reserve(limit.min(self.state.encoded_size()));
        if matches!(self.next, Next::Count) && out.len() < limit {
            codec::put_count(&mut out, self.state.entries.len());
            self.next = match self.state.entries.get_min() {
                Some((first, _)) => Next::From(*first),
                None => Next::Nothing,
            };
        }
        if let Next::From(first) = self.next
            && out.len() < limit
        {
            self.next = Next::Nothing;
            for (key, value) in self.state.entries.range(first..) {
                if out.len() >= limit {
                    self.next = Next::From(*key);
                    break;
                }
                put_entry(&mut out, key, value.as_slice());
            }
        }
        if matches!(self.next, Next::Nothing) {
            // What others go on changing is not held for longer than it is needed.
            self.state = State::default();
        }
        self.carried = out.split_off(limit.min(out.len()));
        out
    }
}

impl State {
    /// Reads an encoding. Only what [`encode`](State::encode) writes is accepted.
    ///
    /// # Errors
    ///
    /// [`CodecError`]. No more memory is allocated than the bytes themselves account for.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = StateReader::new();
        reader.read(bytes)?;
        reader.finish()
    }
}

/// Reads the encoding of a state, part after part.
#[derive(Default)]
pub struct StateReader {
    state: State,
    /// Entries that are still to come, once that is known.
    missing: Option<u32>,
    previous: Option<StateKey>,
    /// An entry whose end is in a later part.
    carried: Vec<u8>,
    read: usize,
}

impl StateReader {
    /// Nothing is read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// An estimate of the memory that takes which was read, bytes: [`State::memory`].
    pub fn memory(&self) -> usize {
        self.state.memory() + self.carried.len()
    }

    /// Reads what comes next.
    ///
    /// # Errors
    ///
    /// [`CodecError`]; after one, the reader is of no use. No more memory is allocated than the
    /// bytes themselves account for.
    pub fn read(&mut self, part: &[u8]) -> Result<(), CodecError> {
        self.read = self.read.saturating_add(part.len());
        if self.read > MAX_ENCODED_BYTES {
            return Err(CodecError::TooLarge(self.read));
        }
        let mut joined = core::mem::take(&mut self.carried);
        let bytes = if joined.is_empty() {
            part
        } else {
            joined.extend_from_slice(part);
            joined.as_slice()
        };
        let mut reader = Reader::part(bytes);
        loop {
            let before = reader.rest();
            match self.step(&mut reader) {
                Ok(true) => {}
                Ok(false) => return reader.end(),
                Err(CodecError::Truncated) => {
                    self.carried = before.to_vec();
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The state, if all of it was read.
    ///
    /// # Errors
    ///
    /// [`CodecError::Truncated`] if not.
    pub fn finish(self) -> Result<State, CodecError> {
        if self.missing == Some(0) && self.carried.is_empty() {
            return Ok(self.state);
        }
        Err(CodecError::Truncated)
    }

    /// Reads the count or one entry; `false` if there are no more.
    fn step(&mut self, reader: &mut Reader<'_>) -> Result<bool, CodecError> {
        let Some(missing) = self.missing else {
            self.missing = Some(reader.count()?);
            return Ok(true);
        };
        let Some(missing) = missing.checked_sub(1) else {
            return Ok(false);
        };
        let key = StateKey::read(reader)?;
        if self.previous.is_some_and(|previous| previous >= key) {
            return Err(CodecError::Unordered);
        }
        let value = reader.value()?;
        key.accepts(value)?;
        self.state.put(key, Value::new(value));
        self.previous = Some(key);
        self.missing = Some(missing);
        Ok(true)
    }
}

/// Shows nothing of the state.
impl fmt::Debug for StateWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateWriter").finish_non_exhaustive()
    }
}

/// Shows how much was read.
impl fmt::Debug for StateReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateReader")
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256};
    use proptest::prelude::*;

    use super::*;

    fn state(slots: u16, code: usize) -> State {
        let mut state = State::new();
        for slot in 0..slots {
            let key = StateKey::Storage {
                account: Address::repeat_byte((slot % 7) as u8),
                slot: B256::left_padding_from(&slot.to_be_bytes()),
            };
            state.insert(key, vec![1; 32]).unwrap();
        }
        if code > 0 {
            let code = vec![0x5b; code];
            let key = StateKey::Code(alloy_primitives::keccak256(&code));
            state.insert(key, code).unwrap();
        }
        state
    }

    proptest! {
        #[test]
        fn parts_of_any_size_are_the_encoding_and_read_as_the_state(
            slots in 0u16..200, code in 0usize..2_000, limits in proptest::collection::vec(1usize..600, 1..8),
        ) {
            let state = state(slots, code);
            let mut writer = StateWriter::new(state.clone());
            let mut reader = StateReader::new();
            let mut whole = Vec::new();
            for limit in limits.iter().cycle() {
                let part = writer.part(*limit);
                if part.is_empty() {
                    break;
                }
                prop_assert!(part.len() == *limit || whole.len() + part.len() == state.encoded_size());
                reader.read(&part).unwrap();
                whole.extend(part);
            }
            prop_assert_eq!(&whole, &state.encode());
            prop_assert!(reader.finish().unwrap() == state);
        }

        #[test]
        fn nothing_less_and_nothing_more_than_all_of_it_is_a_state(slots in 0u16..40, cut in any::<prop::sample::Index>()) {
            let bytes = state(slots, 0).encode();
            let mut reader = StateReader::new();
            reader.read(&bytes[..cut.index(bytes.len())]).unwrap();
            prop_assert!(matches!(reader.finish(), Err(CodecError::Truncated)));
            let mut reader = StateReader::new();
            reader.read(&bytes).unwrap();
            prop_assert!(reader.read(&[0]).is_err());
        }
    }

    #[test]
    fn a_writer_writes_what_the_state_was() {
        let mut state = state(100, 0);
        let before = state.encode();
        let mut writer = StateWriter::new(state.clone());
        let mut whole = writer.part(1_000);
        state.remove(&StateKey::Storage {
            account: Address::ZERO,
            slot: B256::ZERO,
        });
        whole.extend(writer.part(usize::MAX));
        assert_eq!(whole, before);
        assert_ne!(state.encode(), before);
    }
}
