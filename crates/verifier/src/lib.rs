// SPDX-License-Identifier: Apache-2.0
//! The attestation service: evidence in, attestation results and admissions out.
//!
//! A verifier appraises evidence under one policy and signs what it found: EAR tokens for clients
//! (ES256), admissions for the registry contract (secp256k1). It keeps no state, fetches nothing
//! and never sees a secret of an enclave. [`Verifier`] is a function of request and time;
//! [`serve`] puts HTTP around it.
//!
//! # Endpoints
//!
//! JSON both ways; the types are in [`subrosa_attestation::api`].
//!
//! | method and path | request | response |
//! |---|---|---|
//! | `POST /v1/appraise` | `{bundle, challenge, binding: {signer, transferKeyHash, configHash}}` | `{ear, verdict}` |
//! | `POST /v1/admit` | `{bundle, chainId, registry, challengeBlock, challengeBlockHash, registrant, binding}` | `{admission: {admission, signature}, verdict}` |
//! | `GET /.well-known/jwks.json` | | `{keys: […]}`: the key that signs EAR tokens |
//! | `GET /v1/keys` | | `{issuer, admission, development, policyHash}` |
//! | `GET /health` | | `{"status":"ok"}` |
//! | `GET /metrics` | | Prometheus text |
//!
//! `bundle` and `challenge` are base64, the rest 0x-prefixed hexadecimal. Evidence that is
//! rejected is an answer, not an error: status 200, a verdict with every check, and `null` instead
//! of a signature. Errors are `{code, message}` with the codes and statuses of
//! [`ProblemCode`](subrosa_attestation::api::ProblemCode).
//!
//! # Development
//!
//! A verifier is for development or it is not; it cannot be both. One for development accepts
//! software evidence and says `development` in every verdict, its issuer contains that word, and
//! its key files are marked. A production verifier refuses such keys and such an issuer.
#![forbid(unsafe_code)]

mod config;
mod http;
mod keys;
mod service;

pub use config::{Config, ConfigError, Limits, PolicyConfig, RegistryConfig};
pub use http::{Clock, MAX_BODY_BYTES, serve};
pub use keys::{Keys, KeysError};
pub use service::Verifier;
