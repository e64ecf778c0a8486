// SPDX-License-Identifier: Apache-2.0
//! What a request costs, as the oracle computes it (`contracts/src/libraries/Prices.sol`).

use alloy_primitives::U256;

use crate::{
    entry::GWEI,
    log::LogWord,
    word::{Packer, Unpacker},
};

/// How much gas is what, as the oracle's `prices` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Prices {
    /// Gas of landing an entry's result without output or callback.
    pub landing: u32,
    /// Gas of recording that a callback failed, or that an entry was late.
    pub record: u32,
    /// Gas of making a callback, without the callback's own.
    pub callback: u32,
    /// Gas of each signature after the first, for contracts that ask for several.
    pub signature: u16,
    /// Gas a byte of input.
    pub input_byte: u16,
    /// Gas a byte of promised output.
    pub output_byte: u16,
    /// Fuel for which nothing is asked (48 bits).
    pub included_fuel: u64,
    /// Fuel beyond it that is asked one gas for.
    pub fuel_per_gas: u32,
    /// Seconds for which a failed callback's rest pays for making it succeed.
    pub grace: u32,
}

/// Bytes of a transaction that lands one result, without output, as the Arbitrum oracle counts them
/// (`contracts/src/chain/ArbitrumChain.sol`).
pub const LANDING_BYTES: u64 = 420;

/// What is asked for, as far as it has a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Bytes of input.
    pub input: u64,
    /// Bytes of public and sealed output.
    pub output: u64,
    /// The callback's gas limit; zero for none.
    pub callback_gas: u64,
    /// Fuel limit.
    pub fuel: u64,
    /// What the chain asks for the data of the transaction that lands the result, wei; zero on those that ask
    /// for gas alone.
    pub data_fee: U256,
}

/// The three parts of a fee, gwei.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// For whoever lands the result.
    pub landing: U256,
    /// For the callback.
    pub callback: U256,
    /// For the contract's owner.
    pub charge: U256,
}

impl Prices {
    /// What oracles on Ethereum are deployed with by the tools of this repository.
    pub const SHIPPED: Self = Self {
        landing: 68_000,
        record: 38_000,
        callback: 8_000,
        signature: 12_000,
        input_byte: 2,
        output_byte: 40,
        included_fuel: 10_000_000,
        fuel_per_gas: 1_000,
        grace: 86_400,
    };

    /// The packed word (`contracts/src/libraries/PriceSlot.sol`).
    pub fn pack(&self) -> U256 {
        let mut word = Packer::new();
        word.push(self.landing.into(), 32);
        word.push(self.record.into(), 32);
        word.push(self.callback.into(), 32);
        word.push(self.signature.into(), 16);
        word.push(self.input_byte.into(), 16);
        word.push(self.output_byte.into(), 16);
        word.push(self.included_fuel, 48);
        word.push(self.fuel_per_gas.into(), 32);
        word.push(self.grace.into(), 32);
        word.0
    }

    /// Reads the packed word.
    pub fn unpack(word: U256) -> Self {
        let mut word = Unpacker(word);
        Self {
            grace: word.pop(32) as u32,
            fuel_per_gas: word.pop(32) as u32,
            included_fuel: word.pop(48),
            output_byte: word.pop(16) as u16,
            input_byte: word.pop(16) as u16,
            signature: word.pop(16) as u16,
            callback: word.pop(32) as u32,
            record: word.pop(32) as u32,
            landing: word.pop(32) as u32,
        }
    }

    /// The least parts that the oracle takes for such a request to a contract whose log word is `log`,
    /// while the base fee is `base_fee` wei and the chain asks `asked.data_fee`.
    pub fn parts(&self, log: &LogWord, base_fee: u128, asked: &Asked) -> Parts {
        let price = log.gas_price(base_fee);
        let charge = log.charge_gwei();
        let has_record = asked.callback_gas != 0 || !charge.is_zero();
        let further = u128::from(log.further_signers) * u128::from(self.signature);
        let gas = self.landing_gas(asked, has_record) + further;
        Parts {
            landing: gwei(price * U256::from(gas) + asked.data_fee),
            callback: gwei(price * U256::from(self.callback_gas(asked.callback_gas))),
            charge,
        }
    }

    /// Gas that the landing part is asked for, with one signature. `has_record`: whether it has a callback that may fail or
    /// a charge that is not owed if it is late.
    pub fn landing_gas(&self, asked: &Asked, has_record: bool) -> u128 {
        let fuel = asked.fuel.saturating_sub(self.included_fuel);
        u128::from(self.landing)
            + if has_record { self.record.into() } else { 0 }
            + u128::from(asked.input) * u128::from(self.input_byte)
            + u128::from(asked.output) * u128::from(self.output_byte)
            + u128::from(fuel).div_ceil(self.fuel_per_gas.max(1).into())
    }

    /// Gas that the callback part is asked for; zero if there is no callback.
    pub fn callback_gas(&self, limit: u64) -> u128 {
        match u128::from(limit) {
            0 => 0,
            limit => with_reserve(limit) + u128::from(self.callback),
        }
    }
}

impl Parts {
    /// All three, in wei.
    pub fn wei(&self) -> U256 {
        (self.landing + self.callback + self.charge) * U256::from(GWEI)
    }
}

/// The gas there must be for a call with `limit` gas: it is given at most 63/64 of what there is
/// (EIP-150).
pub fn with_reserve(limit: u128) -> u128 {
    limit + limit / 63 + 1
}

/// Wei as gwei, rounded up.
fn gwei(wei: U256) -> U256 {
    wei.div_ceil(U256::from(GWEI))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICES: Prices = Prices {
        landing: 1_000,
        record: 100,
        callback: 50,
        signature: 7,
        input_byte: 2,
        output_byte: 3,
        included_fuel: 10,
        fuel_per_gas: 5,
        grace: 60,
    };

    #[test]
    fn the_table_is_one_word() {
        assert_eq!(Prices::unpack(PRICES.pack()), PRICES);
        assert_eq!(Prices::unpack(Prices::SHIPPED.pack()), Prices::SHIPPED);
        let all = Prices::unpack(U256::MAX);
        assert_eq!(all.pack(), U256::MAX);
    }

    #[test]
    fn the_parts_are_what_their_gas_costs_rounded_up() {
        let log = LogWord {
            base_fee_sixteenths: 16,
            ..LogWord::default()
        };
        let asked = Asked {
            input: 10,
            output: 10,
            callback_gas: 0,
            fuel: 60,
            data_fee: U256::ZERO,
        };
        // 1,000 + 20 + 30 + 10 gas at one gwei.
        let parts = PRICES.parts(&log, 1_000_000_000, &asked);
        assert_eq!(parts.landing, U256::from(1_060));
        assert_eq!(parts.callback, U256::ZERO);
        let parts = PRICES.parts(&log, 1, &asked);
        assert_eq!(parts.landing, U256::from(1), "not nothing");

        let called_back = Asked {
            callback_gas: 63,
            ..asked
        };
        let parts = PRICES.parts(&log, 1_000_000_000, &called_back);
        assert_eq!(parts.landing, U256::from(1_160), "a failure is recorded");
        assert_eq!(parts.callback, U256::from(65 + 50));

        let guarded = LogWord {
            further_signers: 2,
            ..log
        };
        let parts = PRICES.parts(&guarded, 1_000_000_000, &asked);
        assert_eq!(parts.landing, U256::from(1_060 + 2 * 7), "all who sign");

        let charged = LogWord {
            charge: 7 << 5,
            ..log
        };
        let parts = PRICES.parts(&charged, 1_000_000_000, &asked);
        assert_eq!(parts.landing, U256::from(1_160), "so is a late one");
        assert_eq!(parts.wei(), U256::from(1_167) * U256::from(GWEI));
    }
}
