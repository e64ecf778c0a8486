// SPDX-License-Identifier: Apache-2.0
//! Attestation results: round trip, independent reading, and every way to be refused.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;
use serde_json::{Value, json};
use subrosa_attestation::ear::{self, EarKey, PROFILE, SUBMODULE, TrustedVerifier};
use subrosa_attestation::{Expectations, Measurements, Policy, VerifyError, appraise, verify};
use subrosa_evidence::{CheckId, CheckOutcome, VerdictStatus, api::Jwks, report_data};
use subrosa_types::Challenge;

use crate::fixture::{
    ISSUER, NOW, binding, challenge, ear_key, expectations, forge, sound, trusted,
};

const LIFETIME: u64 = 300;

fn token() -> String {
    let bound = verify(&sound(), &expectations(), NOW).unwrap();
    ear::sign(&bound, ISSUER, &ear_key(), NOW, LIFETIME).unwrap()
}

fn check(token: &str, expectations: &Expectations, now: u64) -> CheckId {
    ear::verify(token, &trusted(), expectations, now)
        .unwrap_err()
        .check()
}

fn parts(token: &str) -> [Value; 2] {
    let mut parts = token.split('.');
    [(); 2].map(|()| {
        let json = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        serde_json::from_slice(&json).unwrap()
    })
}

/// A token with these parts, signed with the trusted key's scalar.
fn signed(header: &Value, payload: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap());
    let message = format!("{}.{}", encode(header), encode(payload));
    let key = p256::ecdsa::SigningKey::from_slice(&[3; 32]).unwrap();
    let signature: p256::ecdsa::Signature = key.sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// The sound token with its payload changed, signed again by the trusted verifier.
fn resigned(change: impl FnOnce(&mut Value)) -> String {
    let [header, mut payload] = parts(&token());
    change(&mut payload);
    signed(&header, &payload)
}

#[test]
fn a_result_says_what_the_evidence_said() {
    let bound = verify(&sound(), &expectations(), NOW).unwrap();
    let result = ear::verify(&token(), &trusted(), &expectations(), NOW + 1).unwrap();
    assert_eq!(result.claims, bound.claims);
    assert_eq!(result.binding, bound.binding);
    assert!(result.measurement_appraised);
    assert_eq!((result.issued, result.expires), (NOW, NOW + LIFETIME));
    assert_eq!(result.issuer, ISSUER);
    let (verdict, _) = ear::appraise(&token(), &trusted(), &expectations(), NOW);
    assert_eq!(verdict.status, VerdictStatus::Accepted);
    assert!(verdict.development);
    assert_eq!(verdict.checks.len(), 23);
}

#[test]
fn an_independent_implementation_reads_the_token() {
    let jwk = serde_json::to_string(&ear_key().jwk()).unwrap();
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_str(&jwk).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.validate_exp = false;
    validation.set_issuer(&[ISSUER]);
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    let read = jsonwebtoken::decode::<Value>(token(), &key, &validation).unwrap();
    assert_eq!(
        read.header.kid.unwrap(),
        jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256)
            .unwrap()
    );
    let claims = read.claims;
    assert_eq!(claims["eat_profile"], PROFILE);
    assert_eq!(
        claims["eat_nonce"],
        URL_SAFE_NO_PAD.encode(challenge().bytes())
    );
    let signer = serde_json::to_value(expectations().binding.signer).unwrap();
    assert_eq!(claims["cnf"]["kid"], signer);
    let submodule = &claims["submods"][SUBMODULE];
    // Development evidence never reads as affirmed hardware.
    assert_eq!(submodule["ear.status"], "warning");
    assert_eq!(submodule["ear.trustworthiness-vector"]["hardware"], 32);
    assert_eq!(submodule["subrosa"]["development"], true);
    let policy = Policy::development().hash();
    assert_eq!(
        submodule["ear.appraisal-policy-id"],
        format!("urn:subrosa:policy:{policy}")
    );
}

#[test]
fn a_result_is_in_force_for_its_lifetime_and_no_longer() {
    let valid = |now| ear::verify(&token(), &trusted(), &expectations(), now).is_ok();
    assert!(valid(NOW - ear::CLOCK_SKEW) && valid(NOW + LIFETIME - 1));
    for now in [
        NOW + LIFETIME,
        NOW + LIFETIME + 1,
        u64::MAX,
        NOW - ear::CLOCK_SKEW - 1,
        0,
    ] {
        let error = ear::verify(&token(), &trusted(), &expectations(), now).unwrap_err();
        assert!(
            matches!(
                error,
                VerifyError::Stale {
                    check: CheckId::EarFresh,
                    ..
                }
            ),
            "{now}"
        );
    }
}

#[test]
fn there_is_no_result_over_evidence_for_a_registration() {
    let challenge = Challenge::Registration {
        block_hash: B256::repeat_byte(0xb1),
        registrant: Address::repeat_byte(0x9e),
    };
    let evidence = forge().report_data(report_data(&binding(), &challenge));
    let expectations = Expectations {
        challenge,
        ..expectations()
    };
    let bound = verify(&evidence.evidence(), &expectations, NOW).unwrap();
    assert_eq!(ear::sign(&bound, ISSUER, &ear_key(), NOW, LIFETIME), None);
}

#[test]
fn a_result_does_not_outlive_the_collateral() {
    let bound = verify(&sound(), &expectations(), NOW).unwrap();
    let token = ear::sign(&bound, ISSUER, &ear_key(), NOW, u64::MAX).unwrap();
    let result = ear::verify(&token, &trusted(), &expectations(), NOW).unwrap();
    assert_eq!(result.expires, bound.claims.collateral_expires);
}

#[test]
fn a_key_that_is_not_trusted_is_named() {
    let bound = verify(&sound(), &expectations(), NOW).unwrap();
    let stranger = EarKey::from_bytes(&[4; 32]).unwrap();
    let token = ear::sign(&bound, ISSUER, &stranger, NOW, LIFETIME).unwrap();
    assert_eq!(check(&token, &expectations(), NOW), CheckId::EarKey);
    assert_eq!(
        ear::verify(&token, &[], &expectations(), NOW)
            .unwrap_err()
            .check(),
        CheckId::EarKey
    );
    // Claiming the trusted key's id does not help.
    let [mut header, payload] = parts(&token);
    header["kid"] = ear_key().jwk().kid.into();
    let signature = token.rsplit_once('.').unwrap().1;
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap());
    let forged = format!("{}.{}.{signature}", encode(&header), encode(&payload));
    assert_eq!(check(&forged, &expectations(), NOW), CheckId::EarSignature);
}

#[test]
fn a_key_published_under_anothers_id_never_matches() {
    let stranger = EarKey::from_bytes(&[4; 32]).unwrap();
    let mut jwk = stranger.jwk();
    jwk.kid = ear_key().jwk().kid;
    let poisoned = [TrustedVerifier {
        issuer: ISSUER.to_owned(),
        keys: Jwks { keys: vec![jwk] },
    }];
    let error = ear::verify(&token(), &poisoned, &expectations(), NOW).unwrap_err();
    assert_eq!(error.check(), CheckId::EarKey);
}

#[test]
fn another_issuer_is_refused_even_with_the_right_key() {
    let bound = verify(&sound(), &expectations(), NOW).unwrap();
    let token = ear::sign(
        &bound,
        "https://elsewhere.example",
        &ear_key(),
        NOW,
        LIFETIME,
    )
    .unwrap();
    assert_eq!(check(&token, &expectations(), NOW), CheckId::EarIssuer);
}

#[test]
fn no_other_algorithm_is_ever_tried() {
    let [header, payload] = parts(&token());
    for algorithm in ["none", "HS256", "ES384", "ES256K", "es256", ""] {
        let mut header = header.clone();
        header["alg"] = algorithm.into();
        assert_eq!(
            check(&signed(&header, &payload), &expectations(), NOW),
            CheckId::EarFormat
        );
    }
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap());
    let mut none = header.clone();
    none["alg"] = "none".into();
    let unsigned = format!("{}.{}.", encode(&none), encode(&payload));
    assert_eq!(check(&unsigned, &expectations(), NOW), CheckId::EarFormat);
    // Header parameters that would bring a key or an extension along are not understood.
    for (name, value) in [
        ("jwk", json!({})),
        ("jku", json!("x")),
        ("crit", json!(["exp"])),
    ] {
        let mut header = header.clone();
        header[name] = value;
        assert_eq!(
            check(&signed(&header, &payload), &expectations(), NOW),
            CheckId::EarFormat
        );
    }
}

#[test]
fn a_changed_byte_breaks_format_key_or_signature() {
    let token = token();
    for position in (0..token.len()).step_by(7) {
        let mut bytes = token.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        let check = check(&changed, &expectations(), NOW);
        assert!(
            matches!(
                check,
                CheckId::EarFormat | CheckId::EarKey | CheckId::EarSignature
            ),
            "{position}: {check}"
        );
    }
}

#[test]
fn oversized_and_malformed_tokens_are_refused_by_format() {
    let huge = "a".repeat(ear::MAX_TOKEN_BYTES + 1);
    for malformed in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", &huge] {
        assert_eq!(check(malformed, &expectations(), NOW), CheckId::EarFormat);
    }
    let wrong = resigned(|payload| payload["eat_profile"] = "tag:elsewhere".into());
    assert_eq!(check(&wrong, &expectations(), NOW), CheckId::EarFormat);
    let missing = resigned(|payload| payload["submods"] = json!({}));
    assert_eq!(check(&missing, &expectations(), NOW), CheckId::EarFormat);
    let (verdict, _) = ear::appraise(&missing, &trusted(), &expectations(), NOW);
    assert_eq!(
        verdict.check(CheckId::EarSignature).unwrap().outcome,
        CheckOutcome::Passed
    );
    assert_eq!(
        verdict.check(CheckId::Root).unwrap().outcome,
        CheckOutcome::NotEvaluated
    );
}

#[test]
fn a_result_that_does_not_affirm_is_refused() {
    for status in ["contraindicated", "none", "affirming", ""] {
        let token = resigned(|payload| payload["submods"][SUBMODULE]["ear.status"] = status.into());
        assert_eq!(
            check(&token, &expectations(), NOW),
            CheckId::EarStatus,
            "{status}"
        );
    }
}

#[test]
fn a_result_that_leaves_out_what_its_kind_always_says_is_refused() {
    let changes: [(&str, serde_json::Value); 8] = [
        ("tcbStatus", json!(null)),
        ("tcbDate", json!(null)),
        ("tcbEvaluation", json!(null)),
        ("configRegister", json!(null)),
        ("tee", json!("nitro")),
        ("product", json!("genoa")),
        ("measurement", json!("0x00")),
        ("revocationChecked", json!(false)),
    ];
    for (field, value) in changes {
        let token = resigned(|p| p["submods"][SUBMODULE]["subrosa"][field] = value.clone());
        assert_eq!(
            check(&token, &expectations(), NOW),
            CheckId::EarFormat,
            "{field}"
        );
    }
    let outliving = resigned(|p| p["exp"] = json!(4_000_000_000_u64));
    assert_eq!(check(&outliving, &expectations(), NOW), CheckId::EarFormat);
}

#[test]
fn a_result_that_contradicts_itself_is_refused() {
    let other = format!("{}", B256::repeat_byte(0xee));
    let id = resigned(|p| p["submods"][SUBMODULE]["subrosa"]["measurementId"] = other.into());
    assert_eq!(check(&id, &expectations(), NOW), CheckId::EarFormat);
    let confirmed = resigned(|p| p["cnf"]["kid"] = format!("0x{}", "11".repeat(20)).into());
    assert_eq!(check(&confirmed, &expectations(), NOW), CheckId::EarFormat);
    let hidden = resigned(|p| p["submods"][SUBMODULE]["subrosa"]["development"] = false.into());
    assert_eq!(check(&hidden, &expectations(), NOW), CheckId::EarFormat);
}

#[test]
fn development_results_are_refused_without_being_asked_for() {
    let strict = Expectations {
        policy: Policy::strict(),
        ..expectations()
    };
    assert_eq!(check(&token(), &strict, NOW), CheckId::Root);
}

#[test]
fn every_unmet_expectation_is_named_as_for_raw_evidence() {
    let base = expectations;
    let other = B256::repeat_byte(0xee);
    let foreign = Measurements::AnyOf(BTreeSet::from([other]));
    let mut cases = vec![
        Expectations {
            measurements: foreign,
            ..base()
        },
        Expectations {
            challenge: Challenge::Client(vec![0xc5; 32]),
            ..base()
        },
        Expectations {
            policy: Policy::strict(),
            ..base()
        },
    ];
    for change in [
        |e: &mut Expectations| e.binding.signer = Address::repeat_byte(0x52),
        |e: &mut Expectations| e.binding.transfer_key_hash = B256::repeat_byte(0xee),
        |e: &mut Expectations| e.binding.config_hash = B256::repeat_byte(0xee),
        |e: &mut Expectations| e.policy.minimum_tcb_evaluation = 18,
        |e: &mut Expectations| e.policy.machines = Some(BTreeSet::new()),
        |e: &mut Expectations| e.policy.tcb_statuses.clear(),
    ] {
        let mut expectations = base();
        change(&mut expectations);
        cases.push(expectations);
    }
    for expectations in cases {
        let raw = verify(&sound(), &expectations, NOW).unwrap_err();
        let result = ear::verify(&token(), &trusted(), &expectations, NOW).unwrap_err();
        assert_eq!(raw, result);
    }
}

#[test]
fn a_client_without_a_measurement_is_told_that_nothing_was_appraised() {
    let open = Expectations {
        measurements: Measurements::JudgedElsewhere,
        ..expectations()
    };
    let bound = appraise(&sound(), &open, NOW).bound.unwrap();
    let token = ear::sign(&bound, ISSUER, &ear_key(), NOW, LIFETIME).unwrap();
    let error = ear::verify(&token, &trusted(), &open, NOW).unwrap_err();
    assert_eq!(
        error,
        VerifyError::NotAppraised {
            check: CheckId::Measurement
        }
    );
    // A verifier that did not judge the measurement leaves it to the client, who does.
    let result = ear::verify(&token, &trusted(), &expectations(), NOW).unwrap();
    assert!(!result.measurement_appraised);
    let [_, payload] = parts(&token);
    assert_eq!(
        payload["submods"][SUBMODULE]["ear.trustworthiness-vector"]["executables"],
        0
    );
}
