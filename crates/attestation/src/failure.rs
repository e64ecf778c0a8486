// SPDX-License-Identifier: Apache-2.0
//! Why evidence is not genuine.

use alloc::string::String;
use core::fmt;

use subrosa_evidence::{CheckId, shown};

use crate::VerifyError;

/// The first check that a kind of evidence failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) check: CheckId,
    pub(crate) expected: String,
    pub(crate) found: String,
    /// Fresh collateral could change the verdict.
    pub(crate) stale: bool,
    /// The evidence names the development root.
    pub(crate) development: bool,
}

impl Failure {
    /// The evidence must not be trusted.
    pub(crate) fn rejected(
        check: CheckId,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Self {
            check,
            expected: shown(expected),
            found: shown(found),
            stale: false,
            development: false,
        }
    }

    /// Fresh collateral, or fresh evidence, could change the verdict.
    pub(crate) fn stale(
        check: CheckId,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Self {
            stale: true,
            ..Self::rejected(check, expected, found)
        }
    }

    /// A part that is missing or does not parse.
    pub(crate) fn format(expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self::rejected(CheckId::EvidenceFormat, expected, found)
    }

    pub(crate) fn error(&self) -> VerifyError {
        let (check, expected, found) = (self.check, self.expected.clone(), self.found.clone());
        if self.stale {
            VerifyError::Stale {
                check,
                expected,
                found,
            }
        } else {
            VerifyError::Rejected {
                check,
                expected,
                found,
            }
        }
    }
}
