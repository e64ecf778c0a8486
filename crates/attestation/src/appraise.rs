// SPDX-License-Identifier: Apache-2.0
//! Evidence against policy and expectations.
//!
//! Signatures and freshness come before any claim is compared, so an unsigned claim never chooses
//! which error the peer sees.

use alloc::vec;
use alloc::vec::Vec;

use subrosa_evidence::{Check, CheckId, EvidenceBundle, Verdict};
use subrosa_types::id::TeeKind;

use crate::compare::{BOUND, PLATFORM, STATED, bound_checks, platform_checks, stated_checks};
use crate::failure::Failure;
use crate::roots::Roots;
use crate::{
    Bound, Claims, Expectations, Measurements, Policy, Stated, Verified, VerifyError, azure, dcap,
    nitro, snp, verdict,
};

/// Verifies that `bundle` is genuine, comes from an expected measurement, and binds the expected
/// keys, configuration and challenge, as of `now` (Unix seconds).
///
/// # Errors
///
/// [`VerifyError::Rejected`] if it must not be trusted, naming the first failed check;
/// [`VerifyError::Stale`] if fresh collateral could change that;
/// [`VerifyError::NotAppraised`] if the expectations leave the measurement open.
pub fn verify(
    bundle: &EvidenceBundle,
    expectations: &Expectations,
    now: u64,
) -> Result<Verified<Bound>, VerifyError> {
    let appraisal = appraise(bundle, expectations, now);
    match verdict::omission(&appraisal.verdict) {
        Some(error) if appraisal.bound.is_ok() => Err(error),
        _ => appraisal.bound,
    }
}

/// Verifies that `bundle` is genuine under `policy` as of `now`, and nothing more: whose keys it
/// binds, what runs and for which challenge remain open. "Genuine, not appraised."
///
/// # Errors
///
/// [`VerifyError::Rejected`] and [`VerifyError::Stale`], as [`verify`].
pub fn verify_genuine(
    bundle: &EvidenceBundle,
    policy: &Policy,
    now: u64,
) -> Result<Verified<Claims>, VerifyError> {
    let claims = examine(bundle, policy, now).map_err(|failure| failure.error())?;
    let verdict = verdict::on_claims(&claims, policy, platform_checks(&claims, policy, now));
    match verdict::rejection(&verdict) {
        Some(error) => Err(error),
        None => Ok(Verified::new(claims)),
    }
}

/// Makes every check of [`verify`] and says how each went.
pub fn appraise(bundle: &EvidenceBundle, expectations: &Expectations, now: u64) -> Appraisal {
    let policy = &expectations.policy;
    let claims = match examine(bundle, policy, now) {
        Ok(claims) => claims,
        Err(failure) => {
            return Appraisal {
                verdict: failed(bundle.kind(), policy, &failure, &BOUND),
                bound: Err(failure.error()),
            };
        }
    };
    let mut checks = genuine_checks(&claims);
    checks.extend(platform_checks(&claims, policy, now));
    checks.extend(bound_checks(&claims, expectations));
    let verdict = verdict::on_claims(&claims, policy, checks);
    let bound = match verdict::rejection(&verdict) {
        Some(error) => Err(error),
        None => Ok(Verified::new(Bound {
            claims,
            binding: expectations.binding,
            challenge: expectations.challenge.clone(),
            measurement_appraised: expectations.measurements != Measurements::JudgedElsewhere,
            policy_hash: policy.hash(),
            verdict: verdict.clone(),
        })),
    };
    Appraisal { verdict, bound }
}

/// How every check went, and what it proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appraisal {
    /// Every check.
    pub verdict: Verdict,
    /// What was proved. With [`Measurements::JudgedElsewhere`] it says so in
    /// [`Bound::measurement_appraised`], and the verdict is not an acceptance.
    pub bound: Result<Verified<Bound>, VerifyError>,
}

/// Holds `bundle` against `policy` and what is `stated`, as of `now`, and says how each check
/// went. Without a stated measurement *and* stated report data the verdict is never an acceptance:
/// [`VerdictStatus::GenuineNotAppraised`](subrosa_evidence::VerdictStatus::GenuineNotAppraised) at best.
///
/// # Errors
///
/// In the second place, as [`verify`]: claims are returned only if no check failed.
pub fn inspect(
    bundle: &EvidenceBundle,
    policy: &Policy,
    stated: &Stated,
    now: u64,
) -> (Verdict, Result<Verified<Claims>, VerifyError>) {
    let claims = match examine(bundle, policy, now) {
        Ok(claims) => claims,
        Err(failure) => {
            let verdict = failed(bundle.kind(), policy, &failure, &STATED);
            return (verdict, Err(failure.error()));
        }
    };
    let mut checks = genuine_checks(&claims);
    checks.extend(platform_checks(&claims, policy, now));
    checks.extend(stated_checks(&claims, stated));
    let verdict = verdict::on_claims(&claims, policy, checks);
    let result = match verdict::rejection(&verdict) {
        Some(error) => Err(error),
        None => Ok(Verified::new(claims)),
    };
    (verdict, result)
}

/// Verifies everything that does not depend on anybody's expectations: signatures, chains, dates,
/// revocation, consistency. Which roots, products and states are *accepted* is for the policy.
fn examine(bundle: &EvidenceBundle, policy: &Policy, now: u64) -> Result<Claims, Failure> {
    let roots = Roots::with(&policy.certificates);
    let claims = match bundle.kind() {
        TeeKind::Tdx | TeeKind::Sgx => dcap::examine(bundle, roots, now),
        TeeKind::Snp => snp::examine(bundle, roots, now),
        TeeKind::Nitro => nitro::examine(bundle, roots, now),
        TeeKind::AzureSnp | TeeKind::AzureTdx => azure::examine(bundle, roots, now),
        other => Err(Failure::format(
            "a kind of evidence that this build can verify",
            other,
        )),
    }?;
    // What every kind promises, whoever wrote its module.
    claims
        .is_consistent()
        .then_some(claims)
        .ok_or_else(|| Failure::format("claims of one kind under its vendor's root", "others"))
}

/// The checks that [`examine`] makes on evidence of `kind`, in order.
fn genuine(kind: TeeKind) -> Vec<CheckId> {
    let own: &[&[CheckId]] = match kind {
        TeeKind::Tdx => &[&dcap::CHECKS, &[CheckId::TdxAttributes]],
        TeeKind::Sgx => &[&dcap::CHECKS],
        TeeKind::Snp => &[&snp::CHECKS],
        TeeKind::Nitro => &[&nitro::CHECKS],
        TeeKind::AzureSnp => &[&azure::CHECKS, &snp::CHECKS],
        TeeKind::AzureTdx => &[&azure::CHECKS, &dcap::CHECKS, &[CheckId::TdxAttributes]],
        _ => &[],
    };
    let mut checks = vec![CheckId::EvidenceFormat];
    checks.extend(own.concat());
    checks
}

fn genuine_checks(claims: &Claims) -> Vec<Check> {
    genuine(claims.tee)
        .into_iter()
        .map(|id| match id {
            CheckId::SnpRevocation if !claims.revocation_checked => {
                Check::passed(id, "no list to consult")
            }
            _ => Check::passed(id, "valid"),
        })
        .collect()
}

/// The verdict on evidence that is not genuine: one failure, and nothing that could be looked at.
fn failed(kind: TeeKind, policy: &Policy, failure: &Failure, compared: &[CheckId]) -> Verdict {
    let mut ids = genuine(kind);
    ids.extend(PLATFORM);
    ids.extend(compared);
    if !ids.contains(&failure.check) {
        ids.push(failure.check);
    }
    let checks = ids
        .into_iter()
        .map(|id| {
            if id == failure.check {
                Check::compare(id, false, &failure.expected, &failure.found)
            } else {
                Check::not_evaluated(id)
            }
        })
        .collect();
    verdict::on_strangers(failure.development, policy, checks)
}
