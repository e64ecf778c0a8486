// SPDX-License-Identifier: Apache-2.0
//! The oracle's word of a log: its policy and its length (`contracts/src/libraries/LogSlot.sol`).

use alloy_primitives::U256;

use crate::word::Unpacker;

/// A contract's log word, as far as clients act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// The part of every fee that is never refunded, gwei.
    pub execution_charge_gwei: u64,
    /// Largest callback gas limit.
    pub maximum_callback_gas: u32,
    /// Least time between a request and its deadline, seconds.
    pub minimum_deadline: u32,
}

impl LogWord {
    /// Reads the packed word; every word is valid.
    pub fn unpack(word: U256) -> Self {
        let mut word = Unpacker(word);
        let next_seq = word.pop(48);
        let key_group = word.pop(32) as u32;
        let key_epoch = word.pop(32) as u32;
        let code_version = word.pop(16) as u16;
        let runtime_generation = word.pop(16) as u16;
        let finality_class = word.pop(8) as u8;
        let flags = word.pop(8);
        Self {
            next_seq,
            key_group,
            key_epoch,
            code_version,
            runtime_generation,
            finality_class,
            stateless: flags & 1 != 0,
            restricted: flags & 2 != 0,
            paused: flags & 4 != 0,
            execution_charge_gwei: word.pop(40),
            maximum_callback_gas: word.pop(32) as u32,
            minimum_deadline: word.pop(24) as u32,
        }
    }

    /// Whether there is a log at all: every log has at least entry 0.
    pub fn exists(&self) -> bool {
        self.next_seq != 0
    }

    /// The execution charge in wei.
    pub fn execution_charge(&self) -> U256 {
        U256::from(self.execution_charge_gwei) * U256::from(1_000_000_000u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_word_is_read_field_by_field() {
        // minimumDeadline 24 ‖ maximumCallbackGas 32 ‖ executionChargeGwei 40 ‖ flags 8 ‖
        // finalityClass 8 ‖ runtimeGeneration 16 ‖ codeVersion 16 ‖ keyEpoch 32 ‖ keyGroup 32 ‖
        // nextSeq 48
        let text = "000e10 000493e0 000000002a 05 01 0004 0003 00000002 00000001 000000000009";
        let word = U256::from_str_radix(&text.replace(' ', ""), 16).unwrap();
        assert_eq!(
            LogWord::unpack(word),
            LogWord {
                next_seq: 9,
                key_group: 1,
                key_epoch: 2,
                code_version: 3,
                runtime_generation: 4,
                finality_class: 1,
                stateless: true,
                restricted: false,
                paused: true,
                execution_charge_gwei: 42,
                maximum_callback_gas: 300_000,
                minimum_deadline: 3_600,
            }
        );
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
        let largest = |shift: usize, bits: usize| {
            let field = (U256::from(1) << bits) - U256::from(1);
            LogWord::unpack(field << shift)
        };
        let nothing = LogWord::unpack(U256::ZERO);
        assert!(!nothing.exists());
        let cases = [
            (
                largest(0, 48),
                LogWord {
                    next_seq: (1 << 48) - 1,
                    ..nothing
                },
            ),
            (
                largest(shift("KEY_GROUP"), 32),
                LogWord {
                    key_group: u32::MAX,
                    ..nothing
                },
            ),
            (
                largest(shift("KEY_EPOCH"), 32),
                LogWord {
                    key_epoch: u32::MAX,
                    ..nothing
                },
            ),
            (
                largest(shift("CODE_VERSION"), 16),
                LogWord {
                    code_version: u16::MAX,
                    ..nothing
                },
            ),
            (
                largest(shift("RUNTIME_GENERATION"), 16),
                LogWord {
                    runtime_generation: u16::MAX,
                    ..nothing
                },
            ),
            (
                largest(shift("FINALITY_CLASS"), 8),
                LogWord {
                    finality_class: u8::MAX,
                    ..nothing
                },
            ),
            (
                largest(shift("FLAGS"), 1),
                LogWord {
                    stateless: true,
                    ..nothing
                },
            ),
            (
                largest(shift("FLAGS") + 1, 1),
                LogWord {
                    restricted: true,
                    ..nothing
                },
            ),
            (
                largest(shift("FLAGS") + 2, 1),
                LogWord {
                    paused: true,
                    ..nothing
                },
            ),
            (
                largest(shift("EXECUTION_CHARGE"), 40),
                LogWord {
                    execution_charge_gwei: (1 << 40) - 1,
                    ..nothing
                },
            ),
            (
                largest(shift("MAXIMUM_CALLBACK_GAS"), 32),
                LogWord {
                    maximum_callback_gas: u32::MAX,
                    ..nothing
                },
            ),
            (
                largest(shift("MINIMUM_DEADLINE"), 24),
                LogWord {
                    minimum_deadline: (1 << 24) - 1,
                    ..nothing
                },
            ),
        ];
        for (word, expected) in cases {
            assert_eq!(word, expected);
        }
    }
}
