// SPDX-License-Identifier: Apache-2.0
//! Accounts inside a contract's machine.

use alloc::vec::Vec;

use alloy_primitives::{B256, KECCAK256_EMPTY};

/// An account: nonce (8 bytes, big-endian) ‖ code hash (32 bytes). There is no balance: no value
/// enters a confidential contract, so there is none to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountRecord {
    /// How many contracts it has created, plus one for a contract (EIP-161).
    pub nonce: u64,
    /// keccak256 of its code; of the empty string if it has none.
    pub code_hash: B256,
}

impl AccountRecord {
    /// Bytes of the encoding.
    pub const SIZE: usize = 40;

    /// Whether it has code.
    pub fn has_code(&self) -> bool {
        self.code_hash != KECCAK256_EMPTY
    }

    /// Whether it is as if it did not exist (EIP-161). Such an account is never stored.
    pub fn is_empty(&self) -> bool {
        self.nonce == 0 && !self.has_code()
    }

    /// The encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::SIZE);
        out.extend_from_slice(&self.nonce.to_be_bytes());
        out.extend_from_slice(self.code_hash.as_slice());
        out
    }

    /// Reads an encoding; `None` if it has another length or stands for an empty account.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (nonce, code_hash) = bytes.split_first_chunk::<8>()?;
        let record = Self {
            nonce: u64::from_be_bytes(*nonce),
            code_hash: B256::from(<[u8; 32]>::try_from(code_hash).ok()?),
        };
        (!record.is_empty()).then_some(record)
    }
}
