// SPDX-License-Identifier: Apache-2.0
//! The verifier as a function of request and time.

use std::sync::{Arc, PoisonError, RwLock};

use subrosa_attestation::admission::{Registration, admit};
use subrosa_attestation::ear;
use subrosa_attestation::{Appraisal, Expectations, appraise};
use subrosa_evidence::{
    Binding, CHALLENGE_BYTES, EvidenceBundle,
    api::{
        AdmitRequest, AdmitResponse, AppraiseRequest, AppraiseResponse, Base64, Jwks, KeysResponse,
        Problem, ProblemCode, SignedAdmission,
    },
};
use subrosa_types::{Challenge, eip712::registry_domain};

use crate::{Config, ConfigError, Keys};

/// A verifier: one policy and two keys, of which the first may rotate.
#[derive(Debug)]
pub struct Verifier {
    config: Config,
    keys: RwLock<Arc<Keys>>,
}

impl Verifier {
    /// A verifier that applies `config` and signs with `keys`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the configuration contradicts itself.
    pub fn new(config: Config, keys: Keys) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self {
            config,
            keys: RwLock::new(Arc::new(keys)),
        })
    }

    /// Signs with `keys` from `now` (Unix seconds) on, as after [`Keys::rotate`]. Keys that signed
    /// before remain published until the last result signed with them has run out.
    pub fn replace_keys(&self, mut keys: Keys, now: u64) {
        let mut held = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.succeed(&held, &self.config, now);
        *held = Arc::new(keys);
    }

    fn held(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What it was told.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Appraises evidence as of `now` (Unix seconds). Unless it is rejected, the answer contains a
    /// signed attestation result.
    ///
    /// # Errors
    ///
    /// [`ProblemCode::MalformedRequest`] or [`ProblemCode::MalformedBundle`]. Rejected evidence is
    /// no error.
    pub fn appraise(
        &self,
        request: &AppraiseRequest,
        now: u64,
    ) -> Result<AppraiseResponse, Problem> {
        self.check_appraise(request)?;
        self.appraise_bundle(&decoded(&request.bundle)?, request, now)
    }

    /// Appraises evidence as of `now` for a registration. Unless it is rejected, the answer
    /// contains a signed admission.
    ///
    /// # Errors
    ///
    /// [`ProblemCode::UnknownRegistry`] if this verifier does not sign for that registry;
    /// [`ProblemCode::MalformedBundle`].
    pub fn admit(&self, request: &AdmitRequest, now: u64) -> Result<AdmitResponse, Problem> {
        self.check_admit(request)?;
        self.admit_bundle(&decoded(&request.bundle)?, request, now)
    }

    /// What can be said about a request without looking at the evidence.
    pub(crate) fn check_appraise(&self, request: &AppraiseRequest) -> Result<(), Problem> {
        let bytes = request.challenge.0.len();
        if CHALLENGE_BYTES.contains(&bytes) {
            return Ok(());
        }
        Err(problem(
            ProblemCode::MalformedRequest,
            format!(
                "challenge of {bytes} bytes, expected {} to {}",
                CHALLENGE_BYTES.start(),
                CHALLENGE_BYTES.end()
            ),
        ))
    }

    /// The same for an admission.
    pub(crate) fn check_admit(&self, request: &AdmitRequest) -> Result<(), Problem> {
        let known = self.config.registries.iter().any(|registry| {
            registry.chain_id == request.chain_id && registry.address == request.registry
        });
        if known {
            return Ok(());
        }
        Err(problem(
            ProblemCode::UnknownRegistry,
            format!(
                "this verifier signs nothing for registry {} on chain {}",
                request.registry, request.chain_id
            ),
        ))
    }

    /// [`Self::appraise`] of `bundle` instead of the request's own.
    pub(crate) fn appraise_bundle(
        &self,
        bundle: &EvidenceBundle,
        request: &AppraiseRequest,
        now: u64,
    ) -> Result<AppraiseResponse, Problem> {
        let challenge = Challenge::Client(request.challenge.0.clone());
        let appraisal = self.judge(bundle, challenge, request.binding, now);
        let keys = self.held();
        let ear = appraisal.bound.as_ref().ok().and_then(|bound| {
            let (issuer, lifetime) = (&self.config.issuer, self.config.ear_seconds);
            ear::sign(bound, issuer, &keys.ear, now, lifetime)
        });
        Ok(AppraiseResponse {
            ear,
            verdict: appraisal.verdict,
            bundle: Base64(bundle.encode()),
        })
    }

    /// [`Self::admit`] of `bundle` instead of the request's own.
    pub(crate) fn admit_bundle(
        &self,
        bundle: &EvidenceBundle,
        request: &AdmitRequest,
        now: u64,
    ) -> Result<AdmitResponse, Problem> {
        let registration = Registration {
            challenge_block: request.challenge_block,
            challenge_block_hash: request.challenge_block_hash,
            registrant: request.registrant,
        };
        let appraisal = self.judge(bundle, registration.challenge(), request.binding, now);
        let Ok(bound) = &appraisal.bound else {
            return Ok(AdmitResponse {
                admission: None,
                verdict: appraisal.verdict,
            });
        };
        let internal = |error| problem(ProblemCode::Internal, format!("{error}"));
        let admission =
            admit(bound, &registration, self.config.lease_seconds, now).map_err(internal)?;
        let domain = registry_domain(request.chain_id, request.registry);
        let signature = self
            .held()
            .admission
            .sign(&admission, &domain)
            .map_err(internal)?;
        Ok(AdmitResponse {
            admission: Some(SignedAdmission {
                admission,
                signature: signature.into(),
            }),
            verdict: appraisal.verdict,
        })
    }

    /// The keys of attestation results at `now` (Unix seconds): the one that signs, the next one,
    /// and retired ones whose results may still be in force.
    pub fn jwks(&self, now: u64) -> Jwks {
        Jwks {
            keys: self.held().published(now),
        }
    }

    /// What else this verifier is known by.
    pub fn keys(&self) -> KeysResponse {
        KeysResponse {
            issuer: self.config.issuer.clone(),
            admission: self.held().admission.address(),
            development: self.config.development,
            policy_hash: self.config.policy().hash(),
        }
    }

    fn judge(
        &self,
        bundle: &EvidenceBundle,
        challenge: Challenge,
        binding: Binding,
        now: u64,
    ) -> Appraisal {
        let expectations = Expectations {
            policy: self.config.policy(),
            measurements: self.config.measurements(),
            binding,
            challenge,
        };
        // Answered as it is, because it is what is signed: that a verifier is for development is
        // for its issuer to say, and `development` in a verdict is about the evidence.
        appraise(bundle, &expectations, now)
    }
}

fn decoded(bundle: &Base64) -> Result<EvidenceBundle, Problem> {
    EvidenceBundle::decode(&bundle.0)
        .map_err(|error| problem(ProblemCode::MalformedBundle, error.to_string()))
}

pub(crate) fn problem(code: ProblemCode, message: String) -> Problem {
    Problem { code, message }
}
