// SPDX-License-Identifier: Apache-2.0
//! Which epoch of which key group.

use core::fmt;

/// An epoch of a key group: which secret is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochId {
    /// The key group: enclaves that share secrets.
    pub group: u32,
    /// The epoch within the group.
    pub epoch: u32,
}

impl fmt::Display for EpochId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key group {}, epoch {}", self.group, self.epoch)
    }
}
