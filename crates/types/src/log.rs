// SPDX-License-Identifier: Apache-2.0
//! The oracle's word of a log: its policy and its length (`contracts/src/libraries/LogSlot.sol`).

use alloy_primitives::U256;

use crate::{
    decimal::Decimal,
    slot::Place,
    word::{Packer, Unpacker},
};

/// A contract's log word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogWord {
    /// Seq that the next entry will get.
    pub next_seq: u64,
    /// Key group of the contract.
    pub key_group: u32,
    /// Epoch whose key opens new entries.
    pub key_epoch: u32,
    /// How many upgrades are on the log.
    pub code_version: u16,
    /// Runtime generation of new entries.
    pub runtime_generation: u16,
    /// What must hold of its entries' blocks: a [`FinalityClass`](crate::entry::FinalityClass).
    pub finality_class: u8,
    /// Whether entries are executed in any order, on no state.
    pub stateless: bool,
    /// Whether only the owner and the callers it named may append requests.
    pub restricted: bool,
    /// Whether no requests are taken.
    pub paused: bool,
    /// Whether the last entry has a slot of its own.
    pub last_apart: bool,
    /// Whether the contract is a world.
    pub world: bool,
    /// Whether the contract may be abandoned once its epoch is retired.
    pub abandoned_on_retirement: bool,
    /// Whether it was.
    pub abandoned: bool,
    /// How many signatures beyond the first results are priced for (4 bits).
    pub further_signers: u8,
    /// Largest callback gas limit (24 bits).
    pub maximum_callback_gas: u32,
    /// Least time between a request and its deadline, seconds (24 bits).
    pub minimum_deadline: u32,
    /// Gas is priced at the base fee times this, in sixteenths.
    pub base_fee_sixteenths: u8,
    /// But at least at this, wei: a packed [`Decimal::FLOOR`].
    pub gas_price_floor: u16,
    /// The owner's charge, gwei: a packed [`Decimal::CHARGE`] (20 bits).
    pub charge: u32,
}

impl LogWord {
    /// The packed word.
    pub fn pack(&self) -> U256 {
        let flags = [
            self.stateless,
            self.restricted,
            self.paused,
            self.last_apart,
            self.world,
            self.abandoned_on_retirement,
            self.abandoned,
        ];
        let set = flags
            .iter()
            .zip(0..)
            .map(|(flag, bit)| u64::from(*flag) << bit);
        let mut word = Packer::new();
        word.push(u64::from(self.charge), 20);
        word.push(u64::from(self.gas_price_floor), 16);
        word.push(u64::from(self.base_fee_sixteenths), 8);
        word.push(u64::from(self.minimum_deadline), 24);
        word.push(u64::from(self.maximum_callback_gas), 24);
        word.push(u64::from(self.further_signers) << 7 | set.sum::<u64>(), 12);
        word.push(u64::from(self.finality_class), 8);
        word.push(u64::from(self.runtime_generation), 16);
        word.push(u64::from(self.code_version), 16);
        word.push(u64::from(self.key_epoch), 32);
        word.push(u64::from(self.key_group), 32);
        word.push(self.next_seq, 48);
        word.0
    }

    /// Reads the packed word. Flags that mean nothing are passed over.
    pub fn unpack(word: U256) -> Self {
        let mut word = Unpacker(word);
        let next_seq = word.pop(48);
        let key_group = word.pop(32) as u32;
        let key_epoch = word.pop(32) as u32;
        let code_version = word.pop(16) as u16;
        let runtime_generation = word.pop(16) as u16;
        let finality_class = word.pop(8) as u8;
        let flags = word.pop(12);
        let flag = |bit: u32| flags >> bit & 1 == 1;
        Self {
            next_seq,
            key_group,
            key_epoch,
            code_version,
            runtime_generation,
            finality_class,
            stateless: flag(0),
            restricted: flag(1),
            paused: flag(2),
            last_apart: flag(3),
            world: flag(4),
            abandoned_on_retirement: flag(5),
            abandoned: flag(6),
            further_signers: (flags >> 7 & 0xf) as u8,
            maximum_callback_gas: word.pop(24) as u32,
            minimum_deadline: word.pop(24) as u32,
            base_fee_sixteenths: word.pop(8) as u8,
            gas_price_floor: word.pop(16) as u16,
            charge: word.pop(20) as u32,
        }
    }

    /// Whether there is a log at all: every log has at least entry 0.
    pub fn exists(&self) -> bool {
        self.next_seq != 0
    }

    /// The owner's charge, gwei.
    pub fn charge_gwei(&self) -> U256 {
        Decimal::unpack(self.charge.into())
    }

    /// What gas is asked at while the base fee is `base_fee`, wei: a multiple of it, or the floor.
    pub fn gas_price(&self, base_fee: u128) -> U256 {
        let multiple = U256::from(base_fee) * U256::from(self.base_fee_sixteenths);
        let price: U256 = (multiple + U256::from(15)) >> 4;
        price.max(Decimal::unpack(self.gas_price_floor.into()))
    }

    /// Where the last entry is.
    pub fn last_place(&self) -> Place {
        if self.last_apart {
            Place::Own
        } else {
            Place::Ring
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_log_word_is_read_field_by_field() {
        let text = "00540 0c40 18 000e10 0493e0 00d 01 0004 0003 00000002 00000001 000000000009";
        let word = U256::from_str_radix(&text.replace(' ', ""), 16).unwrap();
        let log = LogWord {
            next_seq: 9,
            key_group: 1,
            key_epoch: 2,
            code_version: 3,
            runtime_generation: 4,
            finality_class: 1,
            stateless: true,
            paused: true,
            last_apart: true,
            maximum_callback_gas: 300_000,
            minimum_deadline: 3_600,
            base_fee_sixteenths: 24,
            gas_price_floor: 98 << 5,
            charge: 42 << 5,
            ..LogWord::default()
        };
        assert_eq!(LogWord::unpack(word), log);
        assert_eq!(log.charge_gwei(), U256::from(42));
        assert_eq!(log.gas_price(10), U256::from(98));
        assert_eq!(log.gas_price(101), U256::from(152));
    }

    /// Where `LogSlot.sol` says that a field begins.
    fn shift(name: &str) -> usize {
        let source = include_str!("../../../contracts/src/libraries/LogSlot.sol");
        let line = format!("uint256 private constant {name} = ");
        let (_, rest) = source.split_once(&line).unwrap();
        rest.split_once(';').unwrap().0.parse().unwrap()
    }

    #[test]
    fn the_log_word_is_laid_out_as_the_oracle_lays_it_out() {
        let with = |change: fn(&mut LogWord)| {
            let mut log = LogWord::default();
            change(&mut log);
            log.pack()
        };
        let cases = [
            (0, with(|log| log.next_seq = 1)),
            (shift("KEY_GROUP"), with(|log| log.key_group = 1)),
            (shift("KEY_EPOCH"), with(|log| log.key_epoch = 1)),
            (shift("CODE_VERSION"), with(|log| log.code_version = 1)),
            (
                shift("RUNTIME_GENERATION"),
                with(|log| log.runtime_generation = 1),
            ),
            (shift("FINALITY_CLASS"), with(|log| log.finality_class = 1)),
            (shift("FLAGS"), with(|log| log.stateless = true)),
            (
                shift("MAXIMUM_CALLBACK_GAS"),
                with(|log| log.maximum_callback_gas = 1),
            ),
            (
                shift("MINIMUM_DEADLINE"),
                with(|log| log.minimum_deadline = 1),
            ),
            (shift("MULTIPLE"), with(|log| log.base_fee_sixteenths = 1)),
            (shift("FLOOR"), with(|log| log.gas_price_floor = 1)),
            (shift("CHARGE"), with(|log| log.charge = 1)),
        ];
        for (shift, word) in cases {
            assert_eq!(word, U256::from(1) << shift);
        }
    }

    proptest! {
        #[test]
        fn log_words_round_trip(word in any::<[u8; 32]>()) {
            let word = U256::from_be_bytes(word);
            let unknown: U256 = U256::from(0b1000_0000_0000u64) << 152;
            prop_assert_eq!(LogWord::unpack(word).pack(), word & !unknown);
        }
    }
}
