// SPDX-License-Identifier: Apache-2.0
//! Client of the attestation service.
//!
//! The host believes none of what it passes on: the registry checks admissions, clients check
//! attestation results.

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use reqwest::{StatusCode, Url};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use subrosa_evidence::{
    Binding,
    api::{
        AdmitRequest, AdmitResponse, AppraiseRequest, AppraiseResponse, Base64, Problem,
        SignedAdmission,
    },
};
use subrosa_types::frame::Started;

/// A verifier, reached over HTTP.
#[derive(Clone, Debug)]
pub struct Verifier {
    http: reqwest::Client,
    base: Url,
}

/// A recent block and who registers, which evidence for the chain answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChainChallenge {
    pub(crate) block: u64,
    pub(crate) block_hash: B256,
    pub(crate) registrant: Address,
}

impl Verifier {
    /// A client of the service at `base`.
    ///
    /// # Errors
    ///
    /// [`VerifierError::Unreachable`] if the platform gives no HTTP client.
    pub fn new(base: &Url) -> Result<Self, VerifierError> {
        let mut base = base.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(VerifierError::Unreachable)?;
        Ok(Self { http, base })
    }

    /// Asks for an attestation result over evidence that answers `challenge`, and for the bundle
    /// with whatever evidence of this platform lacks before others can verify it.
    pub(crate) async fn appraise(
        &self,
        bundle: &Bytes,
        challenge: &[u8],
        started: &Started,
    ) -> Result<(String, Bytes), VerifierError> {
        let request = AppraiseRequest {
            bundle: Base64(bundle.to_vec()),
            challenge: Base64(challenge.to_vec()),
            binding: binding(started),
        };
        let response: AppraiseResponse<Value> = self.post("v1/appraise", &request).await?;
        let ear = response.ear.ok_or_else(|| rejected(&response.verdict))?;
        Ok((ear, response.bundle.0.into()))
    }

    /// Asks for an admission to a registry, over evidence that answers `challenge`.
    pub(crate) async fn admit(
        &self,
        bundle: &Bytes,
        chain_id: u64,
        registry: Address,
        challenge: &ChainChallenge,
        started: &Started,
    ) -> Result<SignedAdmission, VerifierError> {
        let request = AdmitRequest {
            bundle: Base64(bundle.to_vec()),
            chain_id,
            registry,
            challenge_block: challenge.block,
            challenge_block_hash: challenge.block_hash,
            registrant: challenge.registrant,
            binding: binding(started),
        };
        let response: AdmitResponse<Value> = self.post("v1/admit", &request).await?;
        let signed = response
            .admission
            .ok_or_else(|| rejected(&response.verdict))?;
        if signed.admission.signer != started.signer {
            return Err(VerifierError::Malformed(
                "admission of another signer".into(),
            ));
        }
        Ok(signed)
    }

    async fn post<T: Serialize, R: DeserializeOwned>(
        &self,
        path: &str,
        request: &T,
    ) -> Result<R, VerifierError> {
        let malformed = |reason: String| VerifierError::Malformed(reason);
        let url = self
            .base
            .join(path)
            .map_err(|error| malformed(error.to_string()))?;
        let unreachable = |error: reqwest::Error| VerifierError::Unreachable(error.without_url());
        let sent = self.http.post(url).json(request).send().await;
        let mut response = sent.map_err(unreachable)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
                return Err(malformed(format!("more than {MAX_RESPONSE_BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            let message = serde_json::from_slice::<Problem>(&body)
                .map_or_else(|_| "no reason given".to_owned(), |problem| problem.message);
            return Err(VerifierError::Refused { status, message });
        }
        serde_json::from_slice(&body).map_err(|error| malformed(error.to_string()))
    }
}

/// Why the verifier gave nothing usable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// No answer.
    #[error("verifier does not answer")]
    Unreachable(#[source] reqwest::Error),
    /// An error instead of a verdict.
    #[error("verifier refused with status {status}: {message}")]
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// The verifier's words.
        message: String,
    },
    /// The evidence was rejected.
    #[error("verifier rejected the evidence: {verdict}")]
    Rejected {
        /// Its verdict, JSON, shortened.
        verdict: String,
    },
    /// Not the JSON it should be, or not about what was asked.
    #[error("verifier's answer is unusable: {0}")]
    Malformed(String),
}

fn rejected(verdict: &Value) -> VerifierError {
    let verdict = verdict
        .to_string()
        .chars()
        .take(MAX_VERDICT_CHARS)
        .collect();
    VerifierError::Rejected { verdict }
}

fn binding(started: &Started) -> Binding {
    Binding {
        signer: started.signer,
        transfer_key_hash: keccak256(&started.transfer_key),
        config_hash: started.config_hash,
        start_hash: started.start_hash,
    }
}

const TIMEOUT: Duration = Duration::from_secs(20);
const MAX_RESPONSE_BYTES: usize = 2 << 20;
const MAX_VERDICT_CHARS: usize = 2_048;
