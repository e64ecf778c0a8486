// SPDX-License-Identifier: Apache-2.0
//! The same evidence judged off chain and on chain at the same time: every SGX and TDX vector, and
//! evidence under the development root with every fault, every pair of faults, at every boundary of
//! time. Verdict, TCB status, measurement, report data and whatever else both say must be the same.
//!
//! Where they cannot be, [`DIFFERENCES`] says so by name, and each of those must really differ.

mod chain;
mod forged;
mod vectors;

use std::collections::BTreeMap;

use alloy::primitives::{B256, Bytes, keccak256};
use futures::{StreamExt, stream};
use subrosa_attestation::{Claims, Policy, PolicyFile, VerifyError, verify_genuine};
use subrosa_evidence::{EvidenceBundle, EvidencePart};

use self::chain::{OnChain, Verdict};

/// Evidence, the root that is trusted, and the time.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) bundle: EvidenceBundle,
    pub(crate) policy: Policy,
    pub(crate) root_id: B256,
    pub(crate) now: u64,
}

/// What a chain judges otherwise, and why it has to.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "intermediate certificate in the certification data is damaged",
        "certification data is not signed, and the chain does not read it: it has the PCK CA's \
         certificate from the collateral, and the PCK certificate by itself",
    ),
    (
        "synth_wrong_root",
        "the same: another root's certificate ends the chain in the quote, and everything that is \
         signed hangs from the right one",
    ),
    (
        "PCK CRL chain of another authority",
        "the quote repeats this chain, and a verifier reads it there alone; the chain reads it here \
         alone",
    ),
    ("TCB info chain in place of the PCK CA's", "the same"),
    (
        "ExpiredCertificates at 1767225600",
        "another certificate of the root's own key, signed by that key: a chain pins roots by key, \
         as every id of a root does, and a verifier by certificate",
    ),
    ("ExpiredCertificates at 1767225601", "the same"),
    ("ExpiredCertificates at 1769817599", "the same"),
    ("ExpiredCertificates at 1769817600", "the same"),
    (
        "evaluation number 65536",
        "the chain keeps 16 bits of the evaluation number; Intel has counted to about 20 since 2018",
    ),
    (
        "TCB info with its members in another order",
        "the chain reads one serialization of JSON, Intel's; nothing else is ever signed by Intel",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_and_a_verifier_agree_on_forged_evidence() {
    let cases = forged::cases();
    let (count, accepted) = compare(cases).await;
    println!("agreement: {count} forged, {accepted} accepted by both");
    assert!(count >= 400, "only {count}");
    assert!(accepted >= 20, "only {accepted} accepted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_and_a_verifier_agree_on_genuine_evidence() {
    let Some(cases) = vectors::cases() else {
        return;
    };
    let (count, accepted) = compare(cases).await;
    println!("agreement: {count} vectors, {accepted} accepted by both");
    assert!(count >= 30, "only {count}");
    assert!(accepted >= 12, "only {accepted} accepted");
}

/// Judges every case by both; how many there were, and how many both accept.
async fn compare(cases: Vec<Case>) -> (usize, usize) {
    let roots: Vec<B256> = cases.iter().map(|case| case.root_id).collect();
    let on_chain = OnChain::start(&roots).await;
    let on_chain = &on_chain;
    let verdicts: Vec<(Case, Result<Claims, VerifyError>, Verdict)> = stream::iter(cases)
        .map(async |case| {
            let verdict = on_chain.judge(&case).await;
            let claims = verify_genuine(&case.bundle, &case.policy, case.now)
                .map(subrosa_attestation::Verified::into_inner);
            (case, claims, verdict)
        })
        .buffered(4)
        .collect()
        .await;
    let (count, mut accepted) = (verdicts.len(), 0);
    let mut reasons = BTreeMap::<String, usize>::new();
    let mut disagreements = Vec::new();
    for (case, claims, verdict) in &verdicts {
        if let (Ok(_), Verdict::Accepted(_)) = (claims, verdict) {
            accepted += 1;
        }
        if let Verdict::Rejected(reason) = verdict {
            let name = reason.split([' ', ':']).next().unwrap_or_default();
            *reasons.entry(name.to_owned()).or_default() += 1;
        }
        let difference = difference(claims, verdict);
        let excused = DIFFERENCES.iter().any(|(name, _)| *name == case.name);
        match (difference, excused) {
            (None, false) | (Some(_), true) => {}
            (Some(difference), false) => disagreements.push(format!("{}: {difference}", case.name)),
            (None, true) => {
                let off = claims.as_ref().err().map(ToString::to_string);
                disagreements.push(format!("{}: no difference any more, {off:?}", case.name));
            }
        }
    }
    println!("agreement: the chain's reasons: {reasons:?}");
    assert!(
        disagreements.is_empty(),
        "{} of {count} disagree:\n{}",
        disagreements.len(),
        disagreements.join("\n")
    );
    (count, accepted)
}

/// How the two verdicts differ.
fn difference(claims: &Result<Claims, VerifyError>, verdict: &Verdict) -> Option<String> {
    let (off, on) = match (claims, verdict) {
        (Err(_), Verdict::Rejected(_)) => return None,
        (Err(error), Verdict::Accepted(_)) => {
            return Some(format!("accepted on chain alone, off chain {error}"));
        }
        (Ok(_), Verdict::Rejected(reason)) => {
            return Some(format!("accepted off chain alone, on chain {reason}"));
        }
        (Ok(off), Verdict::Accepted(on)) => (off, on),
    };
    let register = off.config_register.map(keccak256);
    let report_data = [on.reportDataHigh.0, on.reportDataLow.0].concat();
    let pairs = [
        ("root", off.root_id.to_string(), on.rootId.to_string()),
        ("tee", (off.tee as u8).to_string(), on.teeKind.to_string()),
        (
            "measurement",
            off.measurement_hash.to_string(),
            on.measurementHash.to_string(),
        ),
        (
            "configuration register",
            register.unwrap_or_default().to_string(),
            on.configRegisterHash.to_string(),
        ),
        (
            "report data",
            off.report_data.to_string(),
            Bytes::from(report_data).to_string(),
        ),
        (
            "tcb status",
            off.tcb_status.map_or(0, |status| status as u8).to_string(),
            on.tcbStatus.to_string(),
        ),
        (
            "tcb evaluation",
            off.tcb_evaluation.unwrap_or_default().to_string(),
            on.tcbEvaluation.to_string(),
        ),
        (
            "machine",
            off.machine_id.to_string(),
            on.machineId.to_string(),
        ),
        (
            "evidence",
            off.evidence_hash.to_string(),
            on.evidenceHash.to_string(),
        ),
    ];
    let differs = pairs.into_iter().find(|(_, off, on)| off != on);
    if let Some((what, off, on)) = differs {
        return Some(format!("{what} is {off} off chain, {on} on chain"));
    }
    // The chain's lists run out one second before the next is due, and it counts root and signer.
    let expires = on.expires.to::<u64>();
    (expires > off.collateral_expires).then(|| {
        format!(
            "in force until {} off chain, until {expires} on chain",
            off.collateral_expires
        )
    })
}

/// Signatures, chains, revocation, dates, debugging and migration, and nothing else.
pub(crate) fn permissive() -> Policy {
    let text = include_str!("../../../../../fixtures/policies/vectors.toml");
    let text = text.replace("accept_migration = true", "accept_migration = false");
    PolicyFile::parse(&text).unwrap().policy
}

/// The collateral in a bundle.
pub(crate) fn collateral_of(bundle: &EvidenceBundle) -> serde_json::Value {
    serde_json::from_slice(bundle.part(EvidencePart::Collateral).unwrap()).unwrap()
}
