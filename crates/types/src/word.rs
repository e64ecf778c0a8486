// SPDX-License-Identifier: Apache-2.0
//! Packing fields into a word, and taking them out again.

use alloy_primitives::U256;

/// Builds a word from its highest field to its lowest.
pub(crate) struct Packer(pub(crate) U256);

impl Packer {
    pub(crate) fn new() -> Self {
        Self(U256::ZERO)
    }

    pub(crate) fn push(&mut self, value: u64, bits: usize) {
        let value = if bits == 64 {
            value
        } else {
            value & ((1 << bits) - 1)
        };
        self.0 = (self.0 << bits) | U256::from(value);
    }
}

/// Takes a word apart from its lowest field to its highest.
pub(crate) struct Unpacker(pub(crate) U256);

impl Unpacker {
    pub(crate) fn pop(&mut self, bits: usize) -> u64 {
        let low = self.0.as_limbs()[0];
        self.0 >>= bits;
        if bits == 64 {
            low
        } else {
            low & ((1 << bits) - 1)
        }
    }
}
