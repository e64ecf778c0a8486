// SPDX-License-Identifier: Apache-2.0
//! What answers cost, and taking back what was held for one that nobody gave.

use std::ops::ControlFlow;

use alloy::rpc::types::Filter;
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;
use serde::Serialize;
use subrosa_chain::{
    bindings::SubrosaMailbox::ChallengeAnswered,
    logs_newest_first,
    mailbox::{AskedChallenge, answer_gas_of},
};

use super::error::MailboxError;
use crate::{Account, ClientError, Connection, chain::past};

/// A challenge that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PutChallenge {
    /// How the mailbox names it.
    pub id: B256,
    /// Who is to answer.
    pub signer: Address,
    /// The random bytes.
    pub challenge: B256,
    /// Wei that is held for the answer.
    pub escrow: U256,
    /// Unix seconds from which on that can be taken back.
    pub deadline: u64,
}

impl Connection {
    /// What it takes to have a challenge answered, wei: what the last answer's transaction would cost, with a
    /// margin for the base fee to rise.
    ///
    /// # Errors
    ///
    /// [`MailboxError`], [`ChainError`](crate::ChainError).
    pub async fn quote_answer(&self) -> Result<U256, ClientError> {
        let mailbox = self.mailbox().await?;
        let filter = Filter::new()
            .address(mailbox.address())
            .event_signature(ChallengeAnswered::SIGNATURE_HASH);
        let newest = self.chain.block_number().await?;
        let mut bytes = None;
        let take = |logs: Vec<alloy::rpc::types::Log>| {
            let answers = logs.iter().rev();
            let mut answers =
                answers.filter_map(|log| ChallengeAnswered::decode_log(&log.inner).ok());
            match answers.next() {
                Some(last) => {
                    bytes = Some((last.evidence.len() + last.statement.len()) as u64);
                    ControlFlow::Break(())
                }
                None => ControlFlow::Continue(()),
            }
        };
        let from = newest.saturating_sub(LOOK_BACK);
        logs_newest_first(self.chain.provider(), &filter, from, take)
            .await
            .map_err(past("reading earlier answers"))?;
        // Evidence of different platforms differs.
        let bytes = bytes.unwrap_or(USUAL_BYTES).max(USUAL_BYTES);
        let price = self.chain.gas_price().await?.saturating_mul(3) / 2;
        Ok(U256::from(answer_gas_of(bytes)) * U256::from(price))
    }

    /// The challenges of an account that wait for their answer, the newest first.
    ///
    /// # Errors
    ///
    /// [`MailboxError`], [`ChainError`](crate::ChainError).
    pub async fn put_challenges(&self, account: Address) -> Result<Vec<PutChallenge>, ClientError> {
        let mailbox = self.mailbox().await?;
        let asked = mailbox.asked_by(account, 0, MAX_LISTED).await;
        let mut waiting = Vec::new();
        for asked in asked.map_err(past("reading the account's challenges"))? {
            let pending = mailbox.pending(asked.id()).await;
            if let Some(pending) = pending.map_err(past("reading a challenge"))? {
                waiting.push(PutChallenge {
                    id: asked.id(),
                    signer: asked.signer,
                    challenge: asked.challenge,
                    escrow: pending.escrow,
                    deadline: pending.deadline,
                });
            }
        }
        Ok(waiting)
    }

    /// Takes back the escrow of a challenge that nobody answered in time.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError) if the mailbox refuses: it is too early, or it was answered.
    pub async fn reclaim_escrow(
        &self,
        put: &PutChallenge,
        recipient: Address,
        account: &Account,
    ) -> Result<(), ClientError> {
        let mailbox = self.mailbox().await?;
        let asked = AskedChallenge {
            asker: account.address(),
            signer: put.signer,
            challenge: put.challenge,
            escrow: put.escrow,
            deadline: put.deadline,
        };
        if asked.id() != put.id {
            let account = account.address();
            return Err(MailboxError::UnknownChallenge {
                id: put.id,
                account,
            }
            .into());
        }
        let contract = self.chain.mailbox_as(mailbox.address(), account);
        let call = contract.reclaim(asked.put(), recipient);
        let sent = self.chain.send("taking an escrow back", call).await;
        sent.map(drop)
    }
}

/// Evidence of most platforms with its certificates, and the statement.
const USUAL_BYTES: u64 = 16 << 10;
/// Blocks in which an earlier answer is looked for.
const LOOK_BACK: u64 = 100_000;
/// Challenges of an account that are looked at.
const MAX_LISTED: usize = 256;
