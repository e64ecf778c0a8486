// SPDX-License-Identifier: Apache-2.0
//! What is presented in answer to a challenge, by a node or through the chain. Nothing of it is checked yet.

use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_sol_types::SolValue;
use subrosa_types::{
    abi::{EnclaveConfig, EpochOpening, PresentedAttestation},
    rpc::{Attestation, EpochPublicKeys},
};

/// What is presented in answer to a challenge.
#[derive(Clone, Debug)]
pub(crate) struct Presented {
    /// Evidence.
    pub(crate) bundle: Bytes,
    /// The verifier's attestation result, if there is one.
    pub(crate) ear: Option<String>,
    /// Whether it came through the chain, which no attestation results do.
    pub(crate) through_chain: bool,
    /// Of the enclave's configuration, or why there is none.
    pub(crate) config_hash: Result<B256, String>,
    pub(crate) start_hash: B256,
    pub(crate) signer: Address,
    pub(crate) transfer_key_hash: B256,
    /// What is to be encrypted to.
    pub(crate) epoch: EpochPublicKeys,
    pub(crate) epoch_opening: EpochOpening,
    /// An encoded `AttestationStatement`.
    pub(crate) statement: Bytes,
    /// Over the statement.
    pub(crate) signature: Bytes,
}

impl Presented {
    /// What a node answered.
    pub(crate) fn by_node(attestation: Attestation) -> Self {
        let config = EnclaveConfig::decode(&attestation.config);
        Self {
            bundle: attestation.bundle,
            ear: attestation.ear,
            through_chain: false,
            config_hash: config
                .map(|config| config.hash())
                .map_err(|error| error.to_string()),
            start_hash: attestation.start_hash,
            signer: attestation.signer,
            transfer_key_hash: keccak256(&attestation.transfer_key),
            epoch: attestation.epoch,
            epoch_opening: attestation.epoch_opening.into(),
            statement: attestation.statement,
            signature: attestation.signature,
        }
    }

    /// What `signer` answered on chain, with this evidence.
    pub(crate) fn through_chain(
        signer: Address,
        bundle: Bytes,
        presented: PresentedAttestation,
    ) -> Self {
        let statement = presented.statement;
        Self {
            bundle,
            ear: None,
            through_chain: true,
            config_hash: Ok(statement.configHash),
            start_hash: statement.startHash,
            signer,
            transfer_key_hash: presented.transferKeyHash,
            epoch: EpochPublicKeys {
                group: statement.keyGroup,
                epoch: statement.keyEpoch,
                xwing: presented.xwingKey,
                x25519: presented.x25519Key,
            },
            epoch_opening: presented.opening,
            statement: statement.abi_encode().into(),
            signature: presented.signature,
        }
    }
}
