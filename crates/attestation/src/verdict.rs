// SPDX-License-Identifier: Apache-2.0
//! From checks to a verdict, and from a verdict to an error.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use subrosa_evidence::{Check, CheckId, CheckOutcome, Verdict, VerdictStatus};

use crate::{Claims, Policy, VerifyError};

/// The verdict on something that cannot even be read as evidence.
pub fn unreadable(policy: &Policy, why: impl fmt::Display) -> Verdict {
    let check = Check::compare(
        CheckId::EvidenceFormat,
        false,
        "evidence of a known kind",
        why,
    );
    on_strangers(false, policy, vec![check])
}

/// The verdict on evidence that is not genuine, and so says nothing of itself.
pub(crate) fn on_strangers(development: bool, policy: &Policy, checks: Vec<Check>) -> Verdict {
    Verdict {
        status: VerdictStatus::of(&checks),
        development,
        policy: policy.hash(),
        relaxations: policy.relaxations(),
        subject: None,
        checks,
    }
}

/// The verdict on evidence that says `claims`.
pub(crate) fn on_claims(claims: &Claims, policy: &Policy, checks: Vec<Check>) -> Verdict {
    Verdict {
        subject: Some(claims.into()),
        ..on_strangers(claims.is_development(), policy, checks)
    }
}

/// The first failure as an error.
pub(crate) fn rejection(verdict: &Verdict) -> Option<VerifyError> {
    let failed = first(verdict, CheckOutcome::Failed)?;
    Some(VerifyError::Rejected {
        check: failed.id,
        expected: failed.expected.clone(),
        found: failed.found.clone(),
    })
}

/// The first check without expectation as an error.
pub(crate) fn omission(verdict: &Verdict) -> Option<VerifyError> {
    let omitted = first(verdict, CheckOutcome::NotAppraised)?;
    Some(VerifyError::NotAppraised { check: omitted.id })
}

fn first(verdict: &Verdict, outcome: CheckOutcome) -> Option<&Check> {
    verdict.checks.iter().find(|check| check.outcome == outcome)
}
