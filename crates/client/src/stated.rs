// SPDX-License-Identifier: Apache-2.0
//! What the attested signer states beside its evidence: what to encrypt to.
//!
//! This comes before anything that a chain says through an RPC. Whoever forges both the node's answer
//! and the chain's can present keys of its own and a registry that records them, but has no signer that
//! genuine evidence binds.

use alloy_sol_types::SolValue;
use subrosa_crypto::{EpochId, EpochPublicKey};
use subrosa_evidence::{Binding, challenge_hash};
use subrosa_types::{
    Challenge,
    abi::{AttestationStatement, EnclaveConfig},
    eip712,
};

use crate::{
    ClientError,
    check::{Checklist, Subject},
    presented::Presented,
};

/// Checks the statement of the signer that verified evidence binds, and gives the keys that it states,
/// which are those that the node presents.
///
/// The header in it is the enclave's; as long as header trust is host-asserted it is the host's word,
/// and nothing is held against it.
pub(crate) fn check_statement(
    checklist: &mut Checklist,
    attestation: &Presented,
    config: &EnclaveConfig,
    bound: &Binding,
    challenge: &Challenge,
) -> Result<(EpochId, EpochPublicKey), ClientError> {
    checklist.turn_to(Subject::AttestationStatement);
    let statement = match AttestationStatement::abi_decode_validate(&attestation.statement) {
        Ok(statement) => statement,
        Err(error) => {
            let expected = "an encoded AttestationStatement";
            checklist.record("attestation.format", false, expected, error);
            return Err(checklist.refusal().into());
        }
    };
    let domain = eip712::oracle_domain(config.chain_id(), config.oracle);
    let hash = eip712::signing_hash(&statement, &domain);
    let (id, signature) = ("attestation.signature", &attestation.signature);
    checklist.signature(id, bound.signer, signature, hash);
    let asked = challenge_hash(challenge);
    checklist.equal("attestation.challenge", &asked, &statement.challengeHash);
    checklist.settle()?;

    let stated = EpochId {
        group: statement.keyGroup,
        epoch: statement.keyEpoch,
    };
    let epoch = &attestation.epoch;
    let presented = EpochId {
        group: epoch.group,
        epoch: epoch.epoch,
    };
    let (expected, found) = (stated.to_string(), presented.to_string());
    checklist.equal("attestation.epoch", &expected, &found);
    checklist.equal(
        "attestation.recovery",
        &config.recovery,
        &statement.recovery,
    );
    let found = &statement.configHash;
    checklist.equal("attestation.config-hash", &bound.config_hash, found);
    let found = &statement.startHash;
    checklist.equal("attestation.start-hash", &bound.start_hash, found);
    let key = match EpochPublicKey::from_bytes(&epoch.xwing, epoch.x25519.as_slice()) {
        Ok(key) => key,
        Err(error) => {
            checklist.record("attestation.keys", false, "two public keys", error);
            return Err(checklist.refusal().into());
        }
    };
    let expected = &statement.publicKeyHash;
    checklist.equal("attestation.keys", expected, &key.hash());
    checklist.settle()?;
    Ok((stated, key))
}
