// SPDX-License-Identifier: Apache-2.0
//! The attestation service: evidence in, attestation results and admissions out.
//!
//! A verifier appraises evidence under one policy and signs what it found: EAR tokens for clients
//! (ES256), admissions for the registry contract (secp256k1). It never sees a secret of an enclave.
//! [`Verifier`] is a function of request and time; [`serve`] puts HTTP around it, and before it the
//! collection of what evidence lacks.
//!
//! # Collateral
//!
//! What vendors publish about evidence is fetched from Intel's provisioning certification service
//! (or a PCCS) and AMD's key distribution service, verified under the roots the policy accepts, and
//! kept as [`CollateralConfig`](subrosa_collateral::CollateralConfig) says. What evidence brings of TCB info, QE identities and revocation
//! lists counts where it is the later edition, or where nothing can be had: a machine that was
//! revoked today cannot go on with yesterday's list. A verifier that does not fetch, as one for the
//! development root alone, judges by what evidence brings.
//! Nothing that has run out is ever used to accept: the verdict then names the check that fresh
//! collateral would change. When nothing at all can be had there is no verdict but an error,
//! `collateral-unavailable`: the evidence was not judged.
//!
//! # Endpoints
//!
//! JSON both ways; the types are in [`subrosa_evidence::api`].
//!
//! | method and path | request | response |
//! |---|---|---|
//! | `POST /v1/appraise` | `{bundle, challenge, binding: {signer, transferKeyHash, configHash, startHash}}` | `{ear, verdict, bundle}` |
//! | `POST /v1/admit` | `{bundle, chainId, registry, challengeBlock, challengeBlockHash, registrant, binding}` | `{admission: {admission, signature}, verdict}` |
//! | `GET /.well-known/jwks.json` | | `{keys: […]}`: the keys of EAR tokens, see [`Keys`] |
//! | `GET /v1/keys` | | `{issuer, admission, development, policyHash}` |
//! | `GET /health` | | `{"status":"ok"}` |
//! | `GET /metrics` | | Prometheus text |
//!
//! `bundle` and `challenge` are base64, the rest 0x-prefixed hexadecimal. Evidence that is
//! rejected is an answer, not an error: status 200, a verdict with every check, and `null` instead
//! of a signature. Errors are `{code, message}` with the codes and statuses of
//! [`ProblemCode`](subrosa_evidence::api::ProblemCode).
//!
//! # Development
//!
//! A verifier is for development or it is not; it cannot be both. One for development accepts
//! software evidence, which every verdict lists among the relaxations; its issuer contains the word
//! `development`, its answer to `GET /v1/keys` says so, and its key files are marked. `development`
//! in a verdict is about the evidence, in the answer and in the signed token alike. A production
//! verifier refuses such keys and such an issuer.
#![forbid(unsafe_code)]

mod config;
mod http;
mod keys;
mod service;

pub use config::{Config, ConfigError, Limits, PolicyConfig, RegistryConfig};
pub use http::{MAX_BODY_BYTES, serve};
pub use keys::{Keys, KeysError, Rotation};
pub use service::Verifier;
