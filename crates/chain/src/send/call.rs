// SPDX-License-Identifier: Apache-2.0
//! What is sent.

use alloy::primitives::{Address, Bytes, U256};

/// What to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The contract; `None` creates one.
    pub to: Option<Address>,
    /// Calldata, or init code.
    pub input: Bytes,
    /// Wei.
    pub value: U256,
    /// Gas limit; `None` estimates it, with a margin. An estimate is the least gas with which the
    /// call does not revert: give `fulfill` a limit, for it ends early rather than revert.
    pub gas: Option<u64>,
    /// Most to pay per gas for this call, wei; `None` for what the sender pays at most. While the network
    /// asks for more it is not mined, and is given up after a while: see [`Sender`](crate::Sender).
    pub max_fee_per_gas: Option<u128>,
}

impl Call {
    /// A call without value.
    pub fn new(to: Address, input: Bytes) -> Self {
        Self {
            to: Some(to),
            input,
            value: U256::ZERO,
            gas: None,
            max_fee_per_gas: None,
        }
    }

    /// Creates a contract.
    pub fn create(input: Bytes) -> Self {
        Self {
            to: None,
            input,
            value: U256::ZERO,
            gas: None,
            max_fee_per_gas: None,
        }
    }

    /// The same with value, in wei.
    pub fn with_value(self, value: U256) -> Self {
        Self { value, ..self }
    }

    /// The same with a gas limit.
    pub fn with_gas(self, gas: u64) -> Self {
        Self {
            gas: Some(gas),
            ..self
        }
    }

    /// The same, paying no more than this per gas, wei.
    pub fn with_max_fee(self, max_fee_per_gas: Option<u128>) -> Self {
        Self {
            max_fee_per_gas,
            ..self
        }
    }

    /// What a sender that pays up to `limit` pays for it at most.
    pub(super) fn limit(&self, limit: u128) -> u128 {
        self.max_fee_per_gas.map_or(limit, |own| own.min(limit))
    }
}
