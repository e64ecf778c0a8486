// SPDX-License-Identifier: Apache-2.0
//! From a connection to an attested one.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use subrosa_attestation::{Claims, Expectations, Measurements, Policy, VerifyError};
use subrosa_crypto::{EpochId, EpochPublicKey};
use subrosa_evidence::{Binding, EvidenceBundle, Verdict};
use subrosa_types::{
    Challenge,
    abi::{EnclaveConfig, EpochMember},
    config::{HeaderTrustKind, Recovery},
    id::epoch_set_hash,
    rpc::AttestationRequest,
};

use crate::{
    Attested, ClientError, Connection, Deployment,
    check::{Checklist, Refusal, Subject},
    presented::Presented,
    random,
    stated::check_statement,
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

/// What was asked, and when (Unix seconds): what answers it is no older.
pub(crate) struct Asked {
    pub(crate) challenge: Challenge,
    pub(crate) at: u64,
}

impl Connection {
    /// Challenges the node and checks, in this order: the chain and the code of both contracts;
    /// the configuration the node presents; the verifier's attestation result and the evidence
    /// itself (measurement, root, key binding, configuration, challenge, freshness); what the signer
    /// that it binds states, over the same challenge, of the epoch whose keys the node presents; that
    /// epoch against the registry; the signer's admission.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] names the first check that failed, what was expected and what was
    /// found; the rest of [`ClientError`] says why the checks could not be made.
    pub async fn attest(self, options: &AttestOptions) -> Result<Attested, ClientError> {
        let (checklist, config) = self.check_place(options).await?;
        let challenge = Challenge::Client(random::bytes::<CHALLENGE_BYTES>()?.to_vec());
        let request = AttestationRequest {
            challenge: challenge.bytes().into(),
        };
        let attestation = self.node.attestation(&request).await?;
        let asked = Asked {
            challenge,
            at: self.clock.now(),
        };
        let presented = Presented::by_node(attestation);
        self.judge(checklist, &config, asked, presented, options)
            .await
    }

    /// Checks what comes before any challenge: the chain, and that the caller consents. The checklist goes
    /// on.
    pub(crate) async fn check_place(
        &self,
        options: &AttestOptions,
    ) -> Result<(Checklist, EnclaveConfig), ClientError> {
        let config = self.deployment.enclave_config()?;
        let mut checklist = Checklist::new(Subject::Chain);
        self.check_chain(&mut checklist).await?;
        check_consent(&mut checklist, &self.deployment, options.development)?;
        Ok((checklist, config))
    }

    /// Checks everything that is presented in answer to a challenge, wherever it comes from.
    pub(crate) async fn judge(
        self,
        mut checklist: Checklist,
        config: &EnclaveConfig,
        asked: Asked,
        presented: Presented,
        options: &AttestOptions,
    ) -> Result<Attested, ClientError> {
        let deployment = &self.deployment;
        let development = options.development && deployment.development;
        let binding = check_presented(&mut checklist, config, deployment.start_hash(), &presented)?;
        let expectations = Expectations {
            policy: policy(deployment, development),
            measurements: Measurements::AnyOf(deployment.measurements.iter().copied().collect()),
            binding,
            challenge: asked.challenge,
        };
        let now = self.clock.now();
        let measurement_id =
            self.check_attestation(&mut checklist, &presented, &expectations, options, now)?;

        let challenge = &expectations.challenge;
        let (epoch_id, epoch_key) =
            check_statement(&mut checklist, &presented, config, &binding, challenge)?;
        let epoch = (epoch_id, &epoch_key);
        self.check_epoch(&mut checklist, &presented, config, epoch)
            .await?;
        self.check_signer(
            &mut checklist,
            binding.signer,
            epoch_id,
            &EpochMember {
                measurementId: measurement_id,
                configHash: binding.config_hash,
            },
        )
        .await?;

        Ok(Attested {
            epoch_id,
            epoch_key,
            signer: binding.signer,
            config_hash: binding.config_hash,
            measurement_id,
            attested_at: asked.at,
            max_age: options.max_age,
            checks: checklist.into_checks(),
            connection: self,
        })
    }

    async fn check_chain(&self, checklist: &mut Checklist) -> Result<(), ClientError> {
        let measured = &self.deployment.measured;
        checklist.equal(
            "chain-id",
            &measured.chain_id,
            &self.chain.chain_id().await?,
        );
        checklist.settle()?;
        let registry = self.chain.code_hash(measured.registry).await?;
        checklist.equal("registry-code", &measured.registry_code_hash, &registry);
        let oracle = self.chain.code_hash(measured.oracle).await?;
        checklist.equal("oracle-code", &measured.oracle_code_hash, &oracle);
        Ok(checklist.settle()?)
    }

    /// Checks result, evidence or both, which must be about the same evidence, and returns the
    /// measurement.
    fn check_attestation(
        &self,
        checklist: &mut Checklist,
        attestation: &Presented,
        expectations: &Expectations,
        options: &AttestOptions,
        now: u64,
    ) -> Result<B256, ClientError> {
        let mut appraised: Option<Claims> = None;
        let verifier = self.deployment.trusted_verifier();
        let looks_at_result = match options.appraisal {
            // No attestation result passes through the chain.
            Appraisal::Both => verifier.is_some() && !attestation.through_chain,
            Appraisal::Result => true,
            Appraisal::Evidence => false,
        };
        if looks_at_result {
            checklist.turn_to(Subject::AttestationResult);
            let trusted: Vec<_> = verifier.into_iter().collect();
            let presented = match (trusted.is_empty(), &attestation.ear) {
                (true, _) => Err("a deployment that names no verifier"),
                (false, None) if attestation.through_chain => Err(NO_RESULT_THROUGH_CHAIN),
                (false, None) => Err("a node without a verifier"),
                (false, Some(ear)) => Ok(ear),
            };
            let ear = match presented {
                Ok(ear) => ear,
                Err(found) => {
                    checklist.record("ear.present", false, "an attestation result", found);
                    return Err(checklist.refusal().into());
                }
            };
            let (verdict, result) =
                subrosa_attestation::ear::appraise(ear, &trusted, expectations, now);
            adopt(checklist, &verdict);
            checklist.settle()?;
            let result = result
                .map_err(|error| refuse(checklist, &error))?
                .into_inner();
            appraised = Some(result.claims);
        }
        if options.appraisal != Appraisal::Result {
            checklist.turn_to(Subject::Evidence);
            let bundle = match EvidenceBundle::decode(&attestation.bundle) {
                Ok(bundle) => bundle,
                Err(error) => {
                    checklist.record("evidence.format", false, "an evidence bundle", error);
                    return Err(checklist.refusal().into());
                }
            };
            let appraisal = subrosa_attestation::appraise(&bundle, expectations, now);
            adopt(checklist, &appraisal.verdict);
            checklist.settle()?;
            let bound = appraisal.bound.map_err(|error| refuse(checklist, &error))?;
            if let Some(result) = &appraised {
                let found = &bound.claims.evidence_hash;
                checklist.equal("evidence.same", &result.evidence_hash, found);
                checklist.settle()?;
            }
            appraised = Some(bound.into_inner().claims);
        }
        match appraised {
            Some(claims) => Ok(claims.measurement_id),
            None => Err(checklist.refusal().into()),
        }
    }

    /// Checks that the registry, as the RPC tells, recorded what was stated.
    async fn check_epoch(
        &self,
        checklist: &mut Checklist,
        attestation: &Presented,
        config: &EnclaveConfig,
        (id, key): (EpochId, &EpochPublicKey),
    ) -> Result<(), ClientError> {
        checklist.turn_to(Subject::Epoch);
        let opening = &attestation.epoch_opening;
        checklist.equal("epoch.group", &config.keyGroup, &id.group);
        let current = self.chain.current_epoch(id.group).await?;
        checklist.equal("epoch.current", &current, &id.epoch);
        checklist.equal(
            "epoch.opening",
            &id.to_string(),
            &EpochId {
                group: opening.keyGroup,
                epoch: opening.keyEpoch,
            }
            .to_string(),
        );
        let record = self.chain.epoch_record(id.group, id.epoch).await?;
        checklist.equal("epoch.record", &record, &opening.record());
        checklist.equal("epoch.config", &config.hash(), &opening.configHash);
        checklist.equal(
            "epoch.recovery",
            &B256::from(config.recovery),
            &B256::from(opening.recovery),
        );
        check_members(
            checklist,
            &self.deployment.measurements,
            config.hash(),
            opening.setHash,
        );
        checklist.equal("epoch.keys", &key.hash(), &opening.publicKeyHash);
        Ok(checklist.settle()?)
    }

    /// Checks that the registry lets `signer` sign.
    pub(crate) async fn check_signer(
        &self,
        checklist: &mut Checklist,
        signer: Address,
        epoch: EpochId,
        member: &EpochMember,
    ) -> Result<(), ClientError> {
        checklist.turn_to(Subject::Signer);
        let refused = self.chain.signer_refusal(signer, epoch, member).await?;
        checklist.record(
            "signer.admitted",
            refused.is_none(),
            format_args!("{signer} admitted"),
            refused.unwrap_or_else(|| format!("{signer} admitted")),
        );
        Ok(checklist.settle()?)
    }
}

/// Refuses what protects nothing unless the caller and the deployment both say so.
fn check_consent(
    checklist: &mut Checklist,
    deployment: &Deployment,
    consent: bool,
) -> Result<(), ClientError> {
    checklist.turn_to(Subject::Node);
    let measured = &deployment.measured;
    let development = deployment.development && consent;
    let weak = deployment.development
        || measured.header_trust == HeaderTrustKind::HostAsserted
        || measured.recovery == Recovery::SealedDevelopment;
    checklist.record(
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
    Ok(checklist.settle()?)
}

/// Checks the configuration and the start that the node presents; what it binds is then expected of the
/// evidence.
fn check_presented(
    checklist: &mut Checklist,
    config: &EnclaveConfig,
    start_hash: B256,
    presented: &Presented,
) -> Result<Binding, ClientError> {
    checklist.turn_to(Subject::Node);
    let found = match &presented.config_hash {
        Ok(found) => found,
        Err(error) => {
            checklist.record("config-hash", false, config.hash(), error);
            return Err(checklist.refusal().into());
        }
    };
    checklist.equal("config-hash", &config.hash(), found);
    checklist.equal("start-hash", &start_hash, &presented.start_hash);
    checklist.settle()?;
    Ok(Binding {
        signer: presented.signer,
        transfer_key_hash: presented.transfer_key_hash,
        config_hash: config.hash(),
        start_hash,
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

/// Checks that every build that may hold the epoch's secret is one the deployment lists, with the
/// configuration that was just checked: that the set hash is the hash of one of the subsets of the list.
fn check_members(checklist: &mut Checklist, listed: &[B256], config_hash: B256, found: B256) {
    let subsets = 1u32 << listed.len().min(crate::MAX_MEASUREMENTS);
    let trusted = (1..subsets).any(|subset| {
        let members: Vec<_> = listed
            .iter()
            .enumerate()
            .filter(|(index, _)| subset & (1 << index) != 0)
            .map(|(_, id)| EpochMember {
                measurementId: *id,
                configHash: config_hash,
            })
            .collect();
        epoch_set_hash(&members) == found
    });
    checklist.record(
        "epoch.measurements",
        trusted,
        "a set of measurements that the deployment lists",
        found,
    );
}

/// Takes over the checks of an appraisal that were made. One that was not made follows from a
/// failure, which is among them.
fn adopt(checklist: &mut Checklist, verdict: &Verdict) {
    for check in &verdict.checks {
        if check.outcome == subrosa_evidence::CheckOutcome::NotEvaluated {
            continue;
        }
        let passed = check.outcome == subrosa_evidence::CheckOutcome::Passed;
        checklist.record(check.id.as_str(), passed, &check.expected, &check.found);
    }
}

/// The refusal for an appraisal that fails without a failed check.
fn refuse(checklist: &mut Checklist, error: &VerifyError) -> Box<Refusal> {
    checklist.record(error.check().as_str(), false, "an acceptance", error);
    checklist.refusal()
}

/// Instead of an attestation result.
pub(crate) const NO_RESULT_THROUGH_CHAIN: &str = "none, as they do not pass through the chain";
/// Size of a challenge.
pub(crate) const CHALLENGE_BYTES: usize = 32;
