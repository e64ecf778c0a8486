// SPDX-License-Identifier: Apache-2.0
//! The word that says what an entry pays, whose keys it needs and where it is.

use alloy_primitives::U256;

use crate::word::{Packer, Unpacker};

/// Wei in a gwei, the unit of fees.
pub const GWEI: u64 = 1_000_000_000;

/// The `payment` word: landing 48 ‖ callback 48 ‖ charge 48 ‖ keyGroup 32 ‖ keyEpoch 32 ‖ seq 48.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Gwei for whoever lands the result (48 bits).
    pub landing: u64,
    /// Gwei for the callback (48 bits).
    pub callback: u64,
    /// Gwei for the contract's owner (48 bits).
    pub charge: u64,
    /// The key group that executes the contract.
    pub key_group: u32,
    /// The epoch whose key opens the entry's input.
    pub key_epoch: u32,
    /// Position in the log (48 bits), from 0, the deployment.
    pub seq: u64,
}

impl Payment {
    /// The packed word. Amounts and position are truncated to 48 bits.
    pub fn pack(&self) -> U256 {
        let mut word = Packer::new();
        word.push(self.landing, 48);
        word.push(self.callback, 48);
        word.push(self.charge, 48);
        word.push(u64::from(self.key_group), 32);
        word.push(u64::from(self.key_epoch), 32);
        word.push(self.seq, 48);
        word.0
    }

    /// Reads a packed word; every word is valid.
    pub fn unpack(word: U256) -> Self {
        let mut word = Unpacker(word);
        let seq = word.pop(48);
        let key_epoch = word.pop(32) as u32;
        let key_group = word.pop(32) as u32;
        let charge = word.pop(48);
        let callback = word.pop(48);
        let landing = word.pop(48);
        Self {
            landing,
            callback,
            charge,
            key_group,
            key_epoch,
            seq,
        }
    }

    /// Wei, all three parts.
    pub fn fee(&self) -> U256 {
        let gwei = u128::from(self.landing) + u128::from(self.callback) + u128::from(self.charge);
        U256::from(gwei) * U256::from(GWEI)
    }
}
