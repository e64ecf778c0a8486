// SPDX-License-Identifier: Apache-2.0
//! Evidence against policy and expectations.
//!
//! Signatures and freshness come before any claim is compared, so an unsigned claim never chooses
//! which error the peer sees.

use std::fmt;

use alloy_primitives::hex;
use subrosa_types::id::TeeKind;

use crate::roots::{Named, is_development};
use crate::tdx::{self, Failure};
use crate::{
    Bound, CHALLENGE_BYTES, Check, CheckId, Claims, EvidenceBundle, Expectations, Measurements,
    Policy, Verdict, Verified, VerifyError, config_register, report_data,
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
    match appraisal.verdict.omission() {
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
    let claims = examine(bundle, now).map_err(|failure| failure.error())?;
    match Verdict::of(claims.is_development(), platform_checks(&claims, policy)).rejection() {
        Some(error) => Err(error),
        None => Ok(Verified::new(claims)),
    }
}

/// Makes every check of [`verify`] and says how each went.
pub fn appraise(bundle: &EvidenceBundle, expectations: &Expectations, now: u64) -> Appraisal {
    let claims = match examine(bundle, now) {
        Ok(claims) => claims,
        Err(failure) => {
            return Appraisal {
                verdict: failure.verdict(),
                bound: Err(failure.error()),
            };
        }
    };
    let mut checks = genuine_checks();
    checks.extend(compare(&claims, expectations));
    let verdict = Verdict::of(claims.is_development(), checks);
    let bound = match verdict.rejection() {
        Some(error) => Err(error),
        None => Ok(Verified::new(Bound {
            claims,
            binding: expectations.binding,
            challenge: expectations.challenge.clone(),
            measurement_appraised: matches!(expectations.measurements, Measurements::AnyOf(_)),
            policy_hash: expectations.policy.hash(),
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

/// Holds claims, from evidence or from an attestation result, against everything expected.
pub(crate) fn compare(claims: &Claims, expectations: &Expectations) -> Vec<Check> {
    let mut checks = platform_checks(claims, &expectations.policy);
    checks.push(match &expectations.measurements {
        Measurements::AnyOf(ids) => Check::compare(
            CheckId::Measurement,
            ids.contains(&claims.measurement_id),
            OneOf(ids.iter().collect()),
            claims.measurement_id,
        ),
        Measurements::JudgedElsewhere => {
            Check::not_appraised(CheckId::Measurement, claims.measurement_id)
        }
    });
    let binding = &expectations.binding;
    let register = config_register(binding.config_hash);
    checks.push(Check::compare(
        CheckId::Config,
        claims.config_register == register,
        format_args!(
            "{} (configuration {})",
            hex::encode(register),
            binding.config_hash
        ),
        hex::encode(claims.config_register),
    ));
    let expected = report_data(
        binding.signer,
        binding.transfer_key_hash,
        binding.config_hash,
        &expectations.challenge,
    );
    let (expected_binding, expected_challenge) = expected.split_at(32);
    let (found_binding, found_challenge) = claims.report_data.split_at(32);
    checks.push(Check::compare(
        CheckId::ReportData,
        found_binding == expected_binding,
        format_args!(
            "{} (signer {})",
            hex::encode(expected_binding),
            binding.signer
        ),
        hex::encode(found_binding),
    ));
    let long_enough = CHALLENGE_BYTES.contains(&expectations.challenge.len());
    checks.push(Check::compare(
        CheckId::Challenge,
        long_enough && found_challenge == expected_challenge,
        if long_enough {
            hex::encode(expected_challenge)
        } else {
            format!(
                "a challenge of {} to {} bytes",
                CHALLENGE_BYTES.start(),
                CHALLENGE_BYTES.end()
            )
        },
        hex::encode(found_challenge),
    ));
    checks
}

fn platform_checks(claims: &Claims, policy: &Policy) -> Vec<Check> {
    let accepted_roots = policy
        .roots
        .iter()
        .copied()
        .filter(|root| !is_development(*root))
        .chain(
            policy
                .allow_development
                .then_some(crate::DEVELOPMENT_ROOT_ID),
        );
    let status = if claims.advisories.is_empty() {
        claims.tcb_status.to_string()
    } else {
        format!("{} ({})", claims.tcb_status, claims.advisories.join(", "))
    };
    vec![
        Check::compare(
            CheckId::Root,
            policy.accepts_root(claims.root_id),
            OneOf(accepted_roots.map(Named).collect()),
            Named(claims.root_id),
        ),
        Check::compare(
            CheckId::Debug,
            claims.debug == 0,
            "attributes 0x00",
            format_args!("attributes {:#04x}", claims.debug),
        ),
        Check::compare(
            CheckId::TcbStatus,
            policy.tcb_statuses.contains(&claims.tcb_status),
            OneOf(policy.tcb_statuses.iter().collect()),
            status,
        ),
        Check::compare(
            CheckId::TcbEvaluation,
            claims.tcb_evaluation >= policy.minimum_tcb_evaluation,
            format_args!("at least {}", policy.minimum_tcb_evaluation),
            claims.tcb_evaluation,
        ),
        match &policy.machines {
            Some(machines) => Check::compare(
                CheckId::Machine,
                machines.contains(&claims.machine_id),
                format_args!("one of {} listed machines", machines.len()),
                claims.machine_id,
            ),
            None => Check::compare(CheckId::Machine, true, "any machine", claims.machine_id),
        },
    ]
}

fn examine(bundle: &EvidenceBundle, now: u64) -> Result<Claims, Failure> {
    match bundle.kind() {
        TeeKind::Tdx => tdx::examine(bundle, now),
        other => Err(Failure {
            check: CheckId::EvidenceFormat,
            expected: "TDX evidence".to_owned(),
            found: format!(
                "evidence of kind {}, which this build cannot verify",
                other as u8
            ),
            stale: false,
            development: false,
        }),
    }
}

fn genuine_checks() -> Vec<Check> {
    tdx::CHECKS
        .into_iter()
        .map(|id| Check::passed(id, "valid"))
        .collect()
}

/// What [`platform_checks`] and [`compare`] would have checked.
pub(crate) const COMPARED: [CheckId; 9] = [
    CheckId::Root,
    CheckId::Debug,
    CheckId::TcbStatus,
    CheckId::TcbEvaluation,
    CheckId::Machine,
    CheckId::Measurement,
    CheckId::Config,
    CheckId::ReportData,
    CheckId::Challenge,
];

impl Failure {
    fn error(&self) -> VerifyError {
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

    fn verdict(&self) -> Verdict {
        let checks = tdx::CHECKS
            .into_iter()
            .chain(COMPARED)
            .map(|id| {
                if id == self.check {
                    Check::compare(id, false, &self.expected, &self.found)
                } else {
                    Check::not_evaluated(id)
                }
            })
            .collect();
        Verdict::of(self.development, checks)
    }
}

/// Alternatives, for people.
struct OneOf<T>(Vec<T>);

impl<T: fmt::Display> fmt::Display for OneOf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0.as_slice() else {
            return f.write_str("none");
        };
        write!(f, "{first}")?;
        for other in rest {
            write!(f, " or {other}")?;
        }
        Ok(())
    }
}
