// SPDX-License-Identifier: Apache-2.0
//! Signing results: any list of them, any number of times.

use alloy_primitives::B256;
use subrosa_crypto::{EpochId, compact};
use subrosa_types::{
    ContractId,
    abi::{ContractStatement, SignedResults},
    eip712,
    frame::{ErrorCode, FrameError, HeaderFrame, ResultRef, Signed, SignedStatement},
};

use crate::{Enclave, contract::Step};

/// Most results under one signature.
pub const MAX_SIGNED_RESULTS: usize = 1_024;

/// Most results per contract that are kept signable, the newest.
pub const MAX_SIGNABLE: usize = 4_096;

/// A result that this enclave computed or opened from its own sealed blob.
#[derive(Clone, Copy)]
pub(crate) struct Signable {
    result_hash: B256,
    epoch: EpochId,
    block_number: u64,
}

impl Signable {
    pub(crate) fn of(step: &Step) -> Self {
        Self {
            result_hash: step.result_hash(),
            epoch: step.position.epoch,
            block_number: step.position.block_number,
        }
    }
}

impl Enclave {
    /// Signs `results` in their order. All must be of one key epoch, none newer than the anchor.
    pub(crate) fn sign(
        &self,
        results: &[ResultRef],
        anchor: &HeaderFrame,
    ) -> Result<Signed, FrameError> {
        let fixed = self.fixed()?;
        if results.is_empty() || results.len() > MAX_SIGNED_RESULTS {
            let message = format!(
                "{} results, 1 to {MAX_SIGNED_RESULTS} are signed",
                results.len()
            );
            return Err(FrameError::new(ErrorCode::Malformed, message));
        }
        let anchor = subrosa_chain_proof::verify_header(fixed.trust.as_ref(), anchor)
            .map_err(|error| FrameError::new(ErrorCode::Proof, error))?
            .target();
        let signables = results
            .iter()
            .map(|named| self.signable(*named))
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
        let domain = eip712::oracle_domain(fixed.chain_id, fixed.config.oracle);
        let (r, vs) = compact(
            &self
                .boot
                .signer
                .sign(eip712::signing_hash(&message, &domain)),
        );
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
        &self,
        contract: ContractId,
        nonce: B256,
    ) -> Result<SignedStatement, FrameError> {
        let fixed = self.fixed()?;
        let loaded = self.contract(contract)?;
        let statement = ContractStatement {
            contractId: contract,
            codeCommitment: loaded.code_commitment,
            seq: alloy_primitives::aliases::U48::saturating_from(loaded.position().head.seq),
            commitment: loaded.position().head.commitment,
            configHash: fixed.started.config_hash,
            nonce,
        };
        let domain = eip712::oracle_domain(fixed.chain_id, fixed.config.oracle);
        let signature = self
            .boot
            .signer
            .sign(eip712::signing_hash(&statement, &domain));
        Ok(SignedStatement {
            statement,
            signature: signature.as_bytes().to_vec().into(),
        })
    }

    fn signable(&self, named: ResultRef) -> Result<&Signable, FrameError> {
        self.contract(named.contract)?
            .results
            .get(&named.seq)
            .ok_or_else(|| {
                let message = format!("no result of {} seq {}", named.contract, named.seq);
                FrameError::new(ErrorCode::Sequence, message)
            })
    }
}
