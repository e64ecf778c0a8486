// SPDX-License-Identifier: Apache-2.0
//! Why the chain failed a node.

use subrosa_chain::{ChainError, send::SendError};
use subrosa_store::StoreError;

/// Why the chain failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainAccessError {
    /// The chain, or a contract on it, is not the configured one.
    #[error("{what} is {found} on the chain, {expected} in [measured]")]
    Elsewhere {
        /// What differs.
        what: &'static str,
        /// As configured.
        expected: String,
        /// As found.
        found: String,
    },
    /// The chain gave no answer, or an unusable one.
    #[error("the chain gave no usable answer")]
    Chain(#[from] ChainError),
    /// A transaction could not be sent, or failed.
    #[error("a transaction failed")]
    Send(#[from] SendError),
    /// An earlier transaction is still not mined.
    #[error("transaction with nonce {0} is not mined yet")]
    NotMined(u64),
    /// A transaction could not be noted down, or found again.
    #[error("the store failed")]
    Store(#[from] StoreError),
}
