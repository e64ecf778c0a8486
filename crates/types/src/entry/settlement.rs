// SPDX-License-Identifier: Apache-2.0
//! The word that says who asked and how the answer is delivered.

use alloy_primitives::{Address, B256, U256};

use crate::word::{Packer, Unpacker};

/// Settlement flag: no callback after the deadline.
pub const FLAG_CALLBACK_EXPIRES: u16 = 1;

/// Settlement flag: an epoch entry, whose callback's gas limit is the number of the epoch that is left.
pub const FLAG_LEAVES_EPOCH: u16 = 2;

/// The `settlement` word: requester 160 ‖ callbackGasLimit 32 ‖ flags 16 ‖ deadline 48.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Who asked; `msg.sender` in the guest and the callback's target.
    pub requester: Address,
    /// Gas for the callback; zero asks for none. See [`callback_gas`](Self::callback_gas).
    pub callback_gas_limit: u32,
    /// [`FLAG_CALLBACK_EXPIRES`], [`FLAG_LEAVES_EPOCH`].
    pub flags: u16,
    /// After this time (Unix seconds, 48 bits) an answer is late.
    pub deadline: u64,
}

impl Settlement {
    /// The packed word.
    pub fn pack(&self) -> U256 {
        let mut word = Packer(U256::from_be_slice(self.requester.as_slice()));
        word.push(u64::from(self.callback_gas_limit), 32);
        word.push(u64::from(self.flags), 16);
        word.push(self.deadline, 48);
        word.0
    }

    /// Reads a packed word; every word is valid.
    pub fn unpack(word: U256) -> Self {
        let mut word = Unpacker(word);
        let deadline = word.pop(48);
        let flags = word.pop(16) as u16;
        let callback_gas_limit = word.pop(32) as u32;
        let requester = Address::from_word(B256::from(word.0));
        Self {
            requester,
            callback_gas_limit,
            flags,
            deadline,
        }
    }

    /// The gas that the callback is given; `None` if none is asked for.
    pub fn callback_gas(&self) -> Option<u32> {
        (self.callback_gas_limit != 0 && !self.leaves_epoch()).then_some(self.callback_gas_limit)
    }

    /// Whether the entry moves its contract to another epoch.
    pub fn leaves_epoch(&self) -> bool {
        self.flags & FLAG_LEAVES_EPOCH != 0
    }

    /// Whether no callback is wanted after the deadline.
    pub fn callback_expires(&self) -> bool {
        self.flags & FLAG_CALLBACK_EXPIRES != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_that_is_left_is_no_gas_for_a_callback() {
        let settlement = Settlement {
            requester: Address::ZERO,
            callback_gas_limit: 3,
            flags: 0,
            deadline: 0,
        };
        assert_eq!(settlement.callback_gas(), Some(3));
        let leaves = Settlement {
            flags: FLAG_LEAVES_EPOCH,
            ..settlement
        };
        assert_eq!(leaves.callback_gas(), None);
    }
}
