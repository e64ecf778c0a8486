// SPDX-License-Identifier: Apache-2.0
//! The JSON of a verifier service, for the service and for whoever calls it.
//!
//! | method and path | request | response |
//! |---|---|---|
//! | `POST /v1/appraise` | [`AppraiseRequest`] | [`AppraiseResponse`] |
//! | `POST /v1/admit` | [`AdmitRequest`] | [`AdmitResponse`] |
//! | `GET /.well-known/jwks.json` | | [`Jwks`] |
//! | `GET /v1/keys` | | [`KeysResponse`] |
//!
//! Bundles and challenges are base64 (RFC 4648, 4), hashes and addresses 0x-prefixed hexadecimal.
//! Every error is a [`Problem`].

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use alloy_primitives::{Address, B256, Bytes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subrosa_types::abi::SignerAdmission;

use crate::{Binding, Verdict};

/// Asks for an attestation result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppraiseRequest {
    /// Encoded [`EvidenceBundle`](crate::EvidenceBundle).
    pub bundle: Base64,
    /// The client's challenge that the evidence answers.
    pub challenge: Base64,
    /// What the evidence is said to bind.
    pub binding: Binding,
}

/// The verdict, and the result if it was not a rejection. Whoever only passes the verdict on reads
/// it as any JSON `V`, and does not mind checks that a later verifier makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppraiseResponse<V = Verdict> {
    /// EAR token; `null` if the evidence was rejected.
    pub ear: Option<String>,
    /// Every check.
    pub verdict: V,
    /// The bundle as it was appraised: with whatever the verifier had to add, so that others can
    /// verify it offline. The same evidence in any case.
    pub bundle: Base64,
}

/// Asks for an admission. The evidence must answer `challengeBlockHash ‖ registrant`, put as a
/// registration: what a client is shown admits nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdmitRequest {
    /// Encoded [`EvidenceBundle`](crate::EvidenceBundle).
    pub bundle: Base64,
    /// Chain of the registry.
    pub chain_id: u64,
    /// The registry.
    pub registry: Address,
    /// Number of a recent block.
    pub challenge_block: u64,
    /// Its hash.
    pub challenge_block_hash: B256,
    /// Who will send the admission.
    pub registrant: Address,
    /// What the evidence is said to bind.
    pub binding: Binding,
}

/// The verdict, and the admission if it was not a rejection; `V` as in [`AppraiseResponse`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmitResponse<V = Verdict> {
    /// `null` if the evidence was rejected.
    pub admission: Option<SignedAdmission>,
    /// Every check.
    pub verdict: V,
}

/// An admission and the signature that the registry wants to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedAdmission {
    /// The EIP-712 message.
    pub admission: SignerAdmission,
    /// r ‖ s ‖ v.
    pub signature: Bytes,
}

/// What else a verifier is known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeysResponse {
    /// `iss` of its results.
    pub issuer: String,
    /// Signs admissions; to be entered in the registry.
    pub admission: Address,
    /// Whether it appraises development evidence. Such a verifier proves nothing.
    pub development: bool,
    /// Hash of the policy it applies.
    pub policy_hash: B256,
}

/// A P-256 public key for ES256 signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// `EC`.
    pub kty: String,
    /// `P-256`.
    pub crv: String,
    /// Coordinate, base64url.
    pub x: String,
    /// Coordinate, base64url.
    pub y: String,
    /// The key's thumbprint (RFC 7638), base64url.
    pub kid: String,
    /// `ES256`.
    #[serde(default = "Jwk::es256")]
    pub alg: String,
    /// `sig`.
    #[serde(rename = "use", default = "Jwk::sig")]
    pub usage: String,
}

/// A set of keys, as served at `/.well-known/jwks.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

impl Jwk {
    /// The one algorithm: `ES256`.
    pub fn es256() -> String {
        "ES256".to_owned()
    }

    /// The one usage: `sig`.
    pub fn sig() -> String {
        "sig".to_owned()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Stable, for programs.
    pub code: ProblemCode,
    /// For people.
    pub message: String,
}

/// What kind of problem, with its HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProblemCode {
    /// 400: not the JSON it should be, or a field outside its range.
    MalformedRequest,
    /// 400: the bundle does not decode.
    MalformedBundle,
    /// 400: the evidence lacks something that nobody but its sender can add; the message says what.
    IncompleteEvidence,
    /// 403: this verifier admits nobody to that registry.
    UnknownRegistry,
    /// 404: no such path.
    NotFound,
    /// 405: no such method on that path.
    MethodNotAllowed,
    /// 408: the request took too long to arrive or to answer.
    Timeout,
    /// 413: the request is too large.
    TooLarge,
    /// 415: the request is not `application/json`.
    UnsupportedMediaType,
    /// 429: too many requests; try again after the seconds that `Retry-After` names.
    RateLimited,
    /// 503: the vendor's collateral for this evidence cannot be had now; nothing is said about the
    /// evidence. Try again after the seconds that `Retry-After` names.
    CollateralUnavailable,
    /// 500: the verifier's fault.
    Internal,
}

/// Bytes that are base64 in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base64(pub Vec<u8>);

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD
            .decode(text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}
