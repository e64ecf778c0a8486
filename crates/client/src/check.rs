// SPDX-License-Identifier: Apache-2.0
//! Named checks: what was looked at, what was expected, what was found.

use std::{borrow::Cow, fmt};

use alloy_primitives::{Address, B256, Signature};
use serde::Serialize;

/// One comparison that a verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub subject: Subject,
    /// Stable name, such as `measurement` or `signature.signer`.
    pub id: Cow<'static, str>,
    /// How it went.
    pub outcome: CheckStatus,
    /// What would have passed.
    pub expected: String,
    /// What was there.
    pub found: String,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// Found what was expected.
    Passed,
    /// Found something else.
    Failed,
}

/// What a check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Subject {
    /// The chain and the two contracts.
    Chain,
    /// What the node presents beside its attestation.
    Node,
    /// An answer that was given on chain.
    Answer,
    /// The verifier's attestation result.
    AttestationResult,
    /// The evidence itself.
    Evidence,
    /// What the attested signer states beside the evidence.
    AttestationStatement,
    /// The epoch whose keys are presented.
    Epoch,
    /// The signer's admission on chain.
    Signer,
    /// A signed answer to a query.
    QueryReply,
    /// A signed statement of what code runs.
    Statement,
    /// A receipt.
    Receipt,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chain => "chain",
            Self::Node => "node",
            Self::Answer => "answer",
            Self::AttestationResult => "attestation-result",
            Self::Evidence => "evidence",
            Self::AttestationStatement => "attestation-statement",
            Self::Epoch => "epoch",
            Self::Signer => "signer",
            Self::QueryReply => "query-reply",
            Self::Statement => "statement",
            Self::Receipt => "receipt",
        })
    }
}

impl Check {
    /// Whether it found what was expected.
    pub fn passed(&self) -> bool {
        self.outcome == CheckStatus::Passed
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outcome {
            CheckStatus::Passed => write!(f, "{} {}: {}", self.subject, self.id, self.found),
            CheckStatus::Failed => write!(
                f,
                "{} {}: expected {}, found {}",
                self.subject, self.id, self.expected, self.found
            ),
        }
    }
}

/// A check failed, so nothing was encrypted and nothing was believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused: {subject} fails check `{check}`: expected {expected}, found {found}")]
pub struct Refusal {
    /// What it looked at.
    pub subject: Subject,
    /// Name of the first check that failed.
    pub check: Cow<'static, str>,
    /// What would have passed.
    pub expected: String,
    /// What was there.
    pub found: String,
    /// Every check made up to that point, the failed one last.
    pub checks: Vec<Check>,
}

/// Collects checks in the order in which they are made.
#[derive(Debug)]
pub(crate) struct Checklist {
    subject: Subject,
    checks: Vec<Check>,
}

impl Checklist {
    /// An empty list of checks of `subject`.
    pub(crate) fn new(subject: Subject) -> Self {
        Self {
            subject,
            checks: Vec::new(),
        }
    }

    /// Makes `subject` the one that later checks look at.
    pub(crate) fn turn_to(&mut self, subject: Subject) {
        self.subject = subject;
    }

    /// Records whether `found` equals `expected`.
    pub(crate) fn equal<T: PartialEq + fmt::Display>(
        &mut self,
        id: &'static str,
        expected: &T,
        found: &T,
    ) -> bool {
        self.record(id, expected == found, expected, found)
    }

    /// Records whether `found` is one of `allowed`.
    pub(crate) fn one_of<T: PartialEq + fmt::Display>(
        &mut self,
        id: &'static str,
        allowed: &[T],
        found: &T,
    ) -> bool {
        let expected = match allowed {
            [] => "one of an empty list".to_owned(),
            [only] => only.to_string(),
            several => {
                let list: Vec<_> = several.iter().map(ToString::to_string).collect();
                format!("one of {}", list.join(", "))
            }
        };
        self.record(id, allowed.contains(found), expected, found)
    }

    /// Records whether `signature` (r ‖ s ‖ v, low s) over `hash` is that of `signer`.
    pub(crate) fn signature(
        &mut self,
        id: &'static str,
        signer: Address,
        signature: &[u8],
        hash: B256,
    ) -> bool {
        let found = Signature::from_raw(signature)
            .ok()
            .filter(|signature| signature.normalize_s().is_none())
            .and_then(|signature| signature.recover_address_from_prehash(&hash).ok())
            .map_or_else(
                || "no valid signature".to_owned(),
                |address| address.to_string(),
            );
        self.equal(id, &signer.to_string(), &found)
    }

    /// Records a result that was decided elsewhere.
    pub(crate) fn record(
        &mut self,
        id: impl Into<Cow<'static, str>>,
        passed: bool,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> bool {
        self.checks.push(Check {
            subject: self.subject,
            id: id.into(),
            outcome: if passed {
                CheckStatus::Passed
            } else {
                CheckStatus::Failed
            },
            expected: expected.to_string(),
            found: found.to_string(),
        });
        passed
    }

    /// Turns the first failure, if there is one, into a refusal.
    pub(crate) fn settle(&self) -> Result<(), Box<Refusal>> {
        let Some(index) = self.checks.iter().position(|check| !check.passed()) else {
            return Ok(());
        };
        let checks: Vec<_> = self.checks.iter().take(index + 1).cloned().collect();
        match checks.last().cloned() {
            None => Ok(()),
            Some(failed) => Err(Box::new(Refusal {
                subject: failed.subject,
                check: failed.id,
                expected: failed.expected,
                found: failed.found,
                checks,
            })),
        }
    }

    /// The refusal that the failure recorded last amounts to.
    pub(crate) fn refusal(&self) -> Box<Refusal> {
        match self.settle() {
            Err(refusal) => refusal,
            // Nothing failed: a fault of the caller's, and still no acceptance.
            Ok(()) => Box::new(Refusal {
                subject: self.subject,
                check: Cow::Borrowed("acceptance"),
                expected: "an acceptance".to_owned(),
                found: "none".to_owned(),
                checks: self.checks.clone(),
            }),
        }
    }

    /// Every check made.
    pub(crate) fn into_checks(self) -> Vec<Check> {
        self.checks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_is_the_one_that_is_named() {
        let mut checklist = Checklist::new(Subject::Chain);
        checklist.equal("first", &1, &1);
        assert!(checklist.settle().is_ok());
        checklist.equal("second", &2, &3);
        checklist.equal("third", &4, &5);
        let refusal = checklist.settle().unwrap_err();
        assert_eq!(refusal.check, "second");
        assert_eq!(
            refusal.to_string(),
            "refused: chain fails check `second`: expected 2, found 3"
        );
        assert_eq!(refusal.checks.len(), 2);
    }

    #[test]
    fn nothing_is_one_of_an_empty_list() {
        let mut checklist = Checklist::new(Subject::Chain);
        assert!(!checklist.one_of("list", &[], &1));
        assert!(checklist.one_of("list", &[1, 2], &2));
        assert_eq!(checklist.into_checks()[1].expected, "one of 1, 2");
    }
}
