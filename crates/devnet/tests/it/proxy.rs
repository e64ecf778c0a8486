// SPDX-License-Identifier: Apache-2.0
//! Somebody between a client and both its node and its chain, who passes on an honest enclave's evidence
//! and has keys of his own encrypted to.

use std::sync::{Arc, Mutex};

use alloy_primitives::{B256, Bytes, hex};
use alloy_sol_types::SolCall;
use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};
use subrosa_chain::bindings::SubrosaRegistry::epochRecordCall;
use subrosa_client::{AttestOptions, ClientError, Connection, Deployment};
use subrosa_devnet::{Devnet, Options};
use subrosa_types::{
    abi::EpochOpening,
    id::epoch_public_key_hash,
    rpc::{self, Attestation},
};

/// A proxy before a network. Stops when dropped.
struct Proxy {
    url: String,
    forgery: Arc<Mutex<Forgery>>,
    task: tokio::task::JoinHandle<()>,
}

struct Forgery {
    node: String,
    chain: String,
    /// Whether it lies.
    lies: bool,
    /// The record of the opening that it made up.
    record: Option<B256>,
    /// How often the chain's answer was replaced.
    records: usize,
}

impl Proxy {
    async fn before(deployment: &Deployment, lies: bool) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let forgery = Arc::new(Mutex::new(Forgery {
            node: deployment.node_url.clone(),
            chain: deployment.rpc_url.replacen("ws", "http", 1),
            lies,
            record: None,
            records: 0,
        }));
        let router = Router::new()
            .route("/", post(pass_on))
            .with_state(Arc::clone(&forgery));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self { url, forgery, task }
    }

    async fn attest(&self, deployment: &Deployment) -> Result<usize, ClientError> {
        let deployment = Deployment {
            rpc_url: self.url.clone(),
            node_url: self.url.clone(),
            ..deployment.clone()
        };
        let options = AttestOptions {
            development: true,
            ..AttestOptions::default()
        };
        let attested = Connection::open(deployment)
            .await
            .unwrap()
            .attest(&options)
            .await?;
        Ok(attested.checks().len())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_on(
    State(forgery): State<Arc<Mutex<Forgery>>>,
    Json(call): Json<Value>,
) -> Json<Value> {
    let method = call["method"].as_str().unwrap().to_owned();
    let upstream = {
        let forgery = forgery.lock().unwrap();
        let is_nodes = method.starts_with("subrosa_");
        if is_nodes {
            &forgery.node
        } else {
            &forgery.chain
        }
        .clone()
    };
    let answer = reqwest::Client::new()
        .post(upstream)
        .json(&call)
        .send()
        .await;
    let mut answer: Value = answer.unwrap().json().await.unwrap();
    let mut forgery = forgery.lock().unwrap();
    if forgery.lies {
        match method.as_str() {
            "subrosa_attestation" => forgery.present_other_keys(&mut answer["result"]),
            "eth_call" if asks_for_record(&call) => {
                forgery.records += 1;
                answer["result"] = json!(hex::encode_prefixed(forgery.record.unwrap_or_default()));
            }
            _ => {}
        }
    }
    Json(answer)
}

impl Forgery {
    /// Replaces both X25519 keys, that in the X-Wing key too, and the opening that names them.
    fn present_other_keys(&mut self, result: &mut Value) {
        let mut attestation: Attestation = serde_json::from_value(result.take()).unwrap();
        let x25519 = B256::repeat_byte(9);
        let (ml_kem, _) = attestation.epoch.xwing.split_at(1184);
        attestation.epoch.xwing = Bytes::from([ml_kem, x25519.as_slice()].concat());
        attestation.epoch.x25519 = x25519;
        let mut opening = EpochOpening::from(attestation.epoch_opening);
        opening.publicKeyHash = epoch_public_key_hash(&attestation.epoch.xwing, &x25519.0);
        self.record = Some(opening.record());
        attestation.epoch_opening = rpc::EpochOpening::from(opening);
        *result = serde_json::to_value(attestation).unwrap();
    }
}

fn asks_for_record(call: &Value) -> bool {
    let transaction = &call["params"][0];
    let data = transaction
        .get("input")
        .or(transaction.get("data"))
        .unwrap();
    let data = hex::decode(data.as_str().unwrap()).unwrap();
    data.starts_with(&epochRecordCall::SELECTOR)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_proxy_are_refused_whatever_the_chain_is_said_to_record() {
    let network = Devnet::start(&Options::default()).await.unwrap();
    let deployment = network.deployment();

    // As long as it changes nothing, a client notices nothing.
    let honest = Proxy::before(deployment, false).await;
    let checks = honest.attest(deployment).await.unwrap();

    let proxy = Proxy::before(deployment, true).await;
    let error = proxy.attest(deployment).await.unwrap_err();
    let ClientError::Refused(refusal) = error else {
        panic!("not a refusal: {error}");
    };
    assert_eq!(refusal.check, "attestation.keys");
    // The evidence is an honest enclave's, and so is all that is checked before.
    let failed = refusal.checks.iter().filter(|check| !check.passed());
    assert_eq!(failed.count(), 1);
    assert!(
        refusal.checks.len() > checks / 2,
        "{}",
        refusal.checks.len()
    );
    // It would have had its record: the chain was not even asked.
    let forgery = proxy.forgery.lock().unwrap();
    assert!(forgery.record.is_some());
    assert_eq!(forgery.records, 0);
}
