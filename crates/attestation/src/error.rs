// SPDX-License-Identifier: Apache-2.0
//! Why evidence or an attestation result is not accepted.

use subrosa_types::id::EvidencePart;

use crate::CheckId;

/// Why an encoded bundle is refused. The peer must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It ends too early.
    #[error("evidence bundle ends too early")]
    Truncated,
    /// Bytes follow it.
    #[error("{0} bytes follow the evidence bundle")]
    Trailing(usize),
    /// Of a version this build does not speak.
    #[error("evidence bundle version {0}, expected 2")]
    Version(u8),
    /// Of a TEE kind that has no number.
    #[error("unknown TEE kind {0}")]
    Kind(u8),
    /// Not a bundle at all.
    #[error("not an evidence bundle: it does not begin with \"sreb\"")]
    Magic,
    /// A part that has no number.
    #[error("unknown part {0} of an evidence bundle")]
    Part(u8),
    /// A part that is there twice, or out of order.
    #[error("part {0} of the evidence bundle is out of order")]
    PartOrder(u8),
    /// A part is larger than it may be.
    #[error("{part:?} of {found} bytes is larger than {limit}")]
    PartTooLarge {
        /// Which.
        part: EvidencePart,
        /// Its length, bytes.
        found: usize,
        /// The largest, bytes.
        limit: usize,
    },
}

/// Why [`verify`](crate::verify) and its kin do not accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The evidence or the result must not be trusted.
    #[error("check {check} failed: expected {expected}, found {found}")]
    Rejected {
        /// The first check that failed.
        check: CheckId,
        /// What would have passed.
        expected: String,
        /// What was there.
        found: String,
    },
    /// The quote may be sound, but what vouches for it is out of date: fetch fresh collateral or a
    /// fresh attestation result, and try again.
    #[error("check {check} failed, fetch it afresh: expected {expected}, found {found}")]
    Stale {
        /// The check that failed.
        check: CheckId,
        /// What would have passed.
        expected: String,
        /// What was there.
        found: String,
    },
    /// Genuine as far as it was looked at, but the caller did not say what to expect.
    #[error("genuine, but not appraised: no expectation was given for {check}")]
    NotAppraised {
        /// The first check that had nothing to compare with.
        check: CheckId,
    },
}

impl VerifyError {
    /// The check that decided.
    pub fn check(&self) -> CheckId {
        match self {
            Self::Rejected { check, .. }
            | Self::Stale { check, .. }
            | Self::NotAppraised { check } => *check,
        }
    }
}
