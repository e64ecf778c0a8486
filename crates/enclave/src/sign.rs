// SPDX-License-Identifier: Apache-2.0
//! Signing results: any list of them, any number of times.

use alloc::{format, vec::Vec};

use alloy_primitives::{B256, aliases::U48};
use subrosa_crypto::{Signer, compact};
use subrosa_types::{
    abi::{ContractStatement, SignedResults},
    eip712,
    frame::{
        ErrorCode, FrameError, HeaderFrame, MAX_SIGNED_RESULTS, ResultRef, Signed, SignedStatement,
    },
};

use crate::{contract::Contract, contracts::Contracts, fixed::Fixed, step::Signable};

/// Signs `results` in their order. All must be of one key epoch, none newer than the anchor.
pub(crate) fn sign(
    fixed: &Fixed,
    signer: &Signer,
    contracts: &Contracts,
    results: &[ResultRef],
    anchor: &HeaderFrame,
) -> Result<Signed, FrameError> {
    if results.is_empty() || results.len() > MAX_SIGNED_RESULTS {
        let message = format!(
            "{} results, 1 to {MAX_SIGNED_RESULTS} are signed",
            results.len()
        );
        return Err(FrameError::new(ErrorCode::Malformed, message));
    }
    let anchor = fixed.prove_header(anchor)?;
    let signables = results
        .iter()
        .map(|named| signable(contracts, *named))
        .collect::<Result<Vec<_>, _>>()?;
    let Some(epoch) = signables.first().map(|first| first.epoch) else {
        return Err(FrameError::new(ErrorCode::Malformed, "no results"));
    };
    if signables.iter().any(|signable| signable.epoch != epoch) {
        let message = "results of several key epochs cannot share a signature";
        return Err(FrameError::new(ErrorCode::Sequence, message));
    }
    if signables
        .iter()
        .any(|signable| signable.block_number > anchor.number())
    {
        let message = format!("anchor {} is older than an entry", anchor.number());
        return Err(FrameError::new(ErrorCode::Proof, message));
    }
    let message = SignedResults {
        resultHashes: signables
            .iter()
            .map(|signable| signable.result_hash)
            .collect(),
        anchorNumber: anchor.number(),
        anchorHash: anchor.hash(),
        configHash: fixed.started.config_hash,
        measurementId: fixed.started.measurement_id,
        keyGroup: epoch.group,
        keyEpoch: epoch.epoch,
    };
    let (r, vs) = compact(&signer.sign(message.signing_hash(fixed.oracle_separator)));
    Ok(Signed {
        anchor_number: message.anchorNumber,
        anchor_hash: message.anchorHash,
        config_hash: message.configHash,
        measurement_id: message.measurementId,
        group: message.keyGroup,
        epoch: message.keyEpoch,
        r,
        vs,
    })
}

/// States what code runs under `contract`.
pub(crate) fn statement(
    fixed: &Fixed,
    signer: &Signer,
    contract: &Contract,
    nonce: B256,
) -> Result<SignedStatement, FrameError> {
    let statement = ContractStatement {
        contractId: contract.id,
        codeCommitment: contract.code_commitment,
        seq: U48::saturating_from(contract.position().head.seq),
        commitment: contract.position().head.commitment,
        configHash: fixed.started.config_hash,
        nonce,
    };
    let domain = eip712::oracle_domain(fixed.place.chain_id, fixed.place.oracle);
    let signature = signer.sign(eip712::signing_hash(&statement, &domain));
    Ok(SignedStatement {
        statement,
        signature: signature.as_bytes().to_vec().into(),
    })
}

fn signable(contracts: &Contracts, named: ResultRef) -> Result<Signable, FrameError> {
    contracts.known(named.contract)?.signable(named.seq)
}
