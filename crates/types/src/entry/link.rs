// SPDX-License-Identifier: Apache-2.0
//! What an entry adds to the chain of digests.

use alloy_primitives::{Address, B256, U256};

use crate::{ContractId, domain::Domain};

/// An entry as far as its digest goes: with the digest before it, all that there is to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Link {
    /// [`Entry::execution_hash`](super::Entry::execution_hash).
    pub execution_hash: B256,
    /// The settlement word.
    pub settlement: U256,
    /// The payment word.
    pub payment: U256,
}

impl Link {
    /// The digest of the entry in the log of (chain, oracle, contract), after the entry whose digest is
    /// `previous`.
    pub fn digest(&self, log: (u64, Address, ContractId), previous: B256) -> B256 {
        let (chain_id, oracle, contract) = log;
        mask_digest(Domain::Entry.hash(&(
            U256::from(chain_id),
            oracle,
            contract,
            previous,
            self.execution_hash,
            self.settlement,
            self.payment,
        )))
    }

    /// The entry's position in the log.
    pub fn seq(&self) -> u64 {
        self.payment.as_limbs()[0] & ((1 << 48) - 1)
    }
}

/// Clears the low byte, which in the oracle's slot holds the settlement status.
pub fn mask_digest(word: B256) -> B256 {
    let mut word = word;
    word.0[31] = 0;
    word
}
