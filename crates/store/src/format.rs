// SPDX-License-Identifier: Apache-2.0
//! What is laid down about the bytes that are stored.

/// Layout of a store's directory, keyspaces and keys.
pub const FORMAT_VERSION: u32 = 1;

/// First byte of every stored value.
pub const RECORD_VERSION: u8 = 1;

/// Longest stored value, bytes: what fits a frame between host and enclave.
pub const MAX_RECORD_BYTES: usize = subrosa_types::frame::MAX_FRAME_BYTES;
