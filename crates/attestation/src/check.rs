// SPDX-License-Identifier: Apache-2.0
//! Named checks and what becomes of them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::VerifyError;

/// The stable name of a check. Error messages, verdicts, the command line and the documentation
/// all use [`CheckId::as_str`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CheckId {
    /// `evidence.format`: quote and collateral parse and are of a supported kind.
    EvidenceFormat,
    /// `root`: the chain ends in a pinned root that the policy accepts. The development root is
    /// accepted only if development evidence is.
    Root,
    /// `tdx.certificates`: every certificate chain and revocation list verifies and is in force.
    TdxCertificates,
    /// `tdx.collateral`: TCB info and QE identity are signed and in force.
    TdxCollateral,
    /// `tdx.quoting-enclave`: the quoting enclave is Intel's and vouches for the attestation key.
    TdxQuotingEnclave,
    /// `tdx.signature`: the attestation key signed this report.
    TdxSignature,
    /// `tcb.level`: the TCB info is about this platform and lists a level it meets, not revoked.
    TcbLevel,
    /// `tdx.attributes`: no migration, no service TD, no reserved attribute, SEPT_VE_DISABLE set.
    TdxAttributes,
    /// `debug`: neither debugging nor profiling is enabled.
    Debug,
    /// `tcb.status`: the status of the platform's level is one that the policy accepts.
    TcbStatus,
    /// `tcb.evaluation`: the collateral is of a recent enough TCB recovery.
    TcbEvaluation,
    /// `machine`: the machine is on the policy's list, if it has one.
    Machine,
    /// `ear.format`: the attestation result parses, is signed with ES256 and is of this profile.
    EarFormat,
    /// `ear.key`: it names a key of a trusted verifier.
    EarKey,
    /// `ear.signature`: that key signed it.
    EarSignature,
    /// `ear.issuer`: it is issued by the verifier whose key it is.
    EarIssuer,
    /// `ear.fresh`: it is in force.
    EarFresh,
    /// `ear.status`: the verifier affirms.
    EarStatus,
    /// `measurement`: what runs is what was expected to run.
    Measurement,
    /// `config`: it was started with the expected configuration.
    Config,
    /// `report-data`: it binds the expected keys and configuration.
    ReportData,
    /// `challenge`: it answers the expected challenge.
    Challenge,
}

impl CheckId {
    /// Every check, in the order in which they are made.
    pub const ALL: [Self; 22] = [
        Self::EvidenceFormat,
        Self::EarFormat,
        Self::EarKey,
        Self::EarSignature,
        Self::EarIssuer,
        Self::EarFresh,
        Self::EarStatus,
        Self::TdxCertificates,
        Self::TdxCollateral,
        Self::TdxQuotingEnclave,
        Self::TdxSignature,
        Self::TcbLevel,
        Self::TdxAttributes,
        Self::Root,
        Self::Debug,
        Self::TcbStatus,
        Self::TcbEvaluation,
        Self::Machine,
        Self::Measurement,
        Self::Config,
        Self::ReportData,
        Self::Challenge,
    ];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EvidenceFormat => "evidence.format",
            Self::Root => "root",
            Self::TdxCertificates => "tdx.certificates",
            Self::TdxCollateral => "tdx.collateral",
            Self::TdxQuotingEnclave => "tdx.quoting-enclave",
            Self::TdxSignature => "tdx.signature",
            Self::TcbLevel => "tcb.level",
            Self::TdxAttributes => "tdx.attributes",
            Self::Debug => "debug",
            Self::TcbStatus => "tcb.status",
            Self::TcbEvaluation => "tcb.evaluation",
            Self::Machine => "machine",
            Self::EarFormat => "ear.format",
            Self::EarKey => "ear.key",
            Self::EarSignature => "ear.signature",
            Self::EarIssuer => "ear.issuer",
            Self::EarFresh => "ear.fresh",
            Self::EarStatus => "ear.status",
            Self::Measurement => "measurement",
            Self::Config => "config",
            Self::ReportData => "report-data",
            Self::Challenge => "challenge",
        }
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for CheckId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CheckId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::ALL
            .into_iter()
            .find(|check| check.as_str() == name)
            .ok_or_else(|| serde::de::Error::custom("unknown check"))
    }
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// There was no expectation to compare with.
    NotAppraised,
    /// An earlier failure left nothing trustworthy to look at.
    NotEvaluated,
}

/// A check and how it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Which.
    pub id: CheckId,
    /// How it went.
    pub outcome: Outcome,
    /// What would have passed, for people.
    pub expected: String,
    /// What was there, for people.
    pub found: String,
}

/// The sum of all checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
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
    /// The checks, in the order in which they were made.
    pub checks: Vec<Check>,
}

impl Verdict {
    pub(crate) fn of(development: bool, checks: Vec<Check>) -> Self {
        let any = |outcome| checks.iter().any(|check| check.outcome == outcome);
        let status = if any(Outcome::Failed) || any(Outcome::NotEvaluated) {
            VerdictStatus::Rejected
        } else if any(Outcome::NotAppraised) {
            VerdictStatus::GenuineNotAppraised
        } else {
            VerdictStatus::Accepted
        };
        Self {
            status,
            development,
            checks,
        }
    }

    /// The check named `id`, if it was on the list.
    pub fn check(&self, id: CheckId) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// The first failure as an error.
    pub(crate) fn rejection(&self) -> Option<VerifyError> {
        let failed = self
            .checks
            .iter()
            .find(|check| check.outcome == Outcome::Failed)?;
        Some(VerifyError::Rejected {
            check: failed.id,
            expected: failed.expected.clone(),
            found: failed.found.clone(),
        })
    }

    /// The first check without expectation as an error.
    pub(crate) fn omission(&self) -> Option<VerifyError> {
        let omitted = self
            .checks
            .iter()
            .find(|check| check.outcome == Outcome::NotAppraised)?;
        Some(VerifyError::NotAppraised { check: omitted.id })
    }
}

impl Check {
    pub(crate) fn compare(
        id: CheckId,
        passed: bool,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Self {
            id,
            outcome: if passed {
                Outcome::Passed
            } else {
                Outcome::Failed
            },
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    pub(crate) fn passed(id: CheckId, what: &str) -> Self {
        Self::compare(id, true, what, what)
    }

    pub(crate) fn not_appraised(id: CheckId, found: impl fmt::Display) -> Self {
        Self {
            id,
            outcome: Outcome::NotAppraised,
            expected: String::new(),
            found: found.to_string(),
        }
    }

    pub(crate) fn not_evaluated(id: CheckId) -> Self {
        Self {
            id,
            outcome: Outcome::NotEvaluated,
            expected: String::new(),
            found: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for id in CheckId::ALL {
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(serde_json::from_str::<CheckId>(&json).unwrap(), id);
            let same = CheckId::ALL
                .iter()
                .filter(|other| other.as_str() == id.as_str());
            assert_eq!(same.count(), 1);
        }
    }

    #[test]
    fn a_check_that_could_not_be_made_is_never_an_acceptance() {
        let verdict = |checks| Verdict::of(false, checks).status;
        let passed = Check::passed(CheckId::Root, "x");
        assert_eq!(verdict(vec![passed.clone()]), VerdictStatus::Accepted);
        assert_eq!(
            verdict(vec![passed.clone(), Check::not_evaluated(CheckId::Debug)]),
            VerdictStatus::Rejected
        );
        assert_eq!(
            verdict(vec![passed, Check::not_appraised(CheckId::Challenge, "x")]),
            VerdictStatus::GenuineNotAppraised
        );
    }
}
