// SPDX-License-Identifier: Apache-2.0
//! Errors, divided by who must act.

use crate::{EpochId, Suite, envelope::purpose::Purpose};

/// Why an envelope is refused. The same bytes under the same key and expectation are refused by
/// every enclave alike, so a rejection may be signed: it advances a log with unchanged state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// Fewer bytes than the header, or the part of it read so far, calls for.
    #[error("envelope is truncated: {found} bytes, at least {needed} needed")]
    Truncated {
        /// Bytes needed, as far as the part that is there tells.
        needed: usize,
        /// Bytes there are.
        found: usize,
    },
    /// More than [`MAX_ENVELOPE_LEN`](crate::envelope::MAX_ENVELOPE_LEN) bytes.
    #[error("envelope of {found} bytes is too long")]
    TooLong {
        /// Bytes there are.
        found: usize,
    },
    /// A format version that this code does not know.
    #[error("unknown envelope version {0}")]
    UnknownVersion(u8),
    /// A suite byte that this code does not know.
    #[error("unknown cipher suite {0}")]
    UnknownSuite(u8),
    /// A mode byte that this code does not know.
    #[error("unknown envelope mode {0}")]
    UnknownMode(u8),
    /// A purpose byte that no envelope carries.
    #[error("unknown envelope purpose {0}")]
    UnknownPurpose(u8),
    /// An envelope made for something else.
    #[error("envelope's purpose is {found:?}, not {expected:?}")]
    WrongPurpose {
        /// What the caller is about to do with the plaintext.
        expected: Purpose,
        /// What the header says.
        found: Purpose,
    },
    /// The header names another (group, epoch) than the log entry does.
    #[error("envelope names {found}, its entry names {expected}")]
    OtherEpoch {
        /// What the log entry names.
        expected: EpochId,
        /// What the header names.
        found: EpochId,
    },
    /// The entry is younger than the envelope allows.
    #[error("envelope expired at {expiry}, its entry is of {timestamp}")]
    Expired {
        /// The header's expiry, Unix seconds.
        expiry: u64,
        /// The entry's timestamp, Unix seconds.
        timestamp: u64,
    },
    /// The envelope carries no key but names a session.
    #[error("envelope is of session {session}")]
    InSession {
        /// The session the header names.
        session: u64,
    },
    /// The envelope is not of this session: of another, of another suite, or of none.
    #[error("envelope is not of session {expected}")]
    OtherSession {
        /// The session it was to be opened in.
        expected: u64,
    },
    /// The key-commitment tag is not the one this key yields.
    #[error("envelope is not committed to this key")]
    KeyCommitment,
    /// The encapsulated key is invalid or the ciphertext does not authenticate.
    #[error("envelope does not open")]
    DoesNotOpen,
    /// What came out is not the ABI encoding of what the purpose calls for, or, in a session, is
    /// padded wrongly.
    #[error("envelope's plaintext does not decode")]
    Plaintext,
}

/// Why [`envelope::open`](crate::envelope::open) yields nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Every enclave refuses this envelope alike.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// These are not the keys the log entry names. Says nothing about the envelope: an enclave
    /// without the key has *no result*, never a failure to sign.
    #[error("the key of {named} is not held here")]
    KeyNotHeld {
        /// The (group, epoch) that the log entry names.
        named: EpochId,
    },
}

impl OpenError {
    /// Whether every enclave that holds the named key fails in this way, so that the failure may
    /// be signed. Otherwise there is no result.
    pub fn is_deterministic(&self) -> bool {
        match self {
            Self::Rejected(_) => true,
            Self::KeyNotHeld { .. } => false,
        }
    }
}

/// Why bytes are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A suite byte that this code does not know, or no byte at all.
    #[error("unknown cipher suite of a public key")]
    UnknownSuite,
    /// A public key of another size than its suite's.
    #[error("{suite:?} public key has {found} bytes, not {}", suite.public_key_len())]
    Length {
        /// The suite.
        suite: Suite,
        /// Bytes there are.
        found: usize,
    },
    /// A public key that is not reduced (ML-KEM, FIPS 203 section 7.2) or of small order (X25519).
    #[error("invalid {0:?} public key")]
    Invalid(Suite),
    /// 32 bytes that are no secp256k1 private key: zero, or not below the group order.
    #[error("invalid secp256k1 private key")]
    Signer,
}

/// Why something cannot be sealed. Our side's fault, or an oversized input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The plaintext exceeds what the format holds.
    #[error("plaintext of {found} bytes exceeds {limit}")]
    TooLong {
        /// Bytes there are.
        found: usize,
        /// Bytes there may be.
        limit: usize,
    },
    /// The recipient's public key yields no shared secret.
    #[error("recipient's public key yields no shared secret")]
    UnusableKey,
}

/// Why a sealed reply yields nothing to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// Not the layout of a reply: wrong version, purpose, size class or length.
    #[error("malformed sealed reply")]
    Malformed,
    /// Sealed for a key of another suite.
    #[error("sealed reply is for another cipher suite")]
    OtherSuite,
    /// Not for this key, or not the answer to this entry or query.
    #[error("sealed reply does not open")]
    DoesNotOpen,
}

/// Why a sealed blob yields nothing. The host handed in the wrong bytes: ask for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// A format version that this code does not know.
    #[error("unknown blob version {0}")]
    UnknownVersion(u8),
    /// Not the layout of a blob: unknown kind or size class, or a length that is not its class's.
    #[error("malformed blob")]
    Malformed,
    /// A blob of another kind, codec or seq than asked for.
    #[error("blob is of another kind, codec or seq")]
    OtherBlob,
    /// Sealed under another key, for another place, or altered.
    #[error("blob does not open")]
    DoesNotOpen,
}

/// Why a transferred epoch secret is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// Not the layout of a transferred secret.
    #[error("malformed epoch secret transfer")]
    Malformed,
    /// Not for this key, or bound to another transcript or epoch.
    #[error("epoch secret transfer does not open")]
    DoesNotOpen,
}
