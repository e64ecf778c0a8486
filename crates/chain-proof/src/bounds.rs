// SPDX-License-Identifier: Apache-2.0
//! Bounds that are checked before anything is decoded.

pub use subrosa_types::frame::{MAX_ANCESTORS, MAX_NODES};

/// Longest header, bytes of RLP. Ethereum's are about 650; the rest is room for the validators
/// and seals that BFT chains keep in the extra data.
pub const MAX_HEADER_BYTES: usize = 4096;

/// Longest node, bytes. A full branch has 532, a leaf of an account fewer.
pub const MAX_NODE_BYTES: usize = 1024;
