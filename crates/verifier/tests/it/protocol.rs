// SPDX-License-Identifier: Apache-2.0
//! What bad requests get, and what supervisors see.

use std::sync::atomic::Ordering;

use alloy_primitives::Address;
use serde_json::{Value, json};
use subrosa_evidence::api::{Base64, Problem, ProblemCode};
use subrosa_verifier::MAX_BODY_BYTES;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fixture::{NOW, Running, admit_request, appraise_request, start};

async fn problem(response: reqwest::Response, status: u16) -> Problem {
    assert_eq!(response.status(), status);
    response.json().await.unwrap()
}

async fn raw(verifier: &Running, content_type: &str, body: Vec<u8>) -> reqwest::Response {
    verifier
        .http
        .post(format!("{}/v1/appraise", verifier.url))
        .header("content-type", content_type)
        .body(body)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn malformed_requests_get_a_code_and_a_reason() {
    let verifier = start("").await;
    let sound = serde_json::to_value(appraise_request()).unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value = sound.clone();
        change(&mut value);
        value
    };
    for body in [
        json!(null),
        json!({}),
        changed(&|value| value["extra"] = json!(1)),
        changed(&|value| value["binding"]["extra"] = json!(1)),
        changed(&|value| value["bundle"] = json!("***")),
        changed(&|value| value["challenge"] = json!("")),
        changed(&|value| value["challenge"] = serde_json::to_value(Base64(vec![0; 65])).unwrap()),
        changed(&|value| value["binding"]["signer"] = json!("0x12")),
    ] {
        let problem = problem(verifier.post("/v1/appraise", &body).await, 400).await;
        assert_eq!(problem.code, ProblemCode::MalformedRequest, "{body}");
        assert!(!problem.message.is_empty());
    }
    let bundle = changed(&|value| value["bundle"] = serde_json::to_value(Base64(vec![9])).unwrap());
    let problem = problem(verifier.post("/v1/appraise", &bundle).await, 400).await;
    assert_eq!(problem.code, ProblemCode::MalformedBundle);
}

#[tokio::test]
async fn wrong_paths_methods_and_media_types_get_typed_errors() {
    let verifier = start("").await;
    assert_eq!(
        problem(verifier.get("/v2").await, 404).await.code,
        ProblemCode::NotFound
    );
    let get = verifier.get("/v1/appraise").await;
    assert_eq!(problem(get, 405).await.code, ProblemCode::MethodNotAllowed);
    let text = raw(&verifier, "text/plain", b"{}".to_vec()).await;
    assert_eq!(
        problem(text, 415).await.code,
        ProblemCode::UnsupportedMediaType
    );
    let charset = raw(&verifier, "application/json; charset=utf-8", b"{}".to_vec()).await;
    assert_eq!(
        problem(charset, 400).await.code,
        ProblemCode::MalformedRequest
    );
}

#[tokio::test]
async fn bodies_are_capped() {
    let verifier = start("").await;
    let largest = raw(&verifier, "application/json", vec![b' '; MAX_BODY_BYTES]).await;
    assert_eq!(
        problem(largest, 400).await.code,
        ProblemCode::MalformedRequest
    );
    let larger = raw(
        &verifier,
        "application/json",
        vec![b' '; MAX_BODY_BYTES + 1],
    )
    .await;
    assert_eq!(problem(larger, 413).await.code, ProblemCode::TooLarge);
}

#[tokio::test]
async fn a_registry_that_is_not_listed_gets_nothing() {
    let verifier = start("").await;
    let mut requests = [admit_request(), admit_request()];
    requests[0].chain_id = 1;
    requests[1].registry = Address::repeat_byte(1);
    for request in requests {
        let problem = problem(verifier.post("/v1/admit", &request).await, 403).await;
        assert_eq!(problem.code, ProblemCode::UnknownRegistry);
    }
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_when_to_come_back() {
    let verifier = start("[limits]\nrequests_per_second = 1\nburst = 3").await;
    for _ in 0..3 {
        assert_eq!(verifier.get("/v1/keys").await.status(), 200);
    }
    let limited = verifier.post("/v1/appraise", &appraise_request()).await;
    assert_eq!(limited.headers()["retry-after"], "1");
    assert_eq!(problem(limited, 429).await.code, ProblemCode::RateLimited);
    // Supervisors are not clients.
    assert_eq!(verifier.get("/health").await.status(), 200);
    verifier.now.store(NOW + 1, Ordering::SeqCst);
    assert_eq!(verifier.get("/v1/keys").await.status(), 200);
}

#[tokio::test]
async fn a_request_that_does_not_arrive_times_out() {
    let verifier = start("[limits]\ntimeout_seconds = 1").await;
    let address = verifier.url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/appraise HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: 100\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn supervisors_see_health_and_counts() {
    let verifier = start("").await;
    let health: Value = verifier.get("/health").await.json().await.unwrap();
    assert_eq!(health, json!({ "status": "ok" }));
    verifier.post("/v1/appraise", &appraise_request()).await;
    let mut rejected = appraise_request();
    rejected.binding.signer = Address::ZERO;
    verifier.post("/v1/appraise", &rejected).await;
    verifier.post("/v1/appraise", &json!({})).await;
    let metrics = verifier.get("/metrics").await.text().await.unwrap();
    for line in [
        "subrosa_verifier_appraisals_total{kind=\"tdx\",outcome=\"genuine-not-appraised\"} 1",
        "subrosa_verifier_appraisals_total{kind=\"tdx\",outcome=\"rejected\"} 1",
        "subrosa_verifier_refused_total 1",
        "subrosa_verifier_appraisal_seconds_count 2",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line} not in\n{metrics}"
        );
    }
    for name in [
        "subrosa_verifier_appraisals_total",
        "subrosa_verifier_refused_total",
        "subrosa_verifier_appraisal_seconds",
    ] {
        let help = format!("# HELP {name} ");
        assert!(metrics.contains(&help), "{help} not in\n{metrics}");
    }
    verifier.stop().await;
}
