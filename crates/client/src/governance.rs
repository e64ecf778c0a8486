// SPDX-License-Identifier: Apache-2.0
//! What governance does to the registry: at once, or scheduled ahead where the account has to wait.

use alloy_primitives::{B256, aliases::U48};
use serde::Serialize;

use crate::{Account, Act, ClientError, Connection};

/// What became of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Governed {
    /// It is done.
    #[serde(rename_all = "camelCase")]
    Done {
        /// By this transaction.
        transaction: B256,
    },
    /// The account has to wait: it was scheduled, and is to be asked for again then.
    #[serde(rename_all = "camelCase")]
    Scheduled {
        /// By this transaction.
        transaction: B256,
        /// Unix seconds.
        ready_at: u64,
    },
    /// It was scheduled before, and its time has not come.
    #[serde(rename_all = "camelCase")]
    Waiting {
        /// Unix seconds.
        ready_at: u64,
    },
}

impl Connection {
    /// The epoch of a key group that can be scheduled: the one after the current.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError) if the chain gives no answer.
    pub async fn next_epoch(&self, group: u32) -> Result<u32, ClientError> {
        let current = self.chain.current_epoch(group).await?;
        Ok(current.saturating_add(1))
    }

    /// Does something as an account of the registry's governance. Where the account's role has a
    /// delay, the first call schedules it, and one after the delay does it.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError) if the authority or the registry refuses.
    pub async fn govern(&self, act: &Act, account: &Account) -> Result<Governed, ClientError> {
        let data = act.calldata();
        let step = "governing the registry";
        let delay = self.chain.governing_delay(account.address(), &data).await?;
        if delay == 0 {
            // Who may not is told so by the authority.
            let call = self.chain.registry_call(account, data);
            let receipt = self.chain.send(step, call).await?;
            return Ok(Governed::Done {
                transaction: receipt.transaction_hash,
            });
        }
        let (registry, manager) = self.chain.authority_as(account).await?;
        let ready_at = self
            .chain
            .scheduled(account.address(), registry, &data)
            .await?;
        if ready_at == 0 {
            let call = manager.schedule(registry, data.clone(), U48::ZERO);
            let receipt = self.chain.send("scheduling an act", call).await?;
            let ready_at = self
                .chain
                .scheduled(account.address(), registry, &data)
                .await?;
            return Ok(Governed::Scheduled {
                transaction: receipt.transaction_hash,
                ready_at,
            });
        }
        let newest = self.chain.block_number().await?;
        let now = self.chain.timestamp(newest).await?;
        if now.is_some_and(|now| now < ready_at) {
            return Ok(Governed::Waiting { ready_at });
        }
        let call = manager.execute(registry, data);
        let receipt = self.chain.send(step, call).await?;
        Ok(Governed::Done {
            transaction: receipt.transaction_hash,
        })
    }
}
