// SPDX-License-Identifier: Apache-2.0
//! Evidence: for the chain, which admits the signer by it, and for clients, with what they encrypt to.

use alloc::{format, vec::Vec};

use alloy_primitives::{Address, Bytes, keccak256};
use alloy_sol_types::{SolStruct, SolValue};
use subrosa_crypto::{EpochId, Signer};
use subrosa_evidence::{Binding, CHALLENGE_BYTES, challenge_hash, report_data};
use subrosa_types::{
    Challenge,
    abi::{AttestationAnswer, AttestationStatement, PresentedAttestation},
    eip712,
    frame::{Answered, ErrorCode, FrameError, HeaderFrame},
};

use crate::{
    epoch::{Active, public},
    fixed::Fixed,
    platform::Platform,
};

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
        recovery: epoch.opening.recovery,
        configHash: fixed.started.config_hash,
        startHash: fixed.started.start_hash,
        headerNumber: header.number(),
        headerHash: header.hash(),
        headerTime: header.timestamp(),
    })
}

/// The answer to a challenge that was put on chain, which pays `payee`: `bundle` and `statement` were made for
/// it, `signature` is over the statement.
pub(crate) fn answer(
    fixed: &Fixed,
    epochs: &Active,
    signer: &Signer,
    (bundle, statement, signature): (&Bytes, &AttestationStatement, &Bytes),
    payee: Address,
) -> Result<Answered, FrameError> {
    let epoch = epochs.active(EpochId {
        group: statement.keyGroup,
        epoch: statement.keyEpoch,
    })?;
    let keys = public(&epoch.keys);
    let presented = PresentedAttestation {
        statement: statement.clone(),
        signature: signature.clone(),
        transferKeyHash: keccak256(&fixed.started.transfer_key),
        opening: epoch.opening.clone(),
        xwingKey: keys.xwing,
        x25519Key: keys.x25519,
    };
    let presented = Bytes::from(presented.abi_encode());
    let answer = AttestationAnswer {
        challengeHash: statement.challengeHash,
        evidenceHash: keccak256(bundle),
        statementHash: keccak256(&presented),
        payee,
    };
    Ok(Answered {
        presented,
        signature: sign(fixed, signer, &answer),
    })
}

/// Signs for whoever verifies under the oracle's domain.
pub(crate) fn sign(fixed: &Fixed, signer: &Signer, message: &impl SolStruct) -> Bytes {
    let domain = eip712::oracle_domain(fixed.place.chain_id, fixed.place.oracle);
    let signature = signer.sign(eip712::signing_hash(message, &domain));
    signature.as_bytes().to_vec().into()
}
