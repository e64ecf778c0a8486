// SPDX-License-Identifier: Apache-2.0
//! The list of keys, each with something behind it, that states and write sets are encoded as.

use alloc::vec::Vec;

use super::{
    codec::{CodecError, LENGTH_BYTES, Reader, put_value},
    key::StateKey,
};

/// Reads a count and that many entries, giving each key to `entry`, which reads the rest. Keys
/// must ascend, and nothing may follow.
pub(super) fn read_entries(
    bytes: &[u8],
    mut entry: impl FnMut(&mut Reader<'_>, StateKey) -> Result<(), CodecError>,
) -> Result<(), CodecError> {
    let mut reader = Reader::new(bytes)?;
    let mut previous = None;
    for _ in 0..reader.count()? {
        let key = StateKey::read(&mut reader)?;
        if previous.is_some_and(|previous| previous >= key) {
            return Err(CodecError::Unordered);
        }
        previous = Some(key);
        entry(&mut reader, key)?;
    }
    reader.end()
}

/// Bytes that an entry adds to a state's encoding.
pub(super) fn entry_size(key: &StateKey, value: &[u8]) -> usize {
    key.encoded_size() + LENGTH_BYTES + value.len()
}

pub(super) fn put_entry(out: &mut Vec<u8>, key: &StateKey, value: &[u8]) {
    key.encode_into(out);
    put_value(out, value);
}
