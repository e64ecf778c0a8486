// SPDX-License-Identifier: Apache-2.0
//! Tokens of Confidential Space: under a root of our own with faults, and genuine.

use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};
use subrosa_attestation::Root;
use subrosa_attestation::gcp::{MAX_TOKEN_BYTES, Token, TokenError, verify_token};

use crate::forge_snp::{integer, tlv};
use crate::genuine::vectors;
use crate::quote::{key, sign};

/// 2026-06-01T00:00:00Z.
const NOW: u64 = 1_780_272_000;

/// A token before it is signed. Everything in it can be spoiled.
struct Forged {
    header: Value,
    payload: Value,
    /// Which key signs.
    signer: usize,
}

impl Forged {
    fn new() -> Self {
        let chain = [certificate(1, 0, "leaf", "root"), root_certificate(0)];
        Self {
            header: json!({
                "alg": "RS256",
                "typ": "JWT",
                "kid": "leaf",
                "x5c": chain.map(|der| STANDARD.encode(der)),
            }),
            payload: json!({
                "aud": "audience", "sub": "subject", "iat": NOW - 60, "nbf": NOW - 60,
                "exp": NOW + 3600, "iss": "https://confidentialcomputing.googleapis.com",
                "eat_nonce": ["first nonce", "second nonce"], "secboot": true,
                "hwmodel": "GCP_AMD_SEV_SNP", "swname": "CONFIDENTIAL_SPACE",
                "swversion": ["250800"], "dbgstat": "disabled-since-boot",
                "submods": {"container": {"image_digest": "sha256:00"}},
            }),
            signer: 1,
        }
    }

    fn jwt(&self) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(&self.header), part(&self.payload));
        let signature = sign(key(self.signer), &RSA_PKCS1_SHA256, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn verify(&self) -> Result<Token, TokenError> {
        verify_token(&self.jwt(), &root(), NOW)
    }
}

fn root() -> Root {
    Root::from_certificate(&root_certificate(0)).unwrap()
}

fn root_certificate(index: usize) -> Vec<u8> {
    certificate(index, index, "root", "root")
}

/// A certificate (RFC 5280) in force from 2026-01-01 to 2027-01-01, signed with RSASSA and SHA-256;
/// an authority's if it is its own issuer.
fn certificate(subject_key: usize, issuer_key: usize, subject: &str, issuer: &str) -> Vec<u8> {
    let name = |name: &str| {
        let common = [
            hex::decode("0603550403").unwrap(),
            tlv(0x0c, name.as_bytes()),
        ]
        .concat();
        tlv(0x30, &tlv(0x31, &tlv(0x30, &common)))
    };
    let algorithm = |arc: u8| {
        let mut oid = hex::decode("06092a864886f70d0101000500").unwrap();
        oid[10] = arc;
        tlv(0x30, &oid)
    };
    let spki = [&[0][..], key(subject_key).public_key().as_ref()].concat();
    let dates = [tlv(0x17, b"260101000000Z"), tlv(0x17, b"270101000000Z")].concat();
    let mut fields = [
        tlv(0xa0, &integer(2)),
        integer(7),
        algorithm(11),
        name(issuer),
        tlv(0x30, &dates),
        name(subject),
        tlv(0x30, &[algorithm(1), tlv(0x03, &spki)].concat()),
    ]
    .concat();
    if subject == issuer {
        // basicConstraints, critical, cA.
        let authority = hex::decode("300f0603551d130101ff040530030101ff").unwrap();
        fields.extend(tlv(0xa3, &tlv(0x30, &authority)));
    }
    let signed = tlv(0x30, &fields);
    let mut signature = vec![0];
    signature.extend(sign(key(issuer_key), &RSA_PKCS1_SHA256, &signed));
    tlv(
        0x30,
        &[signed, algorithm(11), tlv(0x03, &signature)].concat(),
    )
}

#[test]
fn a_sound_token_says_what_runs() {
    let token = Forged::new().verify().unwrap();
    assert_eq!(token.audience, "audience");
    assert_eq!(token.nonces, ["first nonce", "second nonce"]);
    assert_eq!((token.issued, token.expires), (NOW - 60, NOW + 3600));
    assert_eq!(token.hardware, "GCP_AMD_SEV_SNP");
    assert_eq!(token.image_digest, "sha256:00");
}

type Fault = (&'static str, fn(&TokenError) -> bool, fn(&mut Forged));

const FAULTS: [Fault; 17] = [
    ("no algorithm", is_malformed, |token| {
        token.header["alg"] = json!("none")
    }),
    ("a MAC", is_malformed, |token| {
        token.header["alg"] = json!("HS256")
    }),
    ("a critical extension", is_malformed, |token| {
        token.header["crit"] = json!(["b64"])
    }),
    ("no certificate", is_malformed, |token| {
        token.header["x5c"] = json!([])
    }),
    ("no certificates at all", is_malformed, |token| {
        token.header["x5c"] = json!(null)
    }),
    ("a certificate that is none", is_certificates, |token| {
        token.header["x5c"][0] = json!("AAAA")
    }),
    ("nine certificates, one too many", is_malformed, |token| {
        let leaf = token.header["x5c"][0].clone();
        token.header["x5c"] = json!(vec![leaf; 9]);
    }),
    ("a root of its own", is_certificates, |token| {
        let chain = [certificate(1, 2, "leaf", "root"), root_certificate(2)];
        token.header["x5c"] = json!(chain.map(|der| STANDARD.encode(der)));
    }),
    (
        "another key than the certificate's",
        is_signature,
        |token| token.signer = 2,
    ),
    ("a token that has run out", is_date, |token| {
        token.payload["exp"] = json!(NOW)
    }),
    ("a token of tomorrow", is_date, |token| {
        token.payload["nbf"] = json!(NOW + 1)
    }),
    ("one issued tomorrow", is_date, |token| {
        token.payload["iat"] = json!(NOW + 1)
    }),
    ("another issuer", is_claim, |token| {
        token.payload["iss"] = json!("https://example.com")
    }),
    ("other software", is_claim, |token| {
        token.payload["swname"] = json!("GCE")
    }),
    ("debugging", is_claim, |token| {
        token.payload["dbgstat"] = json!("enabled")
    }),
    ("a VM that is not confidential", is_claim, |token| {
        token.payload["hwmodel"] = json!("GCP_SHIELDED_VM");
    }),
    ("no container", is_malformed, |token| {
        token.payload["submods"] = json!({})
    }),
];

#[test]
fn every_fault_of_a_token_is_refused_for_what_it_is() {
    for (name, expected, spoil) in FAULTS {
        let mut token = Forged::new();
        spoil(&mut token);
        let error = token.verify().expect_err(name);
        assert!(expected(&error), "{name}: {error}");
    }
    println!("{} faults", FAULTS.len());
}

#[test]
fn what_is_no_token_is_refused() {
    let sound = Forged::new().jwt();
    for junk in [
        "",
        "a",
        "a.b",
        "a.b.c",
        &sound[1..],
        &"x".repeat(MAX_TOKEN_BYTES + 1),
    ] {
        assert!(is_malformed(&verify_token(junk, &root(), NOW).unwrap_err()));
    }
    let other_hash = {
        let (signed, _) = sound.rsplit_once('.').unwrap();
        let signature = sign(key(1), &RSA_PKCS1_SHA384, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    assert_eq!(
        verify_token(&other_hash, &root(), NOW),
        Err(TokenError::Signature)
    );
    let later = verify_token(&sound, &root(), 1_900_000_000).unwrap_err();
    assert!(is_certificates(&later), "{later}");
}

#[test]
fn genuine_tokens_verify_as_the_manifest_says() {
    let Some(vectors) = vectors("gcp-jwt") else {
        return;
    };
    assert!(vectors.len() >= 2, "only {} vectors", vectors.len());
    for vector in &vectors {
        let root = Root::from_certificate(&vector.file("root_pem")).unwrap();
        let jwt = String::from_utf8(vector.file("jwt")).unwrap();
        let verdict = verify_token(jwt.trim_end(), &root, vector.now());
        assert_eq!(
            verdict.is_ok(),
            vector.accepted(),
            "{}: {verdict:?}",
            vector.id
        );
        println!("{}: {:?}", vector.id, verdict.as_ref().err());
        let Ok(token) = verdict else {
            assert!(is_date(&verdict.unwrap_err()));
            continue;
        };
        assert_eq!(token.hardware, vector.measurement("hwmodel"));
        assert_eq!(token.image_digest, vector.measurement("image_digest"));
        assert!(verify_token(&jwt, &self::root(), vector.now()).is_err());
        for position in (0..jwt.len()).step_by(61) {
            let mut flipped = jwt.clone().into_bytes();
            flipped[position] = if flipped[position] == b'A' {
                b'B'
            } else {
                b'A'
            };
            let flipped = String::from_utf8(flipped).unwrap();
            if let Ok(other) = verify_token(&flipped, &root, vector.now()) {
                assert_eq!(other, token, "{position}");
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_tokens_do_not_panic(header in ".{0,80}", payload in ".{0,80}") {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let jwt = format!("{}.{}.AAAA", part(&header), part(&payload));
        prop_assert!(verify_token(&jwt, &root(), NOW).is_err());
        prop_assert!(verify_token(&header, &root(), NOW).is_err());
    }
}

fn is_malformed(error: &TokenError) -> bool {
    matches!(error, TokenError::Malformed(_))
}

fn is_certificates(error: &TokenError) -> bool {
    matches!(error, TokenError::Certificates(_))
}

fn is_signature(error: &TokenError) -> bool {
    *error == TokenError::Signature
}

fn is_date(error: &TokenError) -> bool {
    matches!(error, TokenError::NotInForce { .. })
}

fn is_claim(error: &TokenError) -> bool {
    matches!(error, TokenError::Claim { .. })
}
