// SPDX-License-Identifier: Apache-2.0
//! Attestation results.
//!
//! The first byte of an input, modulo 3, says what the rest is: a token, or the payload or the
//! header of one that a trusted verifier then signs, so that what lies behind the signature is
//! reached as well.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use alloy_primitives::{Address, B256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use subrosa_attestation::ear::{self, AttestationResult, CLOCK_SKEW, EarKey, TrustedVerifier};
use subrosa_attestation::measurement::measurement_of_executable;
use subrosa_attestation::{Expectations, Measurements, Policy, Verified, verify};
use subrosa_evidence::{Binding, CheckOutcome, api::Jwks, report_data};
use subrosa_tee::forge::Forge;
use subrosa_types::Challenge;

use super::target::{MIB, Target, stock};
use crate::forge::samples::DEVELOPMENT_NOW as NOW;

pub(super) const TARGET: Target = Target {
    name: "ear",
    run,
    dictionary: WORDS,
    header: 1,
    memory: 8 * MIB,
    seeds: || &SEEDS,
};

/// A token, and what it is held to.
struct Fixture {
    key: SigningKey,
    verifiers: [TrustedVerifier; 1],
    expectations: Expectations,
    token: String,
    result: Verified<AttestationResult>,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(Fixture::new);
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let [header, payload] = parts(&FIXTURE.token);
    let token = FIXTURE.token.as_bytes();
    let made = [(TOKEN, token), (PAYLOAD, &payload), (HEADER, &header)];
    let seed = |(form, bytes): (u8, &[u8])| [&[form], bytes].concat();
    stock("ear", made.map(seed).to_vec())
});

fn run(input: &[u8]) -> bool {
    let fixture = &*FIXTURE;
    let Some((form, rest)) = input.split_first() else {
        return false;
    };
    let [header, payload] = parts(&fixture.token);
    let form = form % 3;
    let token = match form {
        PAYLOAD => fixture.sign(&header, rest),
        HEADER => fixture.sign(rest, &payload),
        _ => String::from_utf8_lossy(rest).into_owned(),
    };
    let Some(result) = fixture.judge(&token) else {
        return false;
    };
    if form == PAYLOAD {
        fixture.holds(&result);
    } else {
        assert_eq!(result, fixture.result, "accepted, and says something else");
    }
    true
}

impl Fixture {
    #[expect(clippy::unwrap_used, reason = "constants; a panic is the report")]
    fn new() -> Self {
        let measured = measurement_of_executable(b"an enclave");
        let binding = Binding {
            signer: Address::repeat_byte(0x51),
            transfer_key_hash: B256::repeat_byte(0x7f),
            config_hash: B256::repeat_byte(0xcf),
            start_hash: B256::repeat_byte(0x57),
        };
        let challenge = Challenge::Client(vec![0xc4; 32]);
        let data = report_data(&binding, &challenge);
        let bundle = Forge::new()
            .mrtd(measured.mrtd)
            .config(binding.config_hash.0)
            .report_data(data)
            .evidence();
        let expectations = Expectations {
            policy: Policy::development(),
            measurements: Measurements::AnyOf(BTreeSet::from([measured.id])),
            binding,
            challenge,
        };
        let bound = verify(&bundle, &expectations, NOW).unwrap();
        let key = EarKey::from_bytes(&SCALAR).unwrap();
        let verifiers = [TrustedVerifier {
            issuer: ISSUER.to_owned(),
            keys: Jwks {
                keys: vec![key.jwk()],
            },
        }];
        let token = ear::sign(&bound, ISSUER, &key, NOW, 300).unwrap();
        let result = ear::verify(&token, &verifiers, &expectations, NOW).unwrap();
        Self {
            key: SigningKey::from_slice(&SCALAR).unwrap(),
            verifiers,
            expectations,
            token,
            result,
        }
    }

    fn sign(&self, header: &[u8], payload: &[u8]) -> String {
        let encode = |bytes| URL_SAFE_NO_PAD.encode(bytes);
        let message = format!("{}.{}", encode(header), encode(payload));
        let signature: Signature = self.key.sign(message.as_bytes());
        format!("{message}.{}", encode(&signature.to_bytes()[..]))
    }

    /// Both ways to judge agree, and a rejection names a check that failed.
    fn judge(&self, token: &str) -> Option<Verified<AttestationResult>> {
        let (verifiers, expectations) = (&self.verifiers, &self.expectations);
        let (verdict, result) = ear::appraise(token, verifiers, expectations, NOW);
        assert_eq!(ear::verify(token, verifiers, expectations, NOW), result);
        let mut failed = verdict.checks.iter();
        let failed = failed.find(|check| check.outcome == CheckOutcome::Failed);
        let error = result.as_ref().err().map(|error| error.check());
        assert_eq!(failed.map(|check| check.id), error);
        result.ok()
    }

    /// Whatever a verifier signs, a client gets what it expects or nothing.
    fn holds(&self, result: &AttestationResult) {
        let expected = &self.expectations;
        assert_eq!(result.binding, expected.binding);
        assert_eq!(result.issuer, ISSUER);
        assert!(result.issued <= NOW + CLOCK_SKEW && NOW < result.expires);
        assert!(matches!(
            &expected.measurements,
            Measurements::AnyOf(ids) if ids.contains(&result.claims.measurement_id)
        ));
        assert_eq!(result.claims.debug, 0);
        assert!(expected.policy.kinds.contains(&result.claims.tee));
        assert!(expected.policy.accepts_root(result.claims.root_id));
        assert_eq!(
            result.claims.report_data, self.result.claims.report_data,
            "accepted for another challenge"
        );
    }
}

/// Header and payload.
fn parts(token: &str) -> [Vec<u8>; 2] {
    let mut parts = token.split('.');
    [(); 2].map(|()| {
        let part = parts.next().unwrap_or_default();
        URL_SAFE_NO_PAD.decode(part).unwrap_or_default()
    })
}

const TOKEN: u8 = 0;
const PAYLOAD: u8 = 1;
const HEADER: u8 = 2;
const SCALAR: [u8; 32] = [3; 32];
const ISSUER: &str = "https://verifier.example";

/// JWS headers, JSON, and the names of claims.
const WORDS: &[&[u8]] = &[
    b".",
    b"..",
    b"=",
    b"eyJhbGciOiJub25lIn0",
    b"\"alg\":\"none\"",
    b"\"alg\":\"HS256\"",
    b"\"alg\":\"ES256\"",
    b"\"crit\":[\"b64\"]",
    b"\"b64\":false",
    b"\"jwk\":{}",
    b"\"kid\":\"\"",
    b"\"exp\":0",
    b"\"exp\":18446744073709551615",
    b"\"iat\":-1",
    b"\"iat\":1e300",
    b"\"iss\":\"\"",
    b"\"eat_nonce\":\"\"",
    b"\"eat_nonce\":[]",
    b"\"eat_profile\":",
    b"\"submods\":{}",
    b"\"subrosa-enclave\":{",
    b"\"ear.status\":\"affirming\"",
    b"\"ear.status\":\"none\"",
    b"\"development\":false",
    b"\"debug\":255",
    b"\"tee\":\"snp\"",
    b"\"tcbStatus\":null",
    b"\"vmpl\":0",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b",",
    b"\\u0000",
    b"\\ud800",
    b"0x",
    b"[[[[[[[[[[[[[[[[",
];
