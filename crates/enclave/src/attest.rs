// SPDX-License-Identifier: Apache-2.0
//! Evidence: for the chain, which admits the signer by it, and for clients, with what they encrypt to.

use alloc::{format, vec::Vec};

use alloy_primitives::{Bytes, keccak256};
use alloy_sol_types::SolStruct;
use subrosa_crypto::{EpochId, Signer};
use subrosa_evidence::{Binding, CHALLENGE_BYTES, challenge_hash, report_data};
use subrosa_types::{
    Challenge,
    abi::AttestationStatement,
    eip712,
    frame::{ErrorCode, FrameError, HeaderFrame},
};

use crate::{epoch::Active, fixed::Fixed, platform::Platform};

/// Evidence that binds this enclave and answers `challenge`.
pub(crate) fn quote(
    fixed: &Fixed,
    platform: &mut dyn Platform,
    challenge: &Challenge,
) -> Result<Bytes, FrameError> {
    let started = &fixed.started;
    let binding = Binding {
        signer: started.signer,
        transfer_key_hash: keccak256(&started.transfer_key),
        config_hash: started.config_hash,
        start_hash: started.start_hash,
    };
    let evidence = platform.evidence(report_data(&binding, challenge))?;
    Ok(evidence.bundle.into())
}

/// What a client challenges with, if nobody could have guessed it.
pub(crate) fn fresh(challenge: Vec<u8>) -> Result<Challenge, FrameError> {
    let bytes = challenge.len();
    if CHALLENGE_BYTES.contains(&bytes) {
        return Ok(Challenge::Client(challenge));
    }
    let (least, most) = (CHALLENGE_BYTES.start(), CHALLENGE_BYTES.end());
    let message = format!("challenge of {bytes} bytes, {least} to {most} are taken");
    Err(FrameError::new(ErrorCode::Malformed, message))
}

/// What to encrypt to, over the challenge that the evidence beside it answers.
pub(crate) fn statement(
    fixed: &Fixed,
    epochs: &Active,
    challenge: &Challenge,
    epoch: u32,
    header: &HeaderFrame,
) -> Result<AttestationStatement, FrameError> {
    let named = EpochId {
        group: fixed.config.keyGroup,
        epoch,
    };
    let epoch = epochs.active(named)?;
    let header = fixed.prove_header(header)?;
    // An older header would make what is stated look as if it had been so for longer.
    if let Some(newest) = fixed.trust().newest()
        && (newest.number, newest.hash) != (header.number(), header.hash())
    {
        let message = format!("header trust stands at block {}", newest.number);
        return Err(FrameError::new(ErrorCode::Proof, message));
    }
    Ok(AttestationStatement {
        challengeHash: challenge_hash(challenge),
        keyGroup: named.group,
        keyEpoch: named.epoch,
        publicKeyHash: epoch.keys.public().hash(),
        recovery: epoch.recovery,
        configHash: fixed.started.config_hash,
        startHash: fixed.started.start_hash,
        headerNumber: header.number(),
        headerHash: header.hash(),
        headerTime: header.timestamp(),
    })
}

/// Signs for whoever verifies under the oracle's domain.
pub(crate) fn sign(fixed: &Fixed, signer: &Signer, message: &impl SolStruct) -> Bytes {
    let domain = eip712::oracle_domain(fixed.place.chain_id, fixed.place.oracle);
    let signature = signer.sign(eip712::signing_hash(message, &domain));
    signature.as_bytes().to_vec().into()
}
