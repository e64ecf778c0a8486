// SPDX-License-Identifier: Apache-2.0
//! What a caller is told, and under which code.
//!
//! Codes of JSON-RPC 2.0 itself (-32700, -32600 to -32603) keep their meaning. The server answers
//! -32007 to a request that is too large, -32008 where a response would be, -32009 when it has too
//! many connections, and -32010 and -32011 to batches that are too large. Everything else:
//!
//! | code | name | meaning | what to do |
//! |---|---|---|---|
//! | -32040 | `not-ready` | no admitted enclave serves at the moment | try again |
//! | -32041 | `unknown-contract` | the contract is not registered, or not deployed here | check the id; deploy it |
//! | -32042 | `unknown-entry` | the log has no such entry, as far as this node has seen | check the number; try again |
//! | -32043 | `not-fulfilled` | the entry is not fulfilled on chain yet | try again |
//! | -32044 | `receipt-unavailable` | the entry was fulfilled by someone whose signature, or whose admission by a verifier, this node cannot show | ask another node |
//! | -32045 | `code-envelope-refused` | the code envelope does not open, or is not what was registered or announced | seal it again to the current epoch |
//! | -32046 | `query-refused` | the query does not open, is expired, or is not signed by its caller | seal and sign it again |
//! | -32047 | `no-result` | the enclave cannot serve this contract: a key, a state or a feature is missing | ask another node; tell the operator |
//! | -32048 | `verifier-unavailable` | the attestation service gave no result | try again; tell the operator |
//! | -32049 | `busy` | too many calls wait for the enclave | try again later |
//! | -32050 | `challenge-refused` | the challenge is not 16 to 64 bytes | draw another |
//! | -32051 | `envelope-too-large` | the envelope is larger than any that is accepted | shrink the code or the input |
//! | -32052 | `too-often` | this address asks more often than one may | try again after `retryAfterMilliseconds`, which is in the error's `data` |
//! | -32053 | `too-many` | this address has too many calls under way | wait for an answer first |

use std::time::Duration;

use jsonrpsee::types::ErrorObjectOwned;
use serde_json::json;
use subrosa_chain::ChainError;
use subrosa_store::StoreError;
use subrosa_types::{
    ContractId,
    frame::{ErrorCode, FrameError},
};
use tracing::error;

use crate::{enclave::EnclaveError, verifier::VerifierError};

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RpcError {
    /// No admitted enclave serves at the moment.
    #[error("no admitted enclave serves at the moment")]
    NotReady,
    /// The contract is not registered, or not deployed here.
    #[error("contract {0} is not known here")]
    UnknownContract(ContractId),
    /// The log has no such entry, as far as this node has seen.
    #[error("contract {contract} has no entry {seq} that this node has seen")]
    UnknownEntry {
        /// The contract.
        contract: ContractId,
        /// The entry.
        seq: u64,
    },
    /// The entry is not fulfilled on chain yet.
    #[error("entry {seq} of {contract} is not fulfilled on chain yet")]
    NotFulfilled {
        /// The contract.
        contract: ContractId,
        /// The entry.
        seq: u64,
    },
    /// Signature or admission of whoever fulfilled the entry cannot be shown here.
    #[error(
        "no receipt of entry {seq} of {contract}: its signature, or a verifier's admission of its \
         signer, is not available here"
    )]
    ReceiptUnavailable {
        /// The contract.
        contract: ContractId,
        /// The entry.
        seq: u64,
    },
    /// The envelope does not open, or is not what was registered or announced.
    #[error("deployment refused: {0}")]
    CodeEnvelopeRefused(String),
    /// The query does not open, is expired, or is not signed by its caller.
    #[error("query refused: {0}")]
    QueryRefused(String),
    /// The enclave cannot serve this contract.
    #[error("no result: {0}")]
    NoResult(String),
    /// The attestation service gave no result.
    #[error("the attestation service gave no result")]
    Verifier(#[source] VerifierError),
    /// Too many calls wait for the enclave.
    #[error("too many calls wait for the enclave")]
    Busy,
    /// The client's address asks more often than one may; how long it is to wait.
    #[error("this address asks too often, try again in {} ms", milliseconds(.0))]
    TooOften(Duration),
    /// The client's address has too many calls under way.
    #[error("this address has too many calls under way")]
    TooMany,
    /// The challenge is not 16 to 64 bytes.
    #[error("challenge of {0} bytes, 16 to 64 are accepted")]
    Challenge(usize),
    /// The envelope is larger than any that is accepted.
    #[error("envelope of {bytes} bytes, at most {most} are accepted")]
    EnvelopeTooLarge {
        /// Its length.
        bytes: usize,
        /// The longest accepted.
        most: usize,
    },
    /// The store failed.
    #[error("internal error")]
    Store(#[from] StoreError),
    /// Something failed that a caller can do nothing about.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl RpcError {
    /// The code a caller sees.
    pub fn code(&self) -> i32 {
        match self {
            Self::NotReady => -32040,
            Self::UnknownContract(_) => -32041,
            Self::UnknownEntry { .. } => -32042,
            Self::NotFulfilled { .. } => -32043,
            Self::ReceiptUnavailable { .. } => -32044,
            Self::CodeEnvelopeRefused(_) => -32045,
            Self::QueryRefused(_) => -32046,
            Self::NoResult(_) => -32047,
            Self::Verifier(_) => -32048,
            Self::Busy => -32049,
            Self::Challenge(_) => -32050,
            Self::EnvelopeTooLarge { .. } => -32051,
            Self::TooOften(_) => -32052,
            Self::TooMany => -32053,
            Self::Store(_) | Self::Internal(_) => jsonrpsee::types::error::INTERNAL_ERROR_CODE,
        }
    }
}

impl From<EnclaveError> for RpcError {
    fn from(error: EnclaveError) -> Self {
        match error {
            EnclaveError::Refused(error) => refused(error),
            EnclaveError::Disconnected => Self::NotReady,
            error => Self::Internal(Box::new(error)),
        }
    }
}

impl From<ChainError> for RpcError {
    fn from(error: ChainError) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl From<RpcError> for ErrorObjectOwned {
    /// Internal errors are logged and not explained: their causes name files and addresses.
    fn from(error: RpcError) -> Self {
        if let RpcError::Store(_) | RpcError::Internal(_) | RpcError::Verifier(_) = &error {
            error!(error = &error as &dyn std::error::Error, "call failed");
        }
        let data = match &error {
            RpcError::TooOften(wait) => {
                Some(json!({ "retryAfterMilliseconds": milliseconds(wait) }))
            }
            _ => None,
        };
        Self::owned(error.code(), error.to_string(), data)
    }
}

/// Whole milliseconds, none of them missing.
fn milliseconds(wait: &Duration) -> u64 {
    let millis = wait.as_nanos().div_ceil(1_000_000);
    u64::try_from(millis).unwrap_or(u64::MAX)
}

fn refused(error: FrameError) -> RpcError {
    match error.code {
        ErrorCode::UnknownContract => {
            RpcError::NoResult(format!("contract is not loaded: {}", error.message))
        }
        ErrorCode::CodeEnvelope => RpcError::CodeEnvelopeRefused(error.message),
        ErrorCode::Query => RpcError::QueryRefused(error.message),
        ErrorCode::OutOfOrder => RpcError::NotReady,
        ErrorCode::MissingKey
        | ErrorCode::Unsupported
        | ErrorCode::Generation
        | ErrorCode::Blob => RpcError::NoResult(error.message),
        _ => RpcError::Internal(Box::new(error)),
    }
}

/// One of each, for the tests that hold the documents against the code.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<RpcError> {
    let (contract, seq) = (ContractId::ZERO, 0);
    vec![
        RpcError::NotReady,
        RpcError::UnknownContract(contract),
        RpcError::UnknownEntry { contract, seq },
        RpcError::NotFulfilled { contract, seq },
        RpcError::ReceiptUnavailable { contract, seq },
        RpcError::CodeEnvelopeRefused(String::new()),
        RpcError::QueryRefused(String::new()),
        RpcError::NoResult(String::new()),
        RpcError::Verifier(VerifierError::Malformed(String::new())),
        RpcError::Busy,
        RpcError::Challenge(0),
        RpcError::EnvelopeTooLarge { bytes: 0, most: 0 },
        RpcError::TooOften(Duration::ZERO),
        RpcError::TooMany,
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The rows of the first table that starts with a code, in a text.
    fn rows(text: &str) -> Vec<String> {
        let lines = text
            .lines()
            .map(|line| line.trim_start_matches("//!").trim());
        lines
            .filter(|line| line.starts_with("| -32"))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_document_repeats_the_table_above() {
        let here = rows(include_str!("error.rs"));
        let document = rows(include_str!("../../../../docs/rpc-errors.md"));
        assert_eq!(here, document);
        assert!(!here.is_empty());
    }

    #[test]
    fn the_table_has_every_code_once_and_no_other() {
        let table: Vec<i32> = rows(include_str!("error.rs"))
            .iter()
            .map(|row| row.split('|').nth(1).unwrap().trim().parse().unwrap())
            .collect();
        let codes: BTreeSet<i32> = one_of_each().iter().map(RpcError::code).collect();
        assert_eq!(table.iter().copied().collect::<BTreeSet<_>>(), codes);
        assert_eq!(table.len(), codes.len());
    }

    #[test]
    fn who_asks_too_often_is_told_when_to_try_again() {
        let object = ErrorObjectOwned::from(RpcError::TooOften(Duration::from_micros(1_500)));
        assert_eq!(object.code(), -32052);
        let data = object.data().unwrap().get();
        assert_eq!(data, r#"{"retryAfterMilliseconds":2}"#);
    }

    #[test]
    fn internal_errors_say_nothing_of_their_cause() {
        let cause = std::io::Error::other("/var/lib/subrosa/secret-path");
        let object = ErrorObjectOwned::from(RpcError::Internal(Box::new(cause)));
        assert_eq!(object.code(), -32603);
        assert_eq!(object.message(), "internal error");
        assert!(object.data().is_none());
    }
}
