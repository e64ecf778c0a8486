// SPDX-License-Identifier: Apache-2.0
//! Why a transaction failed, and what a node's refusal means.

use alloy::transports::{RpcError, TransportErrorKind};

use crate::{ChainError, revert_reason};

/// Why a record could not be written.
pub type RecordError = Box<dyn std::error::Error + Send + Sync>;

/// Why a transaction failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// It would revert, or did; with the reason as far as it is known.
    #[error("transaction reverts: {0}")]
    Reverted(String),
    /// The node does not take it; with the node's words.
    #[error("node refuses the transaction: {0}")]
    Refused(String),
    /// It could not be recorded, and so was not sent.
    #[error("transaction could not be recorded")]
    Record(#[source] RecordError),
    /// It could not be signed.
    #[error("transaction could not be signed")]
    Sign(#[source] alloy::signers::Error),
    /// A recorded attempt is not a transaction of this key, chain and nonce.
    #[error("recorded transaction is not one of this key, chain and nonce")]
    Unusable,
    /// It is not mined yet.
    #[error("transaction with nonce {nonce} is not mined yet")]
    Timeout {
        /// Its nonce.
        nonce: u64,
    },
    /// Another transaction has its nonce.
    #[error("nonce {nonce} was used by another transaction of this key")]
    NonceTaken {
        /// The nonce.
        nonce: u64,
    },
    /// The sender is gone.
    #[error("sender is closed")]
    Closed,
    /// The chain gave no answer.
    #[error("chain gives no answer")]
    Chain(#[source] Box<ChainError>),
}

impl From<ChainError> for SendError {
    fn from(error: ChainError) -> Self {
        Self::Chain(Box::new(error))
    }
}

impl SendError {
    /// What a failed estimate means.
    pub(super) fn from_estimate(error: RpcError<TransportErrorKind>) -> Self {
        let Some(payload) = error.as_error_resp() else {
            return ChainError::from(error).into();
        };
        let Some(data) = payload.as_revert_data() else {
            return Self::Refused(payload.message.to_string());
        };
        Self::Reverted(revert_reason(&data).unwrap_or_else(|| payload.message.to_string()))
    }
}

/// What a node means by not taking a signed transaction.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It has it already: no refusal.
    Known,
    /// A transaction with this nonce is mined.
    NonceTooLow,
    /// The fees are too low, to be taken or to replace another.
    Underpriced,
    /// Something else, in the node's words.
    Other(String),
    /// No answer: it may or may not have it.
    Unclear(ChainError),
}

impl From<ChainError> for Refusal {
    fn from(error: ChainError) -> Self {
        let message = match &error {
            ChainError::Rpc(error) => error
                .as_error_resp()
                .map(|payload| payload.message.to_string()),
            _ => None,
        };
        let Some(message) = message else {
            return Self::Unclear(error);
        };
        // There are no codes for these; the words are those of geth, reth, erigon, nethermind,
        // besu and anvil.
        let lower = message.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|words| lower.contains(words));
        if says(&[
            "already known",
            "alreadyknown",
            "known transaction",
            "already imported",
        ]) {
            Self::Known
        } else if says(&[
            "nonce too low",
            "nonce is too low",
            "oldnonce",
            "nonce below",
        ]) {
            Self::NonceTooLow
        } else if says(&[
            "underpriced",
            "replacement fee too low",
            "gas price too low",
            "less than block base fee",
            "feetoolow",
            "max fee per gas less than",
        ]) {
            Self::Underpriced
        } else {
            Self::Other(message)
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy::rpc::json_rpc::ErrorPayload;

    use super::*;

    fn refusal(message: &'static str) -> Refusal {
        let payload = ErrorPayload {
            code: -32000,
            message: message.into(),
            data: None,
        };
        ChainError::from(RpcError::ErrorResp(payload)).into()
    }

    #[test]
    fn the_words_of_known_clients_are_understood() {
        for words in ["already known", "AlreadyKnown", "Known transaction"] {
            assert!(matches!(refusal(words), Refusal::Known), "{words}");
        }
        for words in [
            "nonce too low",
            "nonce too low: next nonce 5, tx nonce 4",
            "OldNonce",
        ] {
            assert!(matches!(refusal(words), Refusal::NonceTooLow), "{words}");
        }
        for words in [
            "replacement transaction underpriced",
            "transaction underpriced: tip needed 1, tip permitted 0",
            "max fee per gas less than block base fee: address 0x00",
        ] {
            assert!(matches!(refusal(words), Refusal::Underpriced), "{words}");
        }
        for words in [
            "insufficient funds for gas * price + value",
            "intrinsic gas too low",
        ] {
            assert!(matches!(refusal(words), Refusal::Other(_)), "{words}");
        }
        assert!(matches!(
            Refusal::from(ChainError::Timeout),
            Refusal::Unclear(ChainError::Timeout)
        ));
    }
}
