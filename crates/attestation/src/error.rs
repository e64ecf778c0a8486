// SPDX-License-Identifier: Apache-2.0
//! Why evidence or an attestation result is not accepted.

use alloc::string::String;

use subrosa_evidence::CheckId;

/// Why evidence or an attestation result is not accepted by [`verify`](crate::verify) and the
/// functions beside it.
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
