// SPDX-License-Identifier: Apache-2.0
//! A running verifier and an enclave that asks it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::{Address, B256};
use subrosa_attestation::Root;
use subrosa_attestation::admission::Registration;
use subrosa_evidence::{
    Binding, CheckId, CheckOutcome, EvidencePart, Verdict,
    api::{AdmitRequest, AppraiseRequest, Base64},
    report_data,
};
use subrosa_tee::forge::Forge;
use subrosa_types::Challenge;
use subrosa_verifier::{Config, Keys, Verifier, serve};
use tokio::sync::oneshot;

/// 2026-06-01T00:00:00Z.
pub(crate) const NOW: u64 = 1_780_272_000;

pub(crate) const CHAIN: u64 = 31_337;
pub(crate) const REGISTRY: Address = Address::repeat_byte(0x0e);

pub(crate) struct Running {
    pub(crate) url: String,
    pub(crate) now: Arc<AtomicU64>,
    pub(crate) http: reqwest::Client,
    pub(crate) verifier: Arc<Verifier>,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

/// A development verifier; `more` is appended to its configuration.
pub(crate) async fn start(more: &str) -> Running {
    start_as("https://development.example", true, more).await
}

pub(crate) async fn start_as(issuer: &str, development: bool, more: &str) -> Running {
    let config = Config::parse(&format!(
        "listen = \"127.0.0.1:0\"\nissuer = \"{issuer}\"\ndevelopment = {development}\n\
         ear_key_file = \"unused\"\nadmission_key_file = \"unused\"\n{more}\n\
         [[registries]]\nchain_id = {CHAIN}\naddress = \"{REGISTRY}\"\n"
    ))
    .unwrap();
    let keys = Keys::from_scalars(&[3; 32], &[8; 32]).unwrap();
    let listener = tokio::net::TcpListener::bind(config.listen).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let verifier = Arc::new(Verifier::new(config, keys).unwrap());
    let now = Arc::new(AtomicU64::new(NOW));
    let clock = Arc::clone(&now);
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(serve(
        Arc::clone(&verifier),
        listener,
        Arc::new(move || clock.load(Ordering::SeqCst)),
        async move {
            // Dropping the sender stops the service as well.
            let _ = stopped.await;
        },
    ));
    Running {
        url,
        now,
        http: reqwest::Client::new(),
        verifier,
        stop: Some(stop),
        task,
    }
}

impl Running {
    pub(crate) async fn post<T: serde::Serialize>(
        &self,
        path: &str,
        body: &T,
    ) -> reqwest::Response {
        self.http
            .post(format!("{}{path}", self.url))
            .json(body)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.http
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .unwrap()
    }

    /// The value of a metric, by its name with labels.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let text = self.get("/metrics").await.text().await.unwrap();
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        drop(self.http);
        self.task.await.unwrap().unwrap();
    }
}

pub(crate) fn binding() -> Binding {
    Binding {
        signer: Address::repeat_byte(0x51),
        transfer_key_hash: B256::repeat_byte(0x7f),
        config_hash: B256::repeat_byte(0xcf),
        start_hash: B256::repeat_byte(0x57),
    }
}

pub(crate) fn challenge() -> Vec<u8> {
    vec![0xc4; 32]
}

/// What a client challenges with.
pub(crate) fn asked() -> Challenge {
    Challenge::Client(challenge())
}

/// Sound evidence for `challenge`.
pub(crate) fn forge(challenge: &Challenge) -> Forge {
    let binding = binding();
    Forge::new()
        .mrtd([0x3d; 48])
        .config(binding.config_hash.0)
        .report_data(report_data(&binding, challenge))
}

pub(crate) fn encoded(forge: &Forge) -> Base64 {
    Base64(forge.evidence().encode())
}

pub(crate) fn appraise_request() -> AppraiseRequest {
    AppraiseRequest {
        bundle: encoded(&forge(&asked())),
        challenge: Base64(challenge()),
        binding: binding(),
    }
}

pub(crate) fn registration() -> Registration {
    Registration {
        challenge_block: 99,
        challenge_block_hash: B256::repeat_byte(0xb1),
        registrant: Address::repeat_byte(0x9e),
    }
}

pub(crate) fn admit_request() -> AdmitRequest {
    let registration = registration();
    AdmitRequest {
        bundle: encoded(&forge(&registration.challenge())),
        chain_id: CHAIN,
        registry: REGISTRY,
        challenge_block: registration.challenge_block,
        challenge_block_hash: registration.challenge_block_hash,
        registrant: registration.registrant,
        binding: binding(),
    }
}

/// A configuration that accepts the roots of `evidence` as one's own, and goes on with `more`.
pub(crate) fn pinned(evidence: &[&Forge], more: &str) -> String {
    let root = |forge: &&Forge| {
        let evidence = forge.evidence();
        let collateral = evidence.part(EvidencePart::Collateral).unwrap();
        let collateral: serde_json::Value = serde_json::from_slice(collateral).unwrap();
        let chain = collateral["tcb_info_issuer_chain"].as_str().unwrap();
        let pem = &chain[chain.rfind("-----BEGIN").unwrap()..];
        let root = Root::from_certificate(pem.as_bytes()).unwrap();
        (root.id().to_string(), pem.to_owned())
    };
    let (ids, pems): (Vec<String>, Vec<String>) = evidence.iter().map(root).unzip();
    format!("[policy]\nroots = {ids:?}\npinned = {pems:?}\n{more}")
}

/// What a token says.
pub(crate) fn payload(token: &str) -> serde_json::Value {
    let text = token.split('.').nth(1).unwrap();
    let mut standard = text.replace('-', "+").replace('_', "/");
    while !standard.len().is_multiple_of(4) {
        standard.push('=');
    }
    let bytes: Base64 = serde_json::from_value(standard.into()).unwrap();
    serde_json::from_slice(&bytes.0).unwrap()
}

/// The checks that failed.
pub(crate) fn failed(verdict: &Verdict) -> Vec<CheckId> {
    let failed = |outcome| outcome == CheckOutcome::Failed;
    verdict
        .checks
        .iter()
        .filter(|check| failed(check.outcome))
        .map(|check| check.id)
        .collect()
}
