// SPDX-License-Identifier: Apache-2.0
//! Amounts with few digits and a decimal exponent, as people write prices
//! (`contracts/src/libraries/Decimal.sol`): mantissa ‖ exponent 5.

use alloy_primitives::U256;

/// A width of such numbers, by its largest mantissa.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(u64);

impl Decimal {
    /// The owner's charge, gwei: mantissa 15, 20 bits together.
    pub const CHARGE: Self = Self(0x7fff);
    /// The floor under the price of gas, wei: mantissa 11, 16 bits together.
    pub const FLOOR: Self = Self(0x7ff);

    /// The smallest such number that is not below `value`.
    pub fn pack(self, value: u64) -> u64 {
        let (mut mantissa, mut exponent) = (value, 0);
        while mantissa > self.0 {
            mantissa = mantissa.div_ceil(10);
            exponent += 1;
        }
        mantissa << EXPONENT_BITS | exponent
    }

    /// The amount that a packed number of any width stands for.
    pub fn unpack(packed: u64) -> U256 {
        let exponent = packed & ((1 << EXPONENT_BITS) - 1);
        U256::from(packed >> EXPONENT_BITS) * U256::from(10).pow(U256::from(exponent))
    }
}

const EXPONENT_BITS: u32 = 5;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packing_rounds_up_by_less_than_a_unit_of_the_last_digit(
            value in any::<u64>(),
            shift in 0u32..64,
            narrow in any::<bool>(),
        ) {
            let value = value >> shift;
            let width = if narrow { Decimal::FLOOR } else { Decimal::CHARGE };
            let packed = width.pack(value);
            prop_assert!(packed >> 5 <= width.0);
            let amount = Decimal::unpack(packed);
            prop_assert!(amount >= U256::from(value));
            let unit = U256::from(10).pow(U256::from(packed & 31));
            prop_assert!(amount - U256::from(value) < unit);
            // What was packed is packed as it is.
            if let Ok(amount) = u64::try_from(amount) {
                prop_assert_eq!(Decimal::unpack(width.pack(amount)), U256::from(amount));
            }
        }
    }
}
