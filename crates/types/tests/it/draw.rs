// SPDX-License-Identifier: Apache-2.0
//! Values that look random and are the same in every run.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};

/// keccak256(name ‖ counter), one word after the other.
pub(crate) struct Draw {
    name: &'static str,
    counter: u64,
}

impl Draw {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, counter: 0 }
    }

    pub(crate) fn word(&mut self) -> B256 {
        self.counter += 1;
        keccak256([self.name.as_bytes(), &self.counter.to_be_bytes()].concat())
    }

    pub(crate) fn uint(&mut self) -> U256 {
        U256::from_be_bytes(self.word().0)
    }

    /// A number of `bits` bits, at most 64.
    pub(crate) fn bits(&mut self, bits: u32) -> u64 {
        self.word().0[..8]
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
            >> (64 - bits)
    }

    /// One of `from..=to`.
    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.bits(63) % (to - from + 1)
    }

    pub(crate) fn address(&mut self) -> Address {
        Address::from_word(self.word())
    }

    /// A digest as the oracle stores it: low byte zero.
    pub(crate) fn digest(&mut self) -> B256 {
        subrosa_types::entry::mask_digest(self.word())
    }

    /// A commitment: low six bytes zero.
    pub(crate) fn commitment(&mut self) -> B256 {
        B256::from(self.uint() >> 48 << 48)
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Bytes {
        let mut bytes = Vec::with_capacity(length + 32);
        while bytes.len() < length {
            bytes.extend(self.word());
        }
        bytes.truncate(length);
        bytes.into()
    }
}
