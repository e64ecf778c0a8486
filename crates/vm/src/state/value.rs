// SPDX-License-Identifier: Apache-2.0
//! A value as a state keeps it.

use alloc::sync::Arc;
use core::fmt;

/// Words and nothing, which are nearly all values there are, need no allocation of their own: what a
/// clone of the state shares is copied once it is written to, and with it the values beside.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Value {
    Empty,
    Word([u8; 32]),
    Other(Arc<[u8]>),
}

impl Value {
    pub(super) fn new(bytes: &[u8]) -> Self {
        match <[u8; 32]>::try_from(bytes) {
            Ok(word) => Self::Word(word),
            Err(_) if bytes.is_empty() => Self::Empty,
            Err(_) => Self::Other(bytes.into()),
        }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Empty => &[],
            Self::Word(word) => word,
            Self::Other(bytes) => bytes,
        }
    }
}

/// Shows its length; never the value.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} bytes)", self.as_slice().len())
    }
}
