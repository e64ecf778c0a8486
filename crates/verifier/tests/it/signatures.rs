// SPDX-License-Identifier: Apache-2.0
//! What the service signs, and what it does not.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use alloy_primitives::{Address, B256};
use subrosa_attestation::admission;
use subrosa_attestation::ear::{self, TrustedVerifier};
use subrosa_attestation::{Expectations, Measurements, Policy, verify_genuine};
use subrosa_evidence::{
    CheckId, CheckOutcome, DEVELOPMENT_ROOT_ID, EvidenceBundle, VerdictStatus,
    api::{AdmitResponse, AppraiseResponse, Base64, Jwks, KeysResponse},
};
use subrosa_tee::forge::Fault;
use subrosa_types::{Challenge, eip712::registry_domain};

use crate::fixture::{
    CHAIN, NOW, REGISTRY, Running, admit_request, appraise_request, asked, binding, encoded, forge,
    payload, pinned, registration, start, start_as,
};

async fn trusted(verifier: &Running) -> Vec<TrustedVerifier> {
    let keys: Jwks = verifier
        .get("/.well-known/jwks.json")
        .await
        .json()
        .await
        .unwrap();
    let about: KeysResponse = verifier.get("/v1/keys").await.json().await.unwrap();
    vec![TrustedVerifier {
        issuer: about.issuer,
        keys,
    }]
}

fn measurement() -> B256 {
    let bundle = EvidenceBundle::decode(&appraise_request().bundle.0).unwrap();
    verify_genuine(&bundle, &Policy::development(), NOW)
        .unwrap()
        .measurement_id
}

fn expectations() -> Expectations {
    Expectations {
        policy: Policy::development(),
        measurements: Measurements::AnyOf(BTreeSet::from([measurement()])),
        binding: binding(),
        challenge: asked(),
    }
}

#[tokio::test]
async fn a_client_accepts_the_result_with_keys_fetched_from_the_service() {
    let verifier = start("").await;
    let response = verifier.post("/v1/appraise", &appraise_request()).await;
    assert_eq!(response.status(), 200);
    let response: AppraiseResponse = response.json().await.unwrap();
    // No list of measurements: genuine, and the judgement is the client's.
    assert_eq!(response.verdict.status, VerdictStatus::GenuineNotAppraised);
    assert!(response.verdict.development);
    let token = response.ear.unwrap();
    let trusted = trusted(&verifier).await;
    let result = ear::verify(&token, &trusted, &expectations(), NOW).unwrap();
    assert_eq!(result.claims.root_id, DEVELOPMENT_ROOT_ID);
    assert_eq!((result.issued, result.expires), (NOW, NOW + 300));
    // The service's clock is the one it was given.
    verifier.now.store(NOW + 1000, Ordering::SeqCst);
    let later: AppraiseResponse = verifier
        .post("/v1/appraise", &appraise_request())
        .await
        .json()
        .await
        .unwrap();
    let later = ear::verify(&later.ear.unwrap(), &trusted, &expectations(), NOW + 1000).unwrap();
    assert_eq!(later.issued, NOW + 1000);
    let stale = ear::verify(&token, &trusted, &expectations(), NOW + 1000).unwrap_err();
    assert_eq!(stale.check(), CheckId::EarFresh);
    verifier.stop().await;
}

#[tokio::test]
async fn a_list_of_measurements_makes_the_verdict_an_acceptance_or_a_rejection() {
    let listed = format!("[policy]\nmeasurements = [\"{}\"]", measurement());
    let verifier = start(&listed).await;
    let response: AppraiseResponse = verifier
        .post("/v1/appraise", &appraise_request())
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(response.verdict.status, VerdictStatus::Accepted);
    assert!(response.ear.is_some());

    let other = format!("[policy]\nmeasurements = [\"{}\"]", B256::repeat_byte(1));
    let verifier = start(&other).await;
    let response: AppraiseResponse = verifier
        .post("/v1/appraise", &appraise_request())
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(response.verdict.status, VerdictStatus::Rejected);
    assert_eq!(
        response
            .verdict
            .check(CheckId::Measurement)
            .unwrap()
            .outcome,
        CheckOutcome::Failed
    );
    assert!(response.ear.is_none());
}

#[tokio::test]
async fn the_verdict_that_is_answered_is_the_one_that_is_signed() {
    // Under a root of one's own: to a verifier for development not software evidence.
    let evidence = forge(&asked()).fault(Fault::ForeignRoot);
    let verifier = start(&pinned(&[&evidence], "[collateral]\nfetch = false")).await;
    let mut foreign = appraise_request();
    foreign.bundle = encoded(&evidence);
    for (request, development) in [(appraise_request(), true), (foreign, false)] {
        let response = verifier.post("/v1/appraise", &request).await;
        let response: AppraiseResponse = response.json().await.unwrap();
        let signed = payload(&response.ear.unwrap());
        let signed = &signed["submods"][ear::SUBMODULE]["subrosa"];
        let answered = serde_json::to_value(&response.verdict).unwrap();
        assert_eq!(signed["verdict"], answered);
        assert_eq!(signed["development"], development);
        assert_eq!(answered["development"], development);
    }
}

#[tokio::test]
async fn an_admission_recovers_to_the_published_address_under_the_registrys_domain() {
    let verifier = start("lease_seconds = 600").await;
    let about: KeysResponse = verifier.get("/v1/keys").await.json().await.unwrap();
    assert!(about.development);
    let response: AdmitResponse = verifier
        .post("/v1/admit", &admit_request())
        .await
        .json()
        .await
        .unwrap();
    let signed = response.admission.unwrap();
    let domain = registry_domain(CHAIN, REGISTRY);
    let by = admission::verify(
        &signed.admission,
        &signed.signature,
        &domain,
        &[about.admission],
    );
    assert_eq!(by, Ok(about.admission));
    assert_eq!(signed.admission.signer, binding().signer);
    assert_eq!(signed.admission.notAfter, NOW + 600);
    assert_eq!(signed.admission.policyHash, about.policy_hash);
    assert_eq!(signed.admission.registrant, registration().registrant);
}

#[tokio::test]
async fn nothing_is_signed_for_evidence_of_another_challenge_or_binding() {
    let verifier = start("").await;
    let mut request = appraise_request();
    request.challenge = Base64(vec![0xc5; 32]);
    let response: AppraiseResponse = verifier
        .post("/v1/appraise", &request)
        .await
        .json()
        .await
        .unwrap();
    assert!(response.ear.is_none());
    assert_eq!(
        response.verdict.check(CheckId::Challenge).unwrap().outcome,
        CheckOutcome::Failed
    );

    let mut request = appraise_request();
    request.binding.signer = Address::repeat_byte(0x52);
    let response: AppraiseResponse = verifier
        .post("/v1/appraise", &request)
        .await
        .json()
        .await
        .unwrap();
    assert!(response.ear.is_none());
    assert_eq!(
        response.verdict.check(CheckId::ReportData).unwrap().outcome,
        CheckOutcome::Failed
    );

    // A client that sends a registration's bytes gets nothing that registers, nor the other way round.
    let registration = registration().challenge();
    let mut request = admit_request();
    request.bundle = encoded(&forge(&Challenge::Client(registration.bytes())));
    let response: AdmitResponse = verifier
        .post("/v1/admit", &request)
        .await
        .json()
        .await
        .unwrap();
    assert!(response.admission.is_none());
    assert_eq!(
        response.verdict.check(CheckId::Challenge).unwrap().outcome,
        CheckOutcome::Failed
    );
    let mut request = appraise_request();
    request.bundle = encoded(&forge(&registration));
    request.challenge = Base64(registration.bytes());
    let response: AppraiseResponse = verifier
        .post("/v1/appraise", &request)
        .await
        .json()
        .await
        .unwrap();
    assert!(response.ear.is_none());

    let mut requests = [admit_request(), admit_request()];
    requests[0].registrant = Address::repeat_byte(1);
    requests[1].challenge_block_hash = B256::repeat_byte(1);
    for request in requests {
        let response: AdmitResponse = verifier
            .post("/v1/admit", &request)
            .await
            .json()
            .await
            .unwrap();
        assert!(response.admission.is_none());
        assert_eq!(
            response.verdict.check(CheckId::Challenge).unwrap().outcome,
            CheckOutcome::Failed
        );
    }
}

#[tokio::test]
async fn nothing_is_signed_for_faulty_evidence() {
    let verifier = start("").await;
    for (fault, check) in [
        (Fault::DebugTd, CheckId::Debug),
        (Fault::ForeignRoot, CheckId::Root),
        (Fault::RevokedPck, CheckId::DcapRevocation),
        (Fault::ExpiredTcbInfo, CheckId::DcapCollateral),
        (Fault::OutOfDate, CheckId::TcbStatus),
        (Fault::ForeignAttestationKey, CheckId::DcapQuotingEnclave),
    ] {
        let mut request = appraise_request();
        request.bundle = encoded(&forge(&asked()).fault(fault));
        let response: AppraiseResponse = verifier
            .post("/v1/appraise", &request)
            .await
            .json()
            .await
            .unwrap();
        assert!(response.ear.is_none(), "{fault:?}");
        assert_eq!(response.verdict.status, VerdictStatus::Rejected);
        assert_eq!(
            response.verdict.development,
            fault != Fault::ForeignRoot,
            "{fault:?}: what hangs from the development root is development"
        );
        let relaxations = &response.verdict.relaxations;
        assert!(
            relaxations.iter().any(|text| text.contains("software")),
            "{relaxations:?}"
        );
        assert_eq!(
            response.verdict.check(check).unwrap().outcome,
            CheckOutcome::Failed,
            "{fault:?}"
        );
        let mut request = admit_request();
        request.bundle = encoded(&forge(&registration().challenge()).fault(fault));
        let response: AdmitResponse = verifier
            .post("/v1/admit", &request)
            .await
            .json()
            .await
            .unwrap();
        assert!(response.admission.is_none(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_production_verifier_signs_nothing_for_development_evidence() {
    let verifier = start_as("https://verifier.example", false, "").await;
    let response: AppraiseResponse = verifier
        .post("/v1/appraise", &appraise_request())
        .await
        .json()
        .await
        .unwrap();
    assert!(response.ear.is_none());
    assert!(response.verdict.development);
    assert_eq!(
        response.verdict.check(CheckId::Root).unwrap().outcome,
        CheckOutcome::Failed
    );
    let response: AdmitResponse = verifier
        .post("/v1/admit", &admit_request())
        .await
        .json()
        .await
        .unwrap();
    assert!(response.admission.is_none());
    let about: KeysResponse = verifier.get("/v1/keys").await.json().await.unwrap();
    assert!(!about.development);
}
