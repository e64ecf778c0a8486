// SPDX-License-Identifier: Apache-2.0
//! What an envelope is bound to beside its header.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, U256};

use crate::domain;

/// Where an envelope is valid, and who may use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binding {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The oracle that keeps the log.
    pub oracle: Address,
    /// The confidential contract.
    pub contract_id: B256,
    /// Who makes the entry: for a request, the account or consumer that calls the oracle.
    pub requester: Address,
    /// The entry's context word; zero where there is none.
    pub context: B256,
}

impl Binding {
    /// The additional data of an envelope whose bytes before the ciphertext are `prefix`. The
    /// prefix tells its own length, so the concatenation is injective.
    pub(super) fn additional_data(&self, prefix: &[u8]) -> Vec<u8> {
        [
            domain::ENVELOPE.as_slice(),
            prefix,
            &U256::from(self.chain_id).to_be_bytes::<32>(),
            self.oracle.as_slice(),
            self.contract_id.as_slice(),
            self.requester.as_slice(),
            self.context.as_slice(),
        ]
        .concat()
    }
}
