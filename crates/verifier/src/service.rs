// SPDX-License-Identifier: Apache-2.0
//! The verifier as a function of request and time.

use subrosa_attestation::admission::{Registration, admit};
use subrosa_attestation::api::{
    AdmitRequest, AdmitResponse, AppraiseRequest, AppraiseResponse, KeysResponse, Problem,
    ProblemCode, SignedAdmission,
};
use subrosa_attestation::ear::{self, Jwks};
use subrosa_attestation::{
    Appraisal, Binding, CHALLENGE_BYTES, EvidenceBundle, Expectations, Measurements, appraise,
};
use subrosa_types::eip712::registry_domain;

use crate::{Config, ConfigError, Keys};

/// A verifier: one policy, two keys, no state.
#[derive(Debug)]
pub struct Verifier {
    config: Config,
    keys: Keys,
}

impl Verifier {
    /// A verifier that applies `config` and signs with `keys`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the configuration contradicts itself.
    pub fn new(config: Config, keys: Keys) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self { config, keys })
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
        let challenge = request.challenge.0.as_slice();
        if !CHALLENGE_BYTES.contains(&challenge.len()) {
            return Err(problem(
                ProblemCode::MalformedRequest,
                format!(
                    "challenge of {} bytes, expected {} to {}",
                    challenge.len(),
                    CHALLENGE_BYTES.start(),
                    CHALLENGE_BYTES.end()
                ),
            ));
        }
        let appraisal = self.judge(&request.bundle.0, challenge, request.binding, now)?;
        let ear = appraisal.bound.as_ref().ok().map(|bound| {
            ear::sign(
                bound,
                &self.config.issuer,
                &self.keys.ear,
                now,
                self.config.ear_seconds,
            )
        });
        Ok(AppraiseResponse {
            ear,
            verdict: appraisal.verdict,
        })
    }

    /// Appraises evidence as of `now` for a registration. Unless it is rejected, the answer
    /// contains a signed admission.
    ///
    /// # Errors
    ///
    /// [`ProblemCode::UnknownRegistry`] if this verifier does not sign for that registry;
    /// [`ProblemCode::MalformedBundle`].
    pub fn admit(&self, request: &AdmitRequest, now: u64) -> Result<AdmitResponse, Problem> {
        let known = self.config.registries.iter().any(|registry| {
            registry.chain_id == request.chain_id && registry.address == request.registry
        });
        if !known {
            return Err(problem(
                ProblemCode::UnknownRegistry,
                format!(
                    "this verifier signs nothing for registry {} on chain {}",
                    request.registry, request.chain_id
                ),
            ));
        }
        let registration = Registration {
            challenge_block: request.challenge_block,
            challenge_block_hash: request.challenge_block_hash,
            registrant: request.registrant,
        };
        let challenge = registration.challenge();
        let appraisal = self.judge(&request.bundle.0, &challenge, request.binding, now)?;
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
            .keys
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

    /// The key that signs attestation results.
    pub fn jwks(&self) -> Jwks {
        Jwks {
            keys: vec![self.keys.ear.jwk()],
        }
    }

    /// What else this verifier is known by.
    pub fn keys(&self) -> KeysResponse {
        KeysResponse {
            issuer: self.config.issuer.clone(),
            admission: self.keys.admission.address(),
            development: self.config.development,
            policy_hash: self.config.policy().hash(),
        }
    }

    fn judge(
        &self,
        bundle: &[u8],
        challenge: &[u8],
        binding: Binding,
        now: u64,
    ) -> Result<Appraisal, Problem> {
        let bundle = EvidenceBundle::decode(bundle)
            .map_err(|error| problem(ProblemCode::MalformedBundle, error.to_string()))?;
        let measurements = match &self.config.policy.measurements {
            Some(ids) => Measurements::AnyOf(ids.clone()),
            None => Measurements::JudgedElsewhere,
        };
        let expectations = Expectations {
            policy: self.config.policy(),
            measurements,
            binding,
            challenge: challenge.to_vec(),
        };
        let mut appraisal = appraise(&bundle, &expectations, now);
        // Whatever a verifier for development says is development.
        appraisal.verdict.development |= self.config.development;
        Ok(appraisal)
    }
}

pub(crate) fn problem(code: ProblemCode, message: String) -> Problem {
    Problem { code, message }
}
