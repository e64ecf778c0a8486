// SPDX-License-Identifier: Apache-2.0
//! Proofs of contract storage, as the host fetches them.

use alloc::vec::Vec;

use alloy_primitives::Bytes;
use serde::{Deserialize, Serialize};

/// How a block header comes to be trusted.
///
/// The header of interest is the last of `ancestors`, or `trusted` itself if there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderFrame {
    /// RLP of the header that header trust vouches for.
    pub trusted: Bytes,
    /// What header trust needs to do so (signatures, a light-client update); empty if
    /// host-asserted.
    pub witness: Bytes,
    /// RLP of ancestors, each the parent of the one before it, the first the parent of `trusted`.
    pub ancestors: Vec<Bytes>,
}

/// Proof of one storage slot of one account at one block (EIP-1186).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageProof {
    /// The block whose state root the proof starts at.
    pub header: HeaderFrame,
    /// Trie nodes from the state root to the account.
    pub account_proof: Vec<Bytes>,
    /// Trie nodes from the account's storage root to the slot.
    pub slot_proof: Vec<Bytes>,
}
