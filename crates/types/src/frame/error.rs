// SPDX-License-Identifier: Apache-2.0
//! What the enclave answers when there is no result.

use alloc::{string::String, string::ToString};

use serde::{Deserialize, Serialize};

/// The enclave could not or would not do what was asked; its state is unchanged.
///
/// Never a signed failure: those are results, and come in
/// [`ExecutedEntry`](super::ExecutedEntry).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code:?}: {message}")]
pub struct FrameError {
    /// What kind of refusal, for the host to act on.
    pub code: ErrorCode,
    /// What failed and the value at fault; never a secret.
    pub message: String,
}

impl FrameError {
    /// A refusal with a reason.
    pub fn new(code: ErrorCode, message: impl core::fmt::Display) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }
}

/// Who must act on a refusal, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The frame did not decode, or was too large. The stream goes on.
    Malformed,
    /// The other side speaks another version.
    Version,
    /// The request comes too early or too late: before the start, after another start, for an epoch
    /// that is not proposed.
    OutOfOrder,
    /// The configuration is refused.
    Config,
    /// A proof does not verify: fetch it again.
    Proof,
    /// The entry does not continue this contract's log: load the right state.
    Sequence,
    /// The contract is not loaded: load its blobs, or deploy it.
    UnknownContract,
    /// The key that is named is not held here: no result, ever, from this enclave as it is.
    MissingKey,
    /// The code envelope of a deployment or an upgrade is missing, does not open or does not match
    /// its commitment: the client's fault.
    CodeEnvelope,
    /// A sealed blob does not open, or is not the continuation asked for.
    Blob,
    /// A query that cannot be answered: envelope, caller's signature or freshness.
    Query,
    /// The platform failed to quote, or to give randomness.
    Platform,
    /// Something this build does not implement.
    Unsupported,
    /// The entry's runtime generation is not in this build: show a
    /// [`Reassignment`](super::Reassignment) to one that is, if the log has it.
    Generation,
    /// Header trust refuses the update: fetch another.
    Update,
    /// Too much of this kind is waiting already: ask again later.
    Busy,
    /// The engine broke while it executed this entry, which costs this one call: no result from this
    /// build. Keys and other contracts are as they were.
    Broken,
}
