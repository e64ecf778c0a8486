// SPDX-License-Identifier: Apache-2.0
//! What a failure looks like, and its exit code.

use std::{io::Write, process::ExitCode};

use eyre::Report;
use subrosa_client::{ChainError, Check, ClientError, MailboxError, NodeError, Refusal};

use crate::remedy::remedy;

/// Exit code of a refusal: a check failed.
const REFUSED: u8 = 2;
/// Exit code of every other failure.
pub(crate) const OTHER: u8 = 1;

/// A receipt that does not hold, with its failed checks.
#[derive(Debug, thiserror::Error)]
#[error("receipt does not hold: {}", list(.0))]
pub(crate) struct ReceiptRefused(pub(crate) Vec<Check>);

/// Evidence that is not accepted; the verdict has been printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvidenceRefused {
    /// A check failed.
    #[error("evidence rejected: {0}")]
    Rejected(String),
    /// Nothing failed, but nobody said what to expect.
    #[error("evidence is genuine, but not appraised: {0}")]
    NotAppraised(String),
}

/// Collateral that the chain does not take, or keeps past its time; the report has been printed.
#[derive(Debug, thiserror::Error)]
#[error("the chain does not keep this collateral in force: {0}")]
pub(crate) struct CollateralRefused(pub(crate) String);

/// Says on standard error what failed, why, and what to do next.
pub(crate) fn report(error: &Report) -> ExitCode {
    let mut text = format!("error: {error}\n");
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Some errors repeat their source's words.
        if !last.ends_with(&cause) {
            text.push_str(&format!("  because: {cause}\n"));
        }
        last = cause;
    }
    if let Some(advice) = advice(error) {
        text.push_str(&format!("  next: {advice}\n"));
    }
    // Nothing can be done if standard error is closed.
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(code(error))
}

fn code(error: &Report) -> u8 {
    let refused = refusal(error).is_some()
        || error.downcast_ref::<ReceiptRefused>().is_some()
        || error.downcast_ref::<EvidenceRefused>().is_some()
        || error.downcast_ref::<CollateralRefused>().is_some();
    if refused { REFUSED } else { OTHER }
}

/// The refusal behind an error, if it is one.
pub(crate) fn refusal(error: &Report) -> Option<&Refusal> {
    match error.downcast_ref::<ClientError>() {
        Some(ClientError::Refused(refusal)) => Some(refusal),
        _ => None,
    }
}

fn advice(error: &Report) -> Option<&'static str> {
    if let Some(EvidenceRefused::NotAppraised(_)) = error.downcast_ref() {
        return Some(
            "state what to expect: --expect-measurement (or measurements in the policy) and \
             --expect-report-data",
        );
    }
    if let Some(CollateralRefused(reason)) = error.downcast_ref() {
        return Some(if reason.contains("RootUnknown") {
            "this contract does not pin the root of this collateral: check --dcap, and whose \
             evidence it is"
        } else {
            "fetch current collateral (--from URL) and push it again; the reference of SubrosaDcap's \
             errors is docs/reference/contracts.md"
        });
    }
    Some(match error.downcast_ref::<ClientError>()? {
        ClientError::Refused(refusal) => match refusal.check.as_ref() {
            "development" => {
                "pass --development if you accept that nothing is protected from the node's host"
            }
            "ear.present" => {
                "pass --verify raw: there is no verifier, and the evidence itself can be verified"
            }
            check if check.starts_with("answer.") => {
                "whoever answers for the chain shows another answer than the enclave's: use another rpc_url"
            }
            "ear.fresh" | "challenge" => "attest again; check this machine's clock",
            "signer.admitted" => {
                "wait until the node has registered its enclave, or ask its operator why it was \
                 revoked"
            }
            "epoch.current" => "attest again: the key group has moved to another epoch",
            _ => "do not use this node unless its operator explains the difference",
        },
        ClientError::Node(NodeError::Unreachable { .. }) => {
            "check node_url in the deployment file, or start a development network with \
             `subrosa dev`"
        }
        ClientError::Chain(ChainError::Unreachable { .. }) => {
            "check rpc_url in the deployment file, or start a development network with \
             `subrosa dev`"
        }
        ClientError::Chain(ChainError::UnknownContract(_)) => {
            "check the contract id and the deployment file"
        }
        ClientError::Chain(ChainError::UnknownEntry { .. }) => {
            "check the number of the entry; of an executed one nothing may be left to be done"
        }
        ClientError::Chain(ChainError::OtherChain { .. }) => {
            "check rpc_url in the deployment file: nothing was signed"
        }
        ClientError::Chain(ChainError::NotPrepaid(_) | ChainError::OtherOracle { .. }) => {
            "check the address, which `subrosa prepaid deploy` printed, and the deployment file"
        }
        ClientError::Chain(ChainError::Refused { reason, .. }) => {
            if reason.starts_with("AccessManage") {
                "send from an account that has the role for this; where it has to wait, ask again \
                 after the delay"
            } else {
                remedy(reason).unwrap_or(
                    "see docs/reference/contracts.md for what to do about each of the contracts' \
                     errors",
                )
            }
        }
        ClientError::Mailbox(MailboxError::NotAnswered { .. }) => {
            "the node may answer no challenges, or hold the escrow too small: ask another signer (--signer), or \
             promise more (--escrow); `subrosa mailbox reclaim` takes an escrow back"
        }
        ClientError::Mailbox(MailboxError::NoSigner { .. }) => {
            "check the measurements in the deployment file, or wait until a node has registered its enclave"
        }
        ClientError::NotFulfilled { .. } => {
            "look again later with `subrosa result`, or ask the node's operator"
        }
        ClientError::AttestationExpired { .. } => "run the command again",
        _ => return None,
    })
}

fn list(checks: &[Check]) -> String {
    let failed: Vec<_> = checks
        .iter()
        .filter(|check| !check.passed())
        .map(ToString::to_string)
        .collect();
    failed.join("; ")
}
