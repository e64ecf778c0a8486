// SPDX-License-Identifier: Apache-2.0
//! Signing results: any list of them, any number of times.

use alloc::{format, vec::Vec};

use alloy_primitives::{B256, aliases::U48};
use subrosa_crypto::{Signer, compact};
use subrosa_types::{
    abi::{ContractStatement, CosignedResults, SignedResults},
    batch::CompactSignature,
    eip712,
    frame::{
        ErrorCode, FrameError, MAX_SIGNED_RESULTS, ResultRef, Signed, SignedStatement, SignerRole,
    },
};

use crate::{contract::Contract, contracts::Contracts, fixed::Fixed, step::Signable};

/// Signs `results` in their order. All must be of one key epoch.
pub(crate) fn sign(
    fixed: &Fixed,
    signer: &Signer,
    contracts: &Contracts,
    results: &[ResultRef],
    role: SignerRole,
) -> Result<Signed, FrameError> {
    if results.is_empty() || results.len() > MAX_SIGNED_RESULTS {
        let message = format!(
            "{} results, 1 to {MAX_SIGNED_RESULTS} are signed",
            results.len()
        );
        return Err(FrameError::new(ErrorCode::Malformed, message));
    }
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
    let hashes = signables.iter().map(|signable| signable.result_hash);
    let separator = fixed.oracle_separator;
    let hash = match role {
        SignerRole::First { payee } => SignedResults {
            resultHashes: hashes.collect(),
            payee,
        }
        .signing_hash(separator),
        SignerRole::Further => CosignedResults {
            resultHashes: hashes.collect(),
        }
        .signing_hash(separator),
    };
    let (r, vs) = compact(&signer.sign(hash));
    Ok(Signed {
        group: epoch.group,
        epoch: epoch.epoch,
        signature: CompactSignature { r, vs },
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
