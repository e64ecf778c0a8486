// SPDX-License-Identifier: Apache-2.0
//! The two kinds of state blob.

/// Which part of a state a blob holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum StateKind {
    /// What one execution changed.
    Delta = 1,
    /// The whole state.
    Snapshot = 2,
}
