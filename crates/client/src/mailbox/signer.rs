// SPDX-License-Identifier: Apache-2.0
//! Whom to ask through the chain.

use std::ops::ControlFlow;

use alloy::rpc::types::Filter;
use alloy_primitives::Address;
use alloy_sol_types::SolEvent;
use subrosa_chain::{bindings::SubrosaRegistry::SignerAdmitted, block_before, logs_newest_first};
use subrosa_crypto::EpochId;
use subrosa_types::abi::{EnclaveConfig, EpochMember};

use super::error::MailboxError;
use crate::{
    ChainError, ClientError, Connection,
    chain::{contract, past},
    check::{Checklist, Subject},
};

impl Connection {
    /// The named signer if the registry lets it sign, or else the one that it admitted last of those that
    /// it does.
    pub(super) async fn choose_signer(
        &self,
        checklist: &mut Checklist,
        config: &EnclaveConfig,
        named: Option<Address>,
    ) -> Result<Address, ClientError> {
        let group = config.keyGroup;
        let epoch = self.chain.current_epoch(group).await?;
        let epoch = EpochId { group, epoch };
        if let Some(signer) = named {
            checklist.turn_to(Subject::Signer);
            let refused = self.refusal(config, signer, epoch).await?;
            checklist.record(
                "signer.admitted",
                refused.is_none(),
                format_args!("{signer} admitted"),
                refused.unwrap_or_else(|| format!("{signer} admitted")),
            );
            checklist.settle()?;
            return Ok(signer);
        }
        let candidates = self.candidates(config).await?;
        for signer in &candidates {
            if self.refusal(config, *signer, epoch).await?.is_none() {
                return Ok(*signer);
            }
        }
        let looked_at = candidates.len();
        Err(MailboxError::NoSigner { looked_at }.into())
    }

    /// Why a signer may not sign for an epoch, or is not of this deployment.
    async fn refusal(
        &self,
        config: &EnclaveConfig,
        signer: Address,
        epoch: EpochId,
    ) -> Result<Option<String>, ChainError> {
        let mut refused = None;
        for measurement in &self.deployment.measurements {
            let member = EpochMember {
                measurementId: *measurement,
                configHash: config.hash(),
            };
            refused = self.chain.signer_refusal(signer, epoch, &member).await?;
            if refused.is_none() {
                break;
            }
        }
        Ok(refused)
    }

    /// Signers of this deployment whose lease may run, those that were admitted last first.
    async fn candidates(&self, config: &EnclaveConfig) -> Result<Vec<Address>, ChainError> {
        let step = "reading who was admitted";
        let registry = self.chain.registry();
        let lease = registry.maximumLease().call().await;
        let lease = lease.map_err(contract(step))?.to::<u64>();
        let since = self.clock.now().saturating_sub(lease);
        let provider = self.chain.provider();
        let from = block_before(provider, since).await.map_err(past(step))?;
        let filter = Filter::new()
            .address(*registry.address())
            .event_signature(SignerAdmitted::SIGNATURE_HASH)
            .topic2(self.deployment.measurements.clone());
        let mut found = Vec::new();
        let take = |logs: Vec<alloy::rpc::types::Log>| {
            for log in logs.iter().rev() {
                let Ok(event) = SignerAdmitted::decode_log(&log.inner) else {
                    continue;
                };
                let signer = event.signer;
                if event.configHash == config.hash() && !found.contains(&signer) {
                    found.push(signer);
                }
            }
            if found.len() < MAX_CANDIDATES {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let read = logs_newest_first(provider, &filter, from.number, take).await;
        read.map_err(past(step))?;
        found.truncate(MAX_CANDIDATES);
        Ok(found)
    }
}

/// Signers that are looked at.
const MAX_CANDIDATES: usize = 32;
