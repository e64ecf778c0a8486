// SPDX-License-Identifier: Apache-2.0
//! Why the chain gave no answer, or an unusable one.

use alloy::{
    primitives::{Address, B256},
    transports::{RpcError, TransportErrorKind},
};

/// Why the chain gave no answer, or an unusable one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No endpoint is configured, or a URL cannot be used.
    #[error("unusable endpoint: {0}")]
    Endpoint(String),
    /// The node cannot be reached or refuses the request.
    #[error("chain request failed")]
    Rpc(#[from] RpcError<TransportErrorKind>),
    /// The node took longer than allowed.
    #[error("chain request timed out")]
    Timeout,
    /// A call could not be made or its answer not decoded.
    #[error("contract call failed")]
    Contract(#[from] alloy::contract::Error),
    /// A block that was there is no more, or never was.
    #[error("block {0} is unknown to the node")]
    UnknownBlock(String),
    /// The header's encoding does not hash to the block's hash: the node speaks of a header with
    /// fields this build does not know.
    #[error("header of block {expected} hashes to {found}")]
    HeaderHash {
        /// The block's hash, as the node says.
        expected: B256,
        /// keccak256 of the header's fields.
        found: B256,
    },
    /// An answer contradicts itself or the question.
    #[error("inconsistent answer: {0}")]
    Inconsistent(&'static str),
    /// A log of the oracle that is not one of its events.
    #[error("undecodable log {index} in block {block}")]
    UndecodableLog {
        /// Block of the log.
        block: u64,
        /// Its index in the block.
        index: u64,
    },
    /// There is no contract at the address.
    #[error("no contract at {0}")]
    NoContract(Address),
}
