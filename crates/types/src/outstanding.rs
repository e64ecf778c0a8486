// SPDX-License-Identifier: Apache-2.0
//! What is left to be done about an executed entry.

use alloy_primitives::{B256, U256, keccak256};
use alloy_sol_types::SolValue;

pub use crate::abi::Outstanding;
use crate::entry::mask_digest;

/// Flag: a callback is due.
pub const FLAG_CALLBACK_DUE: u8 = 1;
/// Flag: what is held is for the refund's recipient.
pub const FLAG_HELD_FOR_REFUND: u8 = 2;

impl Outstanding {
    /// What the oracle stores, without its flags: keccak256(abi.encode(digest, status, outputHash, held,
    /// since)), low byte zero. `digest` is the entry's.
    pub fn hash(&self, digest: B256) -> B256 {
        let words = (
            digest,
            U256::from(self.status),
            self.outputHash,
            U256::from(self.held),
            U256::from(self.since),
        );
        mask_digest(keccak256(words.abi_encode()))
    }
}
