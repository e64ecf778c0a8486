// SPDX-License-Identifier: Apache-2.0
//! Why a proof, or what header trust is given, is refused.

use alloy_primitives::B256;
use subrosa_types::config::HeaderTrustKind;

use crate::bounds::{MAX_ANCESTORS, MAX_HEADER_BYTES, MAX_NODE_BYTES, MAX_NODES};

/// Why header trust does not start, or does not advance. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// This build does not have that kind of header trust.
    #[error("header trust {0:?} is not supported")]
    Unsupported(HeaderTrustKind),
    /// The configured parameters do not fit the kind of header trust.
    #[error("parameters do not fit header trust {0:?}")]
    Parameters(HeaderTrustKind),
    /// The checkpoint is none that this kind of header trust can start from.
    #[error("header trust {0:?} cannot start from this checkpoint")]
    Checkpoint(HeaderTrustKind),
    /// The update does not follow from what header trust knows: fetch another.
    #[error("header trust {0:?} refuses the update")]
    Update(HeaderTrustKind),
}

/// Why a proof is refused.
///
/// Every variant means the same to the caller: this proof shows nothing, fetch another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The witness does not vouch for the trusted header.
    #[error("witness does not vouch for block {hash}")]
    Untrusted {
        /// Hash of the header it should vouch for.
        hash: B256,
    },
    /// More ancestors than [`MAX_ANCESTORS`].
    #[error("{0} ancestors are more than {MAX_ANCESTORS}")]
    TooManyAncestors(usize),
    /// A header longer than [`MAX_HEADER_BYTES`].
    #[error("header {depth} of {bytes} bytes is longer than {MAX_HEADER_BYTES}")]
    HeaderTooLarge {
        /// 0 for the trusted header, then the ancestors from 1.
        depth: usize,
        /// Its length.
        bytes: usize,
    },
    /// Not the canonical RLP of a header.
    #[error("header {depth} is not the canonical encoding of a header")]
    MalformedHeader {
        /// 0 for the trusted header, then the ancestors from 1.
        depth: usize,
    },
    /// An ancestor's hash is not its child's parent hash.
    #[error("ancestor {depth} has hash {found}, its child names {expected}")]
    ParentHash {
        /// The ancestors count from 1.
        depth: usize,
        /// Parent hash in the child.
        expected: B256,
        /// Hash of the ancestor.
        found: B256,
    },
    /// An ancestor's number is not one less than its child's.
    #[error("ancestor {depth} is block {found} under block {child}")]
    ParentNumber {
        /// The ancestors count from 1.
        depth: usize,
        /// Number of the child.
        child: u64,
        /// Number of the ancestor.
        found: u64,
    },
    /// The nodes do not lead from the state root to the account.
    #[error("account proof")]
    Account(#[source] TrieError),
    /// The nodes prove that there is no such account.
    #[error("account does not exist")]
    AbsentAccount,
    /// The account's leaf is not the canonical RLP of (nonce, balance, storage root, code hash).
    #[error("account is not canonically encoded")]
    MalformedAccount,
    /// The account has other code.
    #[error("account has code hash {found}, expected {expected}")]
    CodeHash {
        /// What the configuration says.
        expected: B256,
        /// What the chain says.
        found: B256,
    },
    /// The nodes do not lead from the storage root to the slot.
    #[error("slot proof")]
    Slot(#[source] TrieError),
    /// The nodes prove that the slot is empty (holds zero).
    #[error("slot is empty")]
    AbsentSlot,
    /// The slot's leaf is not the canonical RLP of an integer in 1..2^256.
    #[error("slot value is not canonically encoded")]
    MalformedValue,
}

/// Why trie nodes lead nowhere.
///
/// `depth` counts the nodes from 0 at the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrieError {
    /// More nodes than a path can have.
    #[error("{0} nodes are more than {MAX_NODES}")]
    TooManyNodes(usize),
    /// A node longer than any that a proof can need.
    #[error("node {depth} of {bytes} bytes is longer than {MAX_NODE_BYTES}")]
    NodeTooLarge {
        /// The node's place on the path, 0 at the root.
        depth: usize,
        /// Its length.
        bytes: usize,
    },
    /// The node is not the one its parent (or the root) names.
    #[error("node {depth} is not what its parent names")]
    NodeHash {
        /// The node's place on the path, 0 at the root.
        depth: usize,
    },
    /// A node under 32 bytes, which belongs inside its parent.
    #[error("node {depth} is too short to be referenced by hash")]
    ShortNode {
        /// The node's place on the path, 0 at the root.
        depth: usize,
    },
    /// Not the canonical encoding of a branch, an extension or a leaf of a trie of 32-byte keys.
    #[error("node {depth} is malformed")]
    MalformedNode {
        /// The node's place on the path, 0 at the root.
        depth: usize,
    },
    /// The nodes end before the path does.
    #[error("proof ends after {0} nodes, before its path")]
    Truncated(usize),
    /// There are nodes beyond the end of the path.
    #[error("path ends after {used} nodes, the proof has {given}")]
    TrailingNodes {
        /// How many nodes the path has.
        used: usize,
        /// How many were given.
        given: usize,
    },
}
