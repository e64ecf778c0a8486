// SPDX-License-Identifier: Apache-2.0
//! Attestation results: EAR tokens (draft-ietf-rats-ear) in the form of an EAT (RFC 9711), signed
//! as a JWT (RFC 7519) with ES256.
//!
//! A verifier [`sign`]s what [`appraise`](crate::appraise()) proved to it; a client
//! [`verify`](verify())s the token against the keys of verifiers that it trusts and against its own
//! [`Expectations`](crate::Expectations), with the very checks that raw evidence is held to. The
//! token repeats everything those checks look at, so a client depends on the verifier's signature
//! and not on its opinion of what runs.
//!
//! | claim | content |
//! |---|---|
//! | `eat_profile` | [`PROFILE`] |
//! | `iss`, `iat`, `exp` | which verifier, when, until when (Unix seconds) |
//! | `eat_nonce` | the client's challenge, base64url |
//! | `cnf` | the enclave's signer: `{"kid": address}` (RFC 7800) |
//! | `ear.verifier-id` | developer and build of the verifier |
//! | `submods`.[`SUBMODULE`] | the appraisal: `ear.status`, `ear.trustworthiness-vector` (AR4SI), `ear.appraisal-policy-id`, and the claims under `subrosa` |
//!
//! `ear.status` is `affirming`, and `warning` for evidence that a policy had to tolerate something
//! for (development, debugging, migration, a TCB status other than `UpToDate`, EPYC Milan, a lesser
//! privilege level, no revocation list), so that a relying party that knows nothing of us does not
//! take it for sound hardware. What was not judged has no claim in the vector (0): which machine and
//! which configuration are right, and which measurement if the verifier has no list.

mod jwk;
mod jws;
mod token;
mod verify;

use alloc::string::String;
use core::fmt;

use p256::ecdsa::SigningKey;
use subrosa_evidence::api::Jwk;
use subrosa_types::Challenge;

use crate::{Bound, Verified};

pub use jwk::{JwkError, validate};
pub use token::{PROFILE, SUBMODULE};
pub use verify::{AttestationResult, TrustedVerifier, appraise, verify};

/// Largest token that is parsed, bytes.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// How far a verifier's clock may be ahead of the client's, seconds.
pub const CLOCK_SKEW: u64 = 60;

/// A verifier's signing key (P-256).
pub struct EarKey(SigningKey);

impl EarKey {
    /// The key with this private scalar, big-endian. `None` if it is zero or not below the order.
    pub fn from_bytes(scalar: &[u8; 32]) -> Option<Self> {
        SigningKey::from_slice(scalar).ok().map(Self)
    }

    /// The public key, as published in a key set.
    pub fn jwk(&self) -> Jwk {
        jwk::jwk_of(self.0.verifying_key())
    }
}

impl fmt::Debug for EarKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EarKey(..)")
    }
}

/// Signs an attestation result as `issuer`, in force from `now` for `lifetime` seconds, though no
/// longer than the collateral it rests on. `None` if the evidence answers a registration: results are for
/// clients.
pub fn sign(
    bound: &Verified<Bound>,
    issuer: &str,
    key: &EarKey,
    now: u64,
    lifetime: u64,
) -> Option<String> {
    let Challenge::Client(nonce) = &bound.challenge else {
        return None;
    };
    let expires = now
        .saturating_add(lifetime)
        .min(bound.claims.collateral_expires);
    let token = token::Token::of(bound, nonce, issuer, now, expires);
    Some(jws::sign(&token, &key.0, &key.jwk().kid))
}
