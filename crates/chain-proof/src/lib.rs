// SPDX-License-Identifier: Apache-2.0
//! Proves what a contract's storage holds at a block.
//!
//! Everything here is a function of its arguments: no clock, no network, no environment. A proof
//! comes from the host and is hostile until [`verify_slot`] or [`verify_header`] returns; the
//! types these return have no public constructor, so holding one is the proof.
//!
//! What is proven is a chain of hashes: a header that [`HeaderTrust`] vouches for (the one thing here
//! that has state: it starts from a checkpoint and is advanced by updates), its ancestors
//! by parent hash, the account in the target's state root (with the code hash that is expected
//! there), and the slot in the account's storage root. Absence is never proven: a slot that holds
//! nothing is an error.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod bounds;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod header;
mod slot;
#[cfg(feature = "synthetic")]
pub mod synthetic;
mod trie;
mod trust;

pub use alloy_consensus::Header;
pub use bounds::{MAX_ANCESTORS, MAX_HEADER_BYTES, MAX_NODE_BYTES, MAX_NODES};
pub use error::{ProofError, TrieError, TrustError};
pub use header::{ProvenHeader, ProvenHeaders, verify_header};
pub use slot::{ProvenSlot, verify_slot, verify_slot_at};
pub use trust::{HeaderTrust, HostAsserted, header_trust};
