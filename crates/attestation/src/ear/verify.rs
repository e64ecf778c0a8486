// SPDX-License-Identifier: Apache-2.0
//! A token against trusted verifiers and expectations.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subrosa_evidence::{Binding, Check, CheckId, Verdict, api::Jwks};
use subrosa_types::Challenge;

use super::jwk::verifying_key;
use super::jws::{Unverified, shortened};
use super::token::{Submodule, Token, status_of};
use super::{CLOCK_SKEW, MAX_TOKEN_BYTES, PROFILE, SUBMODULE};
use crate::compare::{BOUND, PLATFORM, bound_checks, platform_checks};
use crate::{Claims, Expectations, Verified, VerifyError, verdict};

/// A verifier whose results a client believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedVerifier {
    /// What it calls itself in `iss`.
    pub issuer: String,
    /// Its keys, obtained out of band. Keys that are not usable never match.
    pub keys: Jwks,
}

/// What a trusted verifier said. Admits no key release: for that, see
/// [`Bound`](crate::Bound).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestationResult {
    /// What hardware says, in the verifier's reading.
    pub claims: Claims,
    /// The enclave's keys and configuration.
    pub binding: Binding,
    /// Whether the verifier itself compared the measurement with a list. The client's own list
    /// has been compared in any case.
    pub measurement_appraised: bool,
    /// The verifier.
    pub issuer: String,
    /// When it was signed, Unix seconds.
    pub issued: u64,
    /// From when it is no longer in force, Unix seconds.
    pub expires: u64,
}

/// Verifies that `token` is a result of one of `verifiers`, in force at `now` (Unix seconds), and
/// that what it says is what is expected: the same expectations, checks and errors as
/// [`crate::verify`].
///
/// # Errors
///
/// [`VerifyError::Rejected`] naming the first failed check; [`VerifyError::Stale`] if a fresh
/// result could change that; [`VerifyError::NotAppraised`] if the expectations leave the
/// measurement open.
pub fn verify(
    token: &str,
    verifiers: &[TrustedVerifier],
    expectations: &Expectations,
    now: u64,
) -> Result<Verified<AttestationResult>, VerifyError> {
    let (verdict, result) = appraise(token, verifiers, expectations, now);
    match verdict::omission(&verdict) {
        Some(error) if result.is_ok() => Err(error),
        _ => result,
    }
}

/// Makes every check of [`verify`](verify()) and says how each went.
pub fn appraise(
    token: &str,
    verifiers: &[TrustedVerifier],
    expectations: &Expectations,
    now: u64,
) -> (Verdict, Result<Verified<AttestationResult>, VerifyError>) {
    let mut checks = Vec::new();
    let result = match read(token, verifiers, now, &mut checks) {
        Ok(result) => result,
        Err(error) => {
            let made = checks.len();
            let missing = CHECKS.into_iter().chain(PLATFORM).chain(BOUND).skip(made);
            checks.extend(missing.map(Check::not_evaluated));
            return (
                verdict::on_strangers(false, &expectations.policy, checks),
                Err(error),
            );
        }
    };
    checks.push(status_check(&result));
    let claims = &result.0.claims;
    checks.extend(platform_checks(claims, &expectations.policy, now));
    checks.extend(bound_checks(claims, expectations));
    let verdict = verdict::on_claims(claims, &expectations.policy, checks);
    let outcome = match verdict::rejection(&verdict) {
        Some(error) => Err(error),
        None => Ok(Verified::new(result.0)),
    };
    (verdict, outcome)
}

/// The checks that only tokens have, in order.
const CHECKS: [CheckId; 6] = [
    CheckId::EarFormat,
    CheckId::EarKey,
    CheckId::EarSignature,
    CheckId::EarIssuer,
    CheckId::EarFresh,
    CheckId::EarStatus,
];

/// Reads a token, leaving the status and the claims to be judged. Every check made is noted in
/// [`CHECKS`]' order; the first failure ends it.
fn read(
    token: &str,
    verifiers: &[TrustedVerifier],
    now: u64,
    checks: &mut Vec<Check>,
) -> Result<(AttestationResult, String), VerifyError> {
    if token.len() > MAX_TOKEN_BYTES {
        return fail(
            checks,
            CheckId::EarFormat,
            format!("at most {MAX_TOKEN_BYTES} bytes"),
            format!("{} bytes", token.len()),
        );
    }
    let unverified = match Unverified::parse(token) {
        Ok(unverified) => unverified,
        Err(found) => return fail(checks, CheckId::EarFormat, ES256.to_owned(), found),
    };
    let found = verifiers.iter().find_map(|verifier| {
        let key = verifier
            .keys
            .keys
            .iter()
            .find(|key| key.kid == unverified.kid)?;
        verifying_key(key).ok().map(|key| (verifier, key))
    });
    let kid = shortened(&unverified.kid);
    let Some((verifier, key)) = found else {
        checks.push(Check::passed(CheckId::EarFormat, ES256));
        return fail(
            checks,
            CheckId::EarKey,
            format!("a key of {} trusted verifiers", verifiers.len()),
            format!("unknown key {kid}"),
        );
    };
    let Some(payload) = unverified.verify(&key) else {
        checks.push(Check::passed(CheckId::EarFormat, ES256));
        checks.push(Check::passed(CheckId::EarKey, &kid));
        let (expected, found) = (
            format!("a signature by {kid}"),
            "another signature".to_owned(),
        );
        return fail(checks, CheckId::EarSignature, expected, found);
    };
    // Only now is there anything in the payload worth parsing.
    let (token, result, status) = match interpret(&payload) {
        Ok(read) => read,
        Err(found) => {
            let expected = format!("an EAR of {PROFILE}");
            let failure = fail(checks, CheckId::EarFormat, expected, found);
            checks.push(Check::passed(CheckId::EarKey, &kid));
            checks.push(Check::passed(CheckId::EarSignature, "valid"));
            return failure;
        }
    };
    checks.push(Check::passed(CheckId::EarFormat, ES256));
    checks.push(Check::passed(CheckId::EarKey, &kid));
    checks.push(Check::passed(CheckId::EarSignature, "valid"));
    if token.iss != verifier.issuer {
        let found = shortened(&token.iss);
        return fail(checks, CheckId::EarIssuer, verifier.issuer.clone(), found);
    }
    checks.push(Check::passed(CheckId::EarIssuer, &verifier.issuer));
    let fresh = token.iat <= now.saturating_add(CLOCK_SKEW) && now < token.exp;
    let (expected, found) = (
        format!("in force at {now}"),
        format!("in force from {} until {}", token.iat, token.exp),
    );
    checks.push(Check::compare(CheckId::EarFresh, fresh, &expected, &found));
    if !fresh {
        return Err(VerifyError::Stale {
            check: CheckId::EarFresh,
            expected,
            found,
        });
    }
    Ok((result, status))
}

/// What a signed payload says, or what is wrong with it.
fn interpret(payload: &[u8]) -> Result<(Token, AttestationResult, String), String> {
    let token: Token =
        serde_json::from_slice(payload).map_err(|error| format!("claims: {error}"))?;
    if token.eat_profile != PROFILE {
        return Err(format!("profile {:?}", shortened(&token.eat_profile)));
    }
    let Submodule {
        status, subrosa, ..
    } = token
        .submods
        .get(SUBMODULE)
        .ok_or_else(|| format!("no submodule {SUBMODULE}"))?;
    let challenge = URL_SAFE_NO_PAD
        .decode(&token.eat_nonce)
        .map_err(|_| "nonce is not base64url")?;
    let claims = subrosa
        .claims(&Challenge::Client(challenge))
        .ok_or("the claims contradict each other, or lack what their kind always says")?;
    if token.exp > claims.collateral_expires {
        return Err("it outlives the collateral it rests on".to_owned());
    }
    if token.cnf.kid != subrosa.signer {
        return Err("cnf is not the signer".to_owned());
    }
    let result = AttestationResult {
        claims,
        binding: subrosa.binding(),
        measurement_appraised: subrosa.measurement_appraised,
        issuer: token.iss.clone(),
        issued: token.iat,
        expires: token.exp,
    };
    let status = status.clone();
    Ok((token, result, status))
}

/// `affirming`, or `warning` where that is all that such claims can have; whether they are accepted
/// is for the checks of the claims themselves.
fn status_check((result, status): &(AttestationResult, String)) -> Check {
    let expected = status_of(&result.claims);
    Check::compare(
        CheckId::EarStatus,
        status == expected,
        expected,
        shortened(status),
    )
}

fn fail<T>(
    checks: &mut Vec<Check>,
    check: CheckId,
    expected: String,
    found: String,
) -> Result<T, VerifyError> {
    checks.push(Check::compare(check, false, &expected, &found));
    Err(VerifyError::Rejected {
        check,
        expected,
        found,
    })
}

const ES256: &str = "a compact JWT signed with ES256";
