// SPDX-License-Identifier: Apache-2.0
//! From a connection to an attested one.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use subrosa_attestation::{Claims, Expectations, Measurements, Policy, VerifyError};
use subrosa_crypto::{EpochId, EpochPublicKey};
use subrosa_evidence::{Binding, EvidenceBundle, Verdict};
use subrosa_types::{
    abi::{EnclaveConfig, EpochOpening},
    config::{HeaderTrustKind, Recovery},
    id::measurement_set_hash,
    rpc::{Attestation, AttestationRequest},
};

use crate::{
    Attested, ClientError, Connection, Deployment,
    check::{Ledger, Subject},
    random,
};

/// What is asked of an attestation beyond what the deployment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttestOptions {
    /// Whether a development deployment, which protects nothing from its host, is acceptable.
    pub development: bool,
    /// What is verified.
    pub appraisal: Appraisal,
    /// Seconds for which the attestation is good enough to encrypt.
    pub max_age: u64,
}

impl Default for AttestOptions {
    /// No development; attestation result and evidence; one hour.
    fn default() -> Self {
        Self {
            development: false,
            appraisal: Appraisal::Both,
            max_age: 3600,
        }
    }
}

/// What is verified of an attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Appraisal {
    /// The verifier's attestation result, and the evidence itself; the evidence alone if the
    /// deployment names no verifier.
    Both,
    /// The verifier's attestation result: the verifier is trusted. Refused if the deployment names
    /// none.
    Result,
    /// The evidence itself: no verifier is trusted.
    Evidence,
}

impl Connection {
    /// Challenges the node and checks, in this order: the chain and the code of both contracts;
    /// the configuration the node presents; the verifier's attestation result and the evidence
    /// itself (measurement, root, key binding, configuration, challenge, freshness); the epoch
    /// whose keys it presents, against the registry; the signer's admission.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] names the first check that failed, what was expected and what was
    /// found; the rest of [`ClientError`] says why the checks could not be made.
    pub async fn attest(self, options: &AttestOptions) -> Result<Attested, ClientError> {
        let deployment = &self.deployment;
        let development = options.development && deployment.development;
        let config = deployment.enclave_config()?;
        let mut ledger = Ledger::new(Subject::Chain);

        self.check_chain(&mut ledger).await?;
        check_consent(&mut ledger, deployment, options.development)?;

        let challenge = *random::bytes::<CHALLENGE_BYTES>()?;
        let request = AttestationRequest {
            challenge: Bytes::copy_from_slice(&challenge),
        };
        let attestation = self.node.attestation(&request).await?;
        let now = self.clock.now();
        let presented = check_presented(&mut ledger, &config, &attestation)?;

        let expectations = Expectations {
            policy: policy(deployment, development),
            measurements: Measurements::AnyOf(deployment.measurements.iter().copied().collect()),
            binding: presented,
            challenge: challenge.to_vec(),
        };
        let measurement_id =
            self.check_attestation(&mut ledger, &attestation, &expectations, options, now)?;

        let (epoch_id, epoch_key) = self
            .check_epoch(&mut ledger, &attestation, &config, presented.config_hash)
            .await?;
        self.check_signer(
            &mut ledger,
            presented.signer,
            measurement_id,
            presented.config_hash,
        )
        .await?;

        Ok(Attested {
            epoch_id,
            epoch_key,
            signer: presented.signer,
            config_hash: presented.config_hash,
            measurement_id,
            attested_at: now,
            max_age: options.max_age,
            checks: ledger.into_checks(),
            connection: self,
        })
    }

    async fn check_chain(&self, ledger: &mut Ledger) -> Result<(), ClientError> {
        let measured = &self.deployment.measured;
        ledger.equal(
            "chain-id",
            &measured.chain_id,
            &self.chain.chain_id().await?,
        );
        ledger.settle()?;
        let registry = self.chain.code_hash(measured.registry).await?;
        ledger.equal("registry-code", &measured.registry_code_hash, &registry);
        let oracle = self.chain.code_hash(measured.oracle).await?;
        ledger.equal("oracle-code", &measured.oracle_code_hash, &oracle);
        Ok(ledger.settle()?)
    }

    /// Checks result, evidence or both, which must be about the same evidence, and returns the
    /// measurement.
    fn check_attestation(
        &self,
        ledger: &mut Ledger,
        attestation: &Attestation,
        expectations: &Expectations,
        options: &AttestOptions,
        now: u64,
    ) -> Result<B256, ClientError> {
        let mut appraised: Option<Claims> = None;
        let verifier = self.deployment.trusted_verifier();
        let looks_at_result = match options.appraisal {
            Appraisal::Both => verifier.is_some(),
            Appraisal::Result => true,
            Appraisal::Evidence => false,
        };
        if looks_at_result {
            ledger.turn_to(Subject::AttestationResult);
            let trusted: Vec<_> = verifier.into_iter().collect();
            let presented = match (trusted.is_empty(), &attestation.ear) {
                (true, _) => Err("a deployment that names no verifier"),
                (false, None) => Err("a node without a verifier"),
                (false, Some(ear)) => Ok(ear),
            };
            let ear = match presented {
                Ok(ear) => ear,
                Err(found) => {
                    ledger.record("ear.present", false, "an attestation result", found);
                    return Err(ledger.refusal());
                }
            };
            let (verdict, result) =
                subrosa_attestation::ear::appraise(ear, &trusted, expectations, now);
            adopt(ledger, &verdict);
            ledger.settle()?;
            let result = result.map_err(|error| refuse(ledger, &error))?.into_inner();
            appraised = Some(result.claims);
        }
        if options.appraisal != Appraisal::Result {
            ledger.turn_to(Subject::Evidence);
            let bundle = match EvidenceBundle::decode(&attestation.bundle) {
                Ok(bundle) => bundle,
                Err(error) => {
                    ledger.record("evidence.format", false, "an evidence bundle", error);
                    return Err(ledger.refusal());
                }
            };
            let appraisal = subrosa_attestation::appraise(&bundle, expectations, now);
            adopt(ledger, &appraisal.verdict);
            ledger.settle()?;
            let bound = appraisal.bound.map_err(|error| refuse(ledger, &error))?;
            if let Some(result) = &appraised {
                let found = &bound.claims.evidence_hash;
                ledger.equal("evidence.same", &result.evidence_hash, found);
                ledger.settle()?;
            }
            appraised = Some(bound.into_inner().claims);
        }
        match appraised {
            Some(claims) => Ok(claims.measurement_id),
            None => Err(ledger.refusal()),
        }
    }

    async fn check_epoch(
        &self,
        ledger: &mut Ledger,
        attestation: &Attestation,
        config: &EnclaveConfig,
        config_hash: B256,
    ) -> Result<(EpochId, EpochPublicKey), ClientError> {
        ledger.turn_to(Subject::Epoch);
        let presented = &attestation.epoch;
        let opening = EpochOpening::from(attestation.epoch_opening.clone());
        let id = EpochId {
            group: presented.group,
            epoch: presented.epoch,
        };
        ledger.equal("epoch.group", &config.keyGroup, &id.group);
        let current = self.chain.current_epoch(id.group).await?;
        ledger.equal("epoch.current", &current, &id.epoch);
        ledger.equal(
            "epoch.opening",
            &id.to_string(),
            &EpochId {
                group: opening.keyGroup,
                epoch: opening.keyEpoch,
            }
            .to_string(),
        );
        let record = self.chain.epoch_record(id.group, id.epoch).await?;
        ledger.equal("epoch.record", &record, &opening.record());
        ledger.equal("epoch.config", &config_hash, &opening.configHash);
        ledger.equal(
            "epoch.recovery",
            &B256::from(config.recovery),
            &B256::from(opening.recovery),
        );
        check_measurement_set(
            ledger,
            &self.deployment.measurements,
            opening.measurementSetHash,
        );
        ledger.settle()?;

        let key = match EpochPublicKey::from_bytes(&presented.xwing, presented.x25519.as_slice()) {
            Ok(key) => key,
            Err(error) => {
                ledger.record("epoch.keys", false, "two public keys", error);
                return Err(ledger.refusal());
            }
        };
        ledger.equal("epoch.keys", &opening.publicKeyHash, &key.hash());
        ledger.settle()?;
        Ok((id, key))
    }

    /// Checks that the registry lets `signer` sign.
    pub(crate) async fn check_signer(
        &self,
        ledger: &mut Ledger,
        signer: Address,
        measurement_id: B256,
        config_hash: B256,
    ) -> Result<(), ClientError> {
        ledger.turn_to(Subject::Signer);
        let refused = self
            .chain
            .signer_refusal(signer, measurement_id, config_hash)
            .await?;
        ledger.record(
            "signer.admitted",
            refused.is_none(),
            format_args!("{signer} admitted"),
            refused.unwrap_or_else(|| format!("{signer} admitted")),
        );
        Ok(ledger.settle()?)
    }
}

/// Refuses what protects nothing unless the caller and the deployment both say so.
fn check_consent(
    ledger: &mut Ledger,
    deployment: &Deployment,
    consent: bool,
) -> Result<(), ClientError> {
    ledger.turn_to(Subject::Node);
    let measured = &deployment.measured;
    let development = deployment.development && consent;
    let weak = deployment.development
        || measured.header_trust == HeaderTrustKind::HostAsserted
        || measured.recovery == Recovery::SealedDevelopment;
    ledger.record(
        "development",
        !weak || development,
        if development {
            "any deployment"
        } else {
            "no development deployment"
        },
        if weak {
            "a development deployment"
        } else {
            "a production deployment"
        },
    );
    Ok(ledger.settle()?)
}

/// Checks the configuration the node presents; what it binds is then expected of the evidence.
fn check_presented(
    ledger: &mut Ledger,
    config: &EnclaveConfig,
    attestation: &Attestation,
) -> Result<Binding, ClientError> {
    ledger.turn_to(Subject::Node);
    let found = match EnclaveConfig::decode(&attestation.config) {
        Ok(presented) => presented.hash(),
        Err(error) => {
            ledger.record("config-hash", false, config.hash(), error);
            return Err(ledger.refusal());
        }
    };
    ledger.equal("config-hash", &config.hash(), &found);
    ledger.settle()?;
    Ok(Binding {
        signer: attestation.signer,
        transfer_key_hash: keccak256(&attestation.transfer_key),
        config_hash: config.hash(),
    })
}

fn policy(deployment: &Deployment, development: bool) -> Policy {
    let mut policy = Policy::strict();
    policy.roots = deployment.roots.iter().copied().collect::<BTreeSet<_>>();
    policy.allow_development = development
        && deployment
            .roots
            .contains(&subrosa_evidence::DEVELOPMENT_ROOT_ID);
    policy.minimum_tcb_evaluation = deployment.minimum_tcb_evaluation;
    policy
}

/// Checks that every measurement that may hold the epoch's secret is one the deployment lists:
/// that the set hash is the hash of one of the subsets of the list.
fn check_measurement_set(ledger: &mut Ledger, listed: &[B256], found: B256) {
    let subsets = 1u32 << listed.len().min(crate::MAX_MEASUREMENTS);
    let trusted = (1..subsets).any(|subset| {
        let members: Vec<_> = listed
            .iter()
            .enumerate()
            .filter(|(index, _)| subset & (1 << index) != 0)
            .map(|(_, id)| *id)
            .collect();
        measurement_set_hash(&members) == found
    });
    ledger.record(
        "epoch.measurements",
        trusted,
        "a set of measurements that the deployment lists",
        found,
    );
}

/// Takes over the checks of an appraisal that were made. One that was not made follows from a
/// failure, which is among them.
fn adopt(ledger: &mut Ledger, verdict: &Verdict) {
    for check in &verdict.checks {
        if check.outcome == subrosa_evidence::CheckOutcome::NotEvaluated {
            continue;
        }
        let passed = check.outcome == subrosa_evidence::CheckOutcome::Passed;
        ledger.record(check.id.as_str(), passed, &check.expected, &check.found);
    }
}

/// The refusal for an appraisal that fails without a failed check.
fn refuse(ledger: &mut Ledger, error: &VerifyError) -> ClientError {
    ledger.record(error.check().as_str(), false, "an acceptance", error);
    ledger.refusal()
}

/// Size of a challenge.
const CHALLENGE_BYTES: usize = 32;
