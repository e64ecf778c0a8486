// SPDX-License-Identifier: Apache-2.0
//! Bounds that are checked before anything is decoded.

/// Most ancestors of a trusted header in one proof: as far back as EIP-2935 reaches on chain.
pub const MAX_ANCESTORS: usize = 8191;

/// Longest header, bytes of RLP. Ethereum's are about 650; the rest is room for the validators
/// and seals that BFT chains keep in the extra data.
pub const MAX_HEADER_BYTES: usize = 4096;

/// Most nodes on a path: one branch for each of 64 nibbles and a leaf.
pub const MAX_NODES: usize = 65;

/// Longest node, bytes. A full branch has 532, a leaf of an account fewer.
pub const MAX_NODE_BYTES: usize = 1024;
