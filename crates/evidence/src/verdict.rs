// SPDX-License-Identifier: Apache-2.0
//! What a verifier says about evidence, check by check.

use alloc::string::String;
use alloc::vec::Vec;

use alloy_primitives::{B256, Bytes};
use serde::{Deserialize, Serialize};
use subrosa_types::id::TeeKind;

use crate::{Check, CheckId, CheckOutcome, Product, TcbStatus};

/// The sum of all checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictStatus {
    /// Every check passed.
    Accepted,
    /// No check failed, but some had no expectation. Not an acceptance.
    GenuineNotAppraised,
    /// A check failed.
    Rejected,
}

/// Every check that was made on one piece of evidence or one attestation result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The sum.
    pub status: VerdictStatus,
    /// Whether this is development evidence, which protects nothing. To be shown wherever the
    /// verdict is.
    pub development: bool,
    /// Hash of the policy that was applied.
    pub policy: B256,
    /// In what that policy, or what was expected, is laxer than the strict default. To be shown
    /// wherever the verdict is.
    #[serde(default)]
    pub relaxations: Vec<String>,
    /// What the evidence is of, if it is genuine.
    #[serde(default)]
    pub subject: Option<Subject>,
    /// The checks, in the order in which they were made.
    pub checks: Vec<Check>,
}

/// What genuine evidence is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The kind of TEE.
    pub tee: TeeKind,
    /// The family of the hardware.
    pub product: Product,
    /// The root it hangs from.
    pub root_id: B256,
    /// What runs: the platform's measurement.
    pub measurement: Bytes,
    /// H\["measurement"\].
    pub measurement_id: B256,
    /// H\["machine"\].
    pub machine_id: B256,
    /// How up to date the platform is, where the vendor says so.
    pub tcb_status: Option<TcbStatus>,
    /// Advisories that apply.
    pub advisories: Vec<String>,
    /// What vouches for it, and until when.
    pub collateral: Vec<Collateral>,
    /// When the first of it runs out, Unix seconds.
    pub collateral_expires: u64,
}

/// Something beside the evidence that the verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collateral {
    /// What it is: `tcb-info`, `qe-identity`, `pck-crl`, `root-crl`, `vcek`, `ask`, `crl`, ….
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: B256,
    /// When it runs out, Unix seconds.
    pub expires: u64,
}

impl Verdict {
    /// The check named `id`, if it was on the list.
    pub fn check(&self, id: CheckId) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }
}

impl VerdictStatus {
    /// What `checks` amount to. One that could not be made counts as a failure.
    pub fn of(checks: &[Check]) -> Self {
        let any = |outcome| checks.iter().any(|check| check.outcome == outcome);
        if any(CheckOutcome::Failed) || any(CheckOutcome::NotEvaluated) {
            Self::Rejected
        } else if any(CheckOutcome::NotAppraised) {
            Self::GenuineNotAppraised
        } else {
            Self::Accepted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_could_not_be_made_is_never_an_acceptance() {
        let passed = Check::passed(CheckId::Root, "x");
        assert_eq!(
            VerdictStatus::of(std::slice::from_ref(&passed)),
            VerdictStatus::Accepted
        );
        assert_eq!(
            VerdictStatus::of(&[passed.clone(), Check::not_evaluated(CheckId::Debug)]),
            VerdictStatus::Rejected
        );
        assert_eq!(
            VerdictStatus::of(&[passed, Check::not_appraised(CheckId::Challenge, "x")]),
            VerdictStatus::GenuineNotAppraised
        );
    }
}
