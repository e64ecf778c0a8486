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
}

impl Call {
    /// A call without value.
    pub fn new(to: Address, input: Bytes) -> Self {
        Self {
            to: Some(to),
            input,
            value: U256::ZERO,
            gas: None,
        }
    }

    /// Creates a contract.
    pub fn create(input: Bytes) -> Self {
        Self {
            to: None,
            input,
            value: U256::ZERO,
            gas: None,
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
}
