// SPDX-License-Identifier: Apache-2.0
//! Results stay verifiable while keys change.

use subrosa_attestation::ear::{self, TrustedVerifier};
use subrosa_attestation::{Expectations, Measurements, Policy};
use subrosa_evidence::{
    CheckId,
    api::{AppraiseResponse, Jwks},
};
use subrosa_verifier::{Config, Keys};

use crate::fixture::{NOW, Running, appraise_request, asked, binding, start};

async fn jwks(verifier: &Running) -> (Jwks, String) {
    let response = verifier.get("/.well-known/jwks.json").await;
    let keep = response.headers()["cache-control"].to_str().unwrap();
    let keep = keep.to_owned();
    (response.json().await.unwrap(), keep)
}

async fn token(verifier: &Running) -> String {
    let response = verifier.post("/v1/appraise", &appraise_request()).await;
    let response: AppraiseResponse = response.json().await.unwrap();
    response.ear.unwrap()
}

/// Why a client with `keys` does not know the signer of `token`, if it does not.
fn unknown_key(token: &str, keys: &Jwks) -> bool {
    let trusted = [TrustedVerifier {
        issuer: "https://development.example".to_owned(),
        keys: keys.clone(),
    }];
    let expectations = Expectations {
        policy: Policy::development(),
        measurements: Measurements::JudgedElsewhere,
        binding: binding(),
        challenge: asked(),
    };
    match ear::verify(token, &trusted, &expectations, NOW) {
        Ok(_) => false,
        Err(error) => error.check() == CheckId::EarKey,
    }
}

#[tokio::test]
async fn clients_follow_a_rotation_with_the_key_set_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    let config = Config::parse(&format!(
        "listen = \"127.0.0.1:0\"\nissuer = \"https://development.example\"\ndevelopment = true\n\
         ear_key_file = {:?}\nadmission_key_file = {:?}\n",
        file("ear.key"),
        file("admission.key")
    ))
    .unwrap();
    Keys::create(&config).unwrap();
    let verifier = start("").await;
    let reload = || {
        let keys = Keys::load(&config).unwrap();
        verifier.verifier.replace_keys(keys, NOW);
    };
    reload();
    Keys::rotate(&config, NOW - 3600).unwrap();
    reload();
    let (announced, keep) = jwks(&verifier).await;
    assert_eq!(keep, "public, max-age=3600");
    let before = token(&verifier).await;

    Keys::rotate(&config, NOW).unwrap();
    reload();
    let after = token(&verifier).await;
    let (published, _) = jwks(&verifier).await;
    for token in [&before, &after] {
        assert!(
            !unknown_key(token, &announced),
            "announced before it was used"
        );
        assert!(
            !unknown_key(token, &published),
            "published while it is in force"
        );
    }
    assert_ne!(before.split('.').next(), after.split('.').next());
    // The key of the fixture, which signed nothing that a client could still hold for long.
    assert!(published.keys.iter().all(|key| ear::validate(key).is_ok()));
    let later: std::collections::BTreeSet<String> = verifier
        .verifier
        .jwks(NOW + 86_400)
        .keys
        .into_iter()
        .map(|key| key.kid)
        .collect();
    assert_eq!(later.len(), 2, "the current and the next key remain");
    verifier.stop().await;
}
