// SPDX-License-Identifier: Apache-2.0
//! What the mailbox holds, and what it said before.

use std::ops::ControlFlow;

use alloy::{
    primitives::{Address, B256, U256},
    providers::DynProvider,
    rpc::types::Filter,
    sol_types::SolEvent,
};
use subrosa_types::ContractId;

use super::event::{AskedChallenge, CodePart, MailboxEvent};
use crate::{
    ChainError,
    bindings::SubrosaMailbox::{self, SubrosaMailboxInstance},
    ranges::{block_before, logs_newest_first},
};

/// A deployed mailbox.
#[derive(Clone, Debug)]
pub struct Mailbox {
    address: Address,
    provider: DynProvider,
}

/// What is held for the answer to a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingChallenge {
    /// Wei for whoever brings it.
    pub escrow: U256,
    /// Unix seconds from which on it is not taken.
    pub deadline: u64,
}

impl Mailbox {
    /// The mailbox at this address.
    pub fn new(address: Address, provider: DynProvider) -> Self {
        Self { address, provider }
    }

    /// Where it is.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Its functions.
    pub fn instance(&self) -> SubrosaMailboxInstance<DynProvider> {
        SubrosaMailbox::new(self.address, self.provider.clone())
    }

    /// The oracle and the registry that it serves.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if there is no mailbox.
    pub async fn serves(&self) -> Result<(Address, Address), ChainError> {
        let instance = self.instance();
        let oracle = instance.oracle().call().await?;
        Ok((oracle, instance.registry().call().await?))
    }

    /// What is held for the answer to a challenge; `None` if it does not wait for one.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if the chain gives no answer.
    pub async fn pending(&self, id: B256) -> Result<Option<PendingChallenge>, ChainError> {
        let found = self.instance().pending(id).call().await?;
        let deadline = found.deadline.to::<u64>();
        Ok((deadline > 0).then(|| PendingChallenge {
            escrow: U256::from(found.escrow),
            deadline,
        }))
    }

    /// The parts of a contract's code envelopes that were published from a block on, of one envelope or of
    /// all, the newest first: as many as `bytes` bytes hold, and a range of blocks' more.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if the chain gives no answer.
    pub async fn published(
        &self,
        contract: ContractId,
        envelope: Option<B256>,
        from: u64,
        bytes: usize,
    ) -> Result<Vec<CodePart>, ChainError> {
        let mut filter = self
            .filter::<SubrosaMailbox::CodePublished>()
            .topic1(contract);
        if let Some(envelope) = envelope {
            filter = filter.topic2(envelope);
        }
        let (mut parts, mut total) = (Vec::new(), 0);
        logs_newest_first(&self.provider, &filter, from, |logs| {
            for log in logs.iter().rev() {
                if let Some(MailboxEvent::CodePublished(part)) = MailboxEvent::decode(log) {
                    total += part.chunk.len();
                    parts.push(part);
                }
            }
            more_while(total < bytes)
        })
        .await?;
        Ok(parts)
    }

    /// The challenges of a signer that were put since a time (Unix seconds), whether or not they wait for
    /// an answer, the newest first: `most` of them.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if the chain gives no answer.
    pub async fn asked(
        &self,
        signer: Address,
        since: u64,
        most: usize,
    ) -> Result<Vec<AskedChallenge>, ChainError> {
        let from = block_before(&self.provider, since).await?.number;
        let filter = self.filter::<SubrosaMailbox::ChallengeAsked>();
        self.challenges(&filter.topic2(signer.into_word()), from, most)
            .await
    }

    /// The challenges of an asker from a block on, whether or not they wait for an answer, the newest
    /// first: `most` of them.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if the chain gives no answer.
    pub async fn asked_by(
        &self,
        asker: Address,
        from: u64,
        most: usize,
    ) -> Result<Vec<AskedChallenge>, ChainError> {
        let filter = self.filter::<SubrosaMailbox::ChallengeAsked>();
        self.challenges(&filter.topic3(asker.into_word()), from, most)
            .await
    }

    async fn challenges(
        &self,
        filter: &Filter,
        from: u64,
        most: usize,
    ) -> Result<Vec<AskedChallenge>, ChainError> {
        let mut found = Vec::new();
        logs_newest_first(&self.provider, filter, from, |logs| {
            for log in logs.iter().rev() {
                if let Some(MailboxEvent::ChallengeAsked(asked)) = MailboxEvent::decode(log) {
                    found.push(asked);
                }
            }
            more_while(found.len() < most)
        })
        .await?;
        found.truncate(most);
        Ok(found)
    }

    fn filter<E: SolEvent>(&self) -> Filter {
        Filter::new()
            .address(self.address)
            .event_signature(E::SIGNATURE_HASH)
    }
}

fn more_while(wanted: bool) -> ControlFlow<()> {
    if wanted {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}
