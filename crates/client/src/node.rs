// SPDX-License-Identifier: Apache-2.0
//! JSON-RPC client of a Subrosa node.

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use subrosa_types::rpc::{
    Attestation, AttestationRequest, ContractRequest, ContractResponse, DeployAccepted,
    DeployRequest, EntryRequest, NodeStatus, QueryRequest, QueryResponse, Receipt, RequestStatus,
};

/// A node, reached over HTTP. Nothing it says is trusted by this type.
#[derive(Clone, Debug)]
pub struct NodeClient {
    http: reqwest::Client,
    url: String,
}

impl NodeClient {
    /// A client of the node at `url` (http or https).
    ///
    /// # Errors
    ///
    /// [`NodeError::Setup`] if the platform gives no HTTP client.
    pub fn new(url: impl Into<String>) -> Result<Self, NodeError> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .build()
            .map_err(NodeError::Setup)?;
        Ok(Self {
            http,
            url: url.into(),
        })
    }

    /// Where the node is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `subrosa_status`.
    ///
    /// # Errors
    ///
    /// [`NodeError`]; so for every method below.
    pub async fn status(&self) -> Result<NodeStatus, NodeError> {
        self.call::<[(); 0], _>("subrosa_status", &[]).await
    }

    /// `subrosa_attestation`.
    pub async fn attestation(
        &self,
        request: &AttestationRequest,
    ) -> Result<Attestation, NodeError> {
        self.call("subrosa_attestation", &[request]).await
    }

    /// `subrosa_deploy`.
    pub async fn deploy(&self, request: &DeployRequest) -> Result<DeployAccepted, NodeError> {
        self.call("subrosa_deploy", &[request]).await
    }

    /// `subrosa_query`.
    pub async fn query(&self, request: &QueryRequest) -> Result<QueryResponse, NodeError> {
        self.call("subrosa_query", &[request]).await
    }

    /// `subrosa_contract`.
    pub async fn contract(&self, request: &ContractRequest) -> Result<ContractResponse, NodeError> {
        self.call("subrosa_contract", &[request]).await
    }

    /// `subrosa_request`.
    pub async fn request(&self, request: &EntryRequest) -> Result<RequestStatus, NodeError> {
        self.call("subrosa_request", &[request]).await
    }

    /// `subrosa_receipt`.
    pub async fn receipt(&self, request: &EntryRequest) -> Result<Receipt, NodeError> {
        self.call("subrosa_receipt", &[request]).await
    }

    async fn call<P: Serialize, R: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &P,
    ) -> Result<R, NodeError> {
        let call = Call {
            jsonrpc: "2.0",
            id: 1,
            method,
            params,
        };
        let unreachable = |source| NodeError::Unreachable {
            url: self.url.clone(),
            source,
        };
        let mut response = self
            .http
            .post(&self.url)
            .json(&call)
            .send()
            .await
            .map_err(unreachable)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
                return Err(NodeError::TooLarge { method });
            }
            body.extend_from_slice(&chunk);
        }
        let answer: Answer = match serde_json::from_slice(&body) {
            Ok(answer) => answer,
            Err(_) if !status.is_success() => {
                return Err(NodeError::Http {
                    method,
                    status: status.as_u16(),
                });
            }
            Err(source) => return Err(NodeError::Malformed { method, source }),
        };
        if let Some(error) = answer.error {
            return Err(NodeError::Refused {
                method,
                code: error.code,
                message: error.message,
            });
        }
        serde_json::from_value(answer.result.unwrap_or_default())
            .map_err(|source| NodeError::Malformed { method, source })
    }
}

#[derive(Serialize)]
struct Call<'a, P> {
    jsonrpc: &'static str,
    id: u64,
    method: &'static str,
    params: &'a P,
}

#[derive(Deserialize)]
struct Answer {
    result: Option<serde_json::Value>,
    error: Option<AnswerError>,
}

#[derive(Deserialize)]
struct AnswerError {
    code: i64,
    message: String,
}

/// Why a node gave no usable answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// No HTTP client can be built on this machine.
    #[error("cannot set up an HTTP client")]
    Setup(#[source] reqwest::Error),
    /// Nobody answers, or the connection broke.
    #[error("no answer from node at {url}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// An HTTP status without a JSON-RPC answer.
    #[error("{method}: node answered with HTTP status {status}")]
    Http {
        /// What was called.
        method: &'static str,
        /// Status code.
        status: u16,
    },
    /// The node refused.
    #[error("{method}: node refused with code {code}: {message}")]
    Refused {
        /// What was called.
        method: &'static str,
        /// JSON-RPC error code.
        code: i64,
        /// What the node says.
        message: String,
    },
    /// The answer is longer than anything a node has to say.
    #[error("{method}: node's answer exceeds {MAX_RESPONSE_BYTES} bytes")]
    TooLarge {
        /// What was called.
        method: &'static str,
    },
    /// The answer is not what the method returns.
    #[error("{method}: node's answer does not parse")]
    Malformed {
        /// What was called.
        method: &'static str,
        /// Where and why.
        source: serde_json::Error,
    },
}

/// Longest answer that is read, bytes.
const MAX_RESPONSE_BYTES: usize = 16 << 20;
/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(60);
