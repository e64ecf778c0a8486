// SPDX-License-Identifier: Apache-2.0
//! Counts, lengths and bytes as states and write sets encode them, and their strict reader.

use alloc::vec::Vec;

use crate::limits::MAX_ENCODED_BYTES;

/// Why bytes are not the encoding of a state or a write set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// More bytes than [`MAX_ENCODED_BYTES`].
    #[error("encoding of {0} bytes is larger than {MAX_ENCODED_BYTES}")]
    TooLarge(usize),
    /// The bytes end inside an entry.
    #[error("encoding ends early")]
    Truncated,
    /// Bytes follow the last entry.
    #[error("{0} bytes follow the last entry")]
    TrailingBytes(usize),
    /// A key of no known kind.
    #[error("unknown key tag {0}")]
    UnknownTag(u8),
    /// A change of no known kind.
    #[error("unknown change tag {0}")]
    UnknownChange(u8),
    /// A key that is not after the one before it.
    #[error("keys are not strictly ascending")]
    Unordered,
    /// A value of the wrong form.
    #[error(transparent)]
    InvalidValue(#[from] InvalidValue),
}

/// A value that its key does not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("value does not have the form its key demands")]
pub struct InvalidValue;

/// Reads an encoding from its start.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, CodecError> {
        if bytes.len() > MAX_ENCODED_BYTES {
            return Err(CodecError::TooLarge(bytes.len()));
        }
        Ok(Self(bytes))
    }

    /// Reads a part of an encoding, whose size somebody else has checked.
    pub(super) fn part(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What is not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Ends the reading: nothing may follow.
    pub(super) fn end(&self) -> Result<(), CodecError> {
        match self.0.len() {
            0 => Ok(()),
            rest => Err(CodecError::TrailingBytes(rest)),
        }
    }

    pub(super) fn count(&mut self) -> Result<u32, CodecError> {
        self.array().map(u32::from_be_bytes)
    }

    /// A value behind its length.
    pub(super) fn value(&mut self) -> Result<&'a [u8], CodecError> {
        let length = u32::from_be_bytes(self.array()?);
        let length = usize::try_from(length).map_err(|_| CodecError::Truncated)?;
        let (value, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(CodecError::Truncated)?;
        self.0 = rest;
        Ok(value)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(CodecError::Truncated)?;
        self.0 = rest;
        Ok(*array)
    }

    pub(super) fn byte(&mut self) -> Result<u8, CodecError> {
        self.array::<1>().map(|[byte]| byte)
    }
}

/// Bytes of the number of entries.
pub(super) const COUNT_BYTES: usize = 4;
/// Bytes of the length of a value.
pub(super) const LENGTH_BYTES: usize = 4;

pub(super) fn put_value(out: &mut Vec<u8>, value: &[u8]) {
    put_count(out, value.len());
    out.extend_from_slice(value);
}

/// Appends a count or length. States are bounded far below 2^32 entries and bytes.
pub(super) fn put_count(out: &mut Vec<u8>, count: usize) {
    debug_assert!(u32::try_from(count).is_ok(), "states are bounded");
    out.extend_from_slice(&(count as u32).to_be_bytes());
}
