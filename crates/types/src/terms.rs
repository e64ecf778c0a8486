// SPDX-License-Identifier: Apache-2.0
//! What a requester chooses, as the oracle takes it (`contracts/src/libraries/EntryWords.sol`).

use alloy_primitives::U256;

use crate::word::Packer;

/// The `terms` word of a request: executionFlags 16 ‖ settlementFlags 16 ‖ fuelLimit 64 ‖
/// callbackGasLimit 32 ‖ deadline 48 ‖ maximumChargeGwei 40 ‖ keyEpoch 32 ‖ zero 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Flags of the entry's `execution` word.
    pub execution_flags: u16,
    /// Flags of the entry's `settlement` word.
    pub settlement_flags: u16,
    /// Fuel the call may use.
    pub fuel_limit: u64,
    /// Gas for the callback; zero asks for none.
    pub callback_gas_limit: u32,
    /// After this time (Unix seconds, 48 bits) the fee can be refunded.
    pub deadline: u64,
    /// The largest execution charge agreed to, gwei (40 bits); zero agrees to any.
    pub maximum_charge_gwei: u64,
    /// The epoch that the input was made for; zero for any.
    pub key_epoch: u32,
}

impl Terms {
    /// The packed word. The deadline is truncated to 48 bits; a charge that does not fit becomes the
    /// largest that does, which is any: no charge is above it.
    pub fn pack(&self) -> U256 {
        let mut word = Packer::new();
        word.push(u64::from(self.execution_flags), 16);
        word.push(u64::from(self.settlement_flags), 16);
        word.push(self.fuel_limit, 64);
        word.push(u64::from(self.callback_gas_limit), 32);
        word.push(self.deadline, 48);
        word.push(self.maximum_charge_gwei.min((1 << 40) - 1), 40);
        word.push(u64::from(self.key_epoch), 32);
        word.push(0, 8);
        word.0
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
            maximum_charge_gwei: 6,
            key_epoch: 7,
        };
        let expected = concat!(
            "0001",
            "0002",
            "0000000000000003",
            "00000004",
            "000000000005",
            "0000000006",
            "00000007",
            "00"
        );
        assert_eq!(format!("{:064x}", terms.pack()), expected);
        let any = Terms {
            maximum_charge_gwei: u64::MAX,
            ..terms
        };
        let charge: U256 = any.pack() >> 40;
        assert_eq!(
            charge & U256::from(u64::MAX >> 24),
            U256::from((1u64 << 40) - 1)
        );
        assert_eq!(any.pack() >> 80, terms.pack() >> 80, "no neighbour changes");
    }
}
