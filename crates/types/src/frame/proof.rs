// SPDX-License-Identifier: Apache-2.0
//! Proofs of contract storage, as the host fetches them.

use alloc::{boxed::Box, vec::Vec};

use alloy_primitives::Bytes;
use serde::{Deserialize, Serialize};

use super::bounded;
use crate::slot::Place;

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
    /// RLP of ancestors, each the parent of the one before it, the first the parent of `trusted`. At
    /// most [`MAX_ANCESTORS`].
    #[serde(deserialize_with = "bounded::list::<_, _, MAX_ANCESTORS>")]
    pub ancestors: Vec<Bytes>,
}

/// Proof of one storage slot of one account at one block (EIP-1186).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageProof {
    /// The block whose state root the proof starts at.
    pub header: HeaderFrame,
    /// Trie nodes from the state root to the account, at most [`MAX_NODES`].
    #[serde(deserialize_with = "bounded::list::<_, _, MAX_NODES>")]
    pub account_proof: Vec<Bytes>,
    /// Trie nodes from the account's storage root to the slot, at most [`MAX_NODES`].
    #[serde(deserialize_with = "bounded::list::<_, _, MAX_NODES>")]
    pub slot_proof: Vec<Bytes>,
}

/// How an entry is shown to be on the oracle's log. Digests chain, so it shows all before it too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryProof {
    /// A slot holds its digest.
    Slot(Box<SlotProof>),
    /// The enclave keeps an anchor at it: see [`Request::Anchor`](super::Request::Anchor).
    Anchor,
}

/// Proof of the slot that the oracle keeps an entry in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotProof {
    /// Which of the two that an entry may be in.
    pub place: Place,
    /// Of that slot.
    pub storage: StorageProof,
}

/// Most headers of one walk. The EIP-2935 history window: what lies further back is out of reach of
/// contracts too.
pub const MAX_ANCESTORS: usize = 8_191;

/// Most nodes of one proof. A path of 64 nibbles has at most 64 nodes above its leaf.
pub const MAX_NODES: usize = 65;
