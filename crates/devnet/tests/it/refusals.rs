// SPDX-License-Identifier: Apache-2.0
//! Clients against a real node that is not what they were told to trust: refused before anything
//! is encrypted, naming the check.

use alloy_primitives::B256;
use subrosa_client::{Appraisal, AttestOptions, ClientError, Clock, Connection, Deployment};
use subrosa_devnet::{Devnet, Options};

async fn refusal(deployment: Deployment, options: AttestOptions) -> String {
    let connection = Connection::open(deployment).await.unwrap();
    refusal_of(connection, options).await
}

async fn refusal_of(connection: Connection, options: AttestOptions) -> String {
    match connection.attest(&options).await {
        Err(ClientError::Refused(refusal)) => refusal.to_string(),
        Err(error) => panic!("not a refusal: {error}"),
        Ok(_) => panic!("accepted"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_not_as_told_is_refused_by_name() {
    let network = Devnet::start(&Options::default()).await.unwrap();
    let good = network.deployment();
    let consent = AttestOptions {
        development: true,
        ..AttestOptions::default()
    };
    let attested = Connection::open(good.clone())
        .await
        .unwrap()
        .attest(&consent)
        .await
        .unwrap();
    assert!(attested.is_development());

    let refused = refusal(good.clone(), AttestOptions::default()).await;
    assert!(refused.contains("development"), "{refused}");

    for appraisal in [Appraisal::Result, Appraisal::Evidence] {
        let mut other = good.clone();
        other.measurements = vec![B256::repeat_byte(1)];
        let refused = refusal(
            other,
            AttestOptions {
                appraisal,
                ..consent
            },
        )
        .await;
        assert!(refused.contains("measurement"), "{refused}");

        let mut other = good.clone();
        other.roots = vec![B256::repeat_byte(1)];
        let refused = refusal(
            other,
            AttestOptions {
                appraisal,
                ..consent
            },
        )
        .await;
        assert!(refused.contains("root"), "{refused}");
    }

    let mut other = good.clone();
    other.measured.policy_hash = B256::repeat_byte(1);
    let refused = refusal(other, consent).await;
    assert!(refused.contains("config"), "{refused}");

    let mut other = good.clone();
    other.measured.oracle_code_hash = B256::repeat_byte(1);
    let refused = refusal(other, consent).await;
    assert!(refused.contains("code"), "{refused}");

    let mut other = good.clone();
    other.verifier.as_mut().unwrap().issuer = "https://somebody.else".into();
    let refused = refusal(other, consent).await;
    assert!(refused.contains("issuer"), "{refused}");

    let year = 365 * 24 * 60 * 60;
    let later = Clock::new(move || Clock::system().now() + year);
    let connection = Connection::with_clock(good.clone(), later).await.unwrap();
    let refused = refusal_of(connection, consent).await;
    assert!(refused.contains("ear"), "{refused}");
}
