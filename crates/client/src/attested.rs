// SPDX-License-Identifier: Apache-2.0
//! A connection whose node was attested.

use alloy_primitives::{Address, B256};
use subrosa_crypto::{EpochId, EpochPublicKey};
use subrosa_types::{ContractId, abi::EpochMember};

use crate::{
    Check, ClientError, Connection,
    check::{Checklist, Subject},
};

/// A connection to a node whose attestation passed every check: the only thing that encrypts.
///
/// No public constructor, and only [`Connection::attest`] makes one: holding it is the proof.
#[derive(Clone, Debug)]
pub struct Attested {
    pub(crate) connection: Connection,
    pub(crate) epoch_id: EpochId,
    pub(crate) epoch_key: EpochPublicKey,
    pub(crate) signer: Address,
    pub(crate) config_hash: B256,
    pub(crate) measurement_id: B256,
    pub(crate) attested_at: u64,
    pub(crate) max_age: u64,
    pub(crate) checks: Vec<Check>,
}

impl Attested {
    /// The connection that was attested.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Every check that was made, all of them passed.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Whether the deployment is one for development, which protects nothing from its host.
    pub fn is_development(&self) -> bool {
        self.connection.deployment.development
    }

    /// The enclave's signer.
    pub fn signer(&self) -> Address {
        self.signer
    }

    /// Hash of the enclave's configuration.
    pub fn config_hash(&self) -> B256 {
        self.config_hash
    }

    /// Which code runs in the enclave: the id of its measurement.
    pub fn measurement_id(&self) -> B256 {
        self.measurement_id
    }

    /// The epoch whose keys envelopes are sealed to.
    pub fn epoch_id(&self) -> EpochId {
        self.epoch_id
    }

    /// When the attestation was made, Unix seconds.
    pub fn attested_at(&self) -> u64 {
        self.attested_at
    }

    /// Checks that a contract's log is in the attested epoch, so that its enclaves can open what
    /// is sealed to it.
    ///
    /// # Errors
    ///
    /// [`ClientError::OtherGroup`], [`ClientError::OtherEpoch`], and
    /// [`ChainError`](crate::ChainError) for an unknown contract.
    pub async fn check_contract(&self, contract: ContractId) -> Result<(), ClientError> {
        let log = self.connection.chain.log(contract).await?;
        if log.key_group != self.epoch_id.group {
            return Err(ClientError::OtherGroup {
                contract,
                contract_group: log.key_group,
                attested_group: self.epoch_id.group,
            });
        }
        if log.key_epoch != self.epoch_id.epoch {
            return Err(ClientError::OtherEpoch {
                contract,
                contract_epoch: log.key_epoch,
                attested_epoch: self.epoch_id.epoch,
            });
        }
        Ok(())
    }

    /// Checks again that the signer may sign: revocation takes effect at once.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`].
    pub async fn recheck(&self) -> Result<(), ClientError> {
        let mut checklist = Checklist::new(Subject::Signer);
        self.connection
            .check_signer(
                &mut checklist,
                self.signer,
                self.epoch_id,
                &EpochMember {
                    measurementId: self.measurement_id,
                    configHash: self.config_hash,
                },
            )
            .await
    }

    /// The key that envelopes are sealed to.
    pub(crate) fn epoch_key(&self) -> &EpochPublicKey {
        &self.epoch_key
    }

    /// Now, if the attestation is still fresh.
    pub(crate) fn fresh(&self) -> Result<u64, ClientError> {
        let now = self.connection.clock.now();
        let age = now.saturating_sub(self.attested_at);
        if age > self.max_age {
            return Err(ClientError::AttestationExpired {
                age,
                limit: self.max_age,
            });
        }
        Ok(now)
    }
}
