// SPDX-License-Identifier: Apache-2.0
//! What a requester chooses, as the oracle takes it (`contracts/src/libraries/EntryWords.sol`).

use alloy_primitives::U256;

use crate::{
    decimal::Decimal,
    word::{Packer, Unpacker},
};

/// The `terms` word of a request: executionFlags 8 ‖ settlementFlags 8 ‖ fuelLimit 64 ‖
/// callbackGasLimit 32 ‖ deadline 48 ‖ outputLimit 24 ‖ keyEpoch 32 ‖ codeVersion 16 ‖ maximumCharge 20 ‖
/// zero 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Flags of the entry's `execution` word.
    pub execution_flags: u8,
    /// Flags of the entry's `settlement` word.
    pub settlement_flags: u8,
    /// Fuel the call may use.
    pub fuel_limit: u64,
    /// Gas for the callback; zero asks for none.
    pub callback_gas_limit: u32,
    /// After this time (Unix seconds, 48 bits) an answer is late.
    pub deadline: u64,
    /// Bytes of public and sealed output together that are paid for (24 bits).
    pub output_limit: u32,
    /// The epoch that the input was made for; zero for any.
    pub key_epoch: u32,
    /// The version of the code that is meant; `None` for any. The highest version cannot be named.
    pub code_version: Option<u16>,
    /// The largest charge agreed to, gwei; zero agrees to any. Rounded up to five digits.
    pub maximum_charge_gwei: u64,
}

impl Terms {
    /// The packed word. The deadline is truncated to 48 bits; an output limit that does not fit becomes the
    /// largest that does.
    pub fn pack(&self) -> U256 {
        let mut word = Packer::new();
        word.push(u64::from(self.execution_flags), 8);
        word.push(u64::from(self.settlement_flags), 8);
        word.push(self.fuel_limit, 64);
        word.push(u64::from(self.callback_gas_limit), 32);
        word.push(self.deadline, 48);
        word.push(u64::from(self.output_limit.min((1 << 24) - 1)), 24);
        word.push(u64::from(self.key_epoch), 32);
        let version = self.code_version.and_then(|version| version.checked_add(1));
        word.push(u64::from(version.unwrap_or(0)), 16);
        word.push(Decimal::CHARGE.pack(self.maximum_charge_gwei), 20);
        word.push(0, 4);
        word.0
    }

    /// Reads a packed word. Bits that mean nothing are passed over; a charge above any becomes the largest.
    pub fn unpack(word: U256) -> Self {
        let mut word = Unpacker(word);
        word.pop(4);
        let charge = Decimal::unpack(word.pop(20));
        let code_version = word.pop(16) as u16;
        let key_epoch = word.pop(32) as u32;
        let output_limit = word.pop(24) as u32;
        let deadline = word.pop(48);
        let callback_gas_limit = word.pop(32) as u32;
        let fuel_limit = word.pop(64);
        let settlement_flags = word.pop(8) as u8;
        let execution_flags = word.pop(8) as u8;
        Self {
            execution_flags,
            settlement_flags,
            fuel_limit,
            callback_gas_limit,
            deadline,
            output_limit,
            key_epoch,
            code_version: code_version.checked_sub(1),
            maximum_charge_gwei: u64::try_from(charge).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_packed_high_to_low() {
        let terms = Terms {
            execution_flags: 1,
            settlement_flags: 2,
            fuel_limit: 3,
            callback_gas_limit: 4,
            deadline: 5,
            output_limit: 6,
            key_epoch: 7,
            code_version: Some(8),
            maximum_charge_gwei: 9,
        };
        let expected = concat!(
            "01",
            "02",
            "0000000000000003",
            "00000004",
            "000000000005",
            "000006",
            "00000007",
            "0009",
            "00120",
            "0"
        );
        assert_eq!(format!("{:064x}", terms.pack()), expected);
        assert_eq!(Terms::unpack(terms.pack()), terms);
        let any = Terms {
            code_version: None,
            maximum_charge_gwei: 0,
            output_limit: u32::MAX,
            ..terms
        };
        let expected = concat!("ffffff", "00000007", "0000", "00000", "0");
        assert_eq!(format!("{:064x}", any.pack())[40..], *expected);
        let most = Terms {
            maximum_charge_gwei: u64::MAX,
            ..terms
        };
        assert_eq!(
            most.pack() >> 24,
            terms.pack() >> 24,
            "no neighbour changes"
        );
    }
}
