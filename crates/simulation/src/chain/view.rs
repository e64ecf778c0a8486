// SPDX-License-Identifier: Apache-2.0
//! What the chain's state is read as.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use async_trait::async_trait;
use subrosa_chain::{
    ChainError, FetchedSlot,
    follow::BlockRef,
    mailbox::{AskedChallenge, CodePart, MailboxEvent, PendingChallenge},
};
use subrosa_node::{ChainView, DcapContract, Lease, Transaction};
use subrosa_types::{
    ContractId,
    abi::EpochMember,
    frame::{HeaderFrame, Started, StorageProof},
    price::Prices,
    result::Head,
};

use super::{SimulatedChain, blocks::Block};

#[async_trait]
impl ChainView for SimulatedChain {
    async fn tip(&self) -> Result<BlockRef, ChainError> {
        Ok(self.state().blocks.tip().reference())
    }

    async fn header(&self, block: B256) -> Result<HeaderFrame, ChainError> {
        self.at(block, Block::frame)
    }

    async fn proofs(
        &self,
        account: Address,
        slots: &[B256],
        block: B256,
    ) -> Result<Vec<FetchedSlot>, ChainError> {
        let (newest, kept) = {
            let state = self.state();
            (state.blocks.tip().header.number, state.kept)
        };
        let number = self.at(block, |block| block.header.number)?;
        if newest.saturating_sub(number) >= kept {
            return Err(ChainError::UnknownBlock(block.to_string()));
        }
        self.at(block, |block| {
            let slots = slots.iter();
            let proofs = slots.map(|slot| {
                let proof = block.contracts.prove(account, *slot);
                FetchedSlot {
                    value: block.contracts.value(account, *slot),
                    proof: StorageProof {
                        header: block.frame(),
                        account_proof: proof.account,
                        slot_proof: proof.slot,
                    },
                }
            });
            proofs.collect()
        })
    }

    async fn current_epoch(&self, group: u32) -> Result<u32, ChainError> {
        Ok(self.contracts().current_epoch(group))
    }

    async fn epoch_record(&self, group: u32, epoch: u32) -> Result<B256, ChainError> {
        Ok(self.contracts().epoch_record(group, epoch))
    }

    async fn epoch_members(&self, group: u32, _: u32) -> Result<Vec<EpochMember>, ChainError> {
        Ok(self.contracts().members(group))
    }

    async fn epoch_opening(&self, group: u32, epoch: u32) -> Result<B256, ChainError> {
        Ok(self.contracts().epoch_record(group, epoch))
    }

    async fn lease(&self, signer: Address) -> Result<Option<Lease>, ChainError> {
        let until = self.contracts().lease(signer);
        Ok(until.map(|until| Lease {
            until,
            revoked: false,
        }))
    }

    async fn is_accepted(&self, started: &Started) -> Result<bool, ChainError> {
        let until = self.contracts().lease(started.signer);
        Ok(until.is_some_and(|until| until > self.timestamp()))
    }

    async fn dcap(&self) -> Result<Option<Box<dyn DcapContract>>, ChainError> {
        Ok(None)
    }

    async fn is_registered(&self, contract: ContractId) -> Result<bool, ChainError> {
        Ok(self.contracts().is_registered(contract))
    }

    async fn announced(&self, _: ContractId) -> Result<B256, ChainError> {
        Ok(B256::ZERO)
    }

    async fn head(&self, contract: ContractId) -> Result<Head, ChainError> {
        Ok(self.contracts().head(contract))
    }

    async fn added(&self, contract: ContractId, seq: u64) -> Result<u64, ChainError> {
        Ok(self.contracts().added(contract, seq))
    }

    async fn prices(&self) -> Result<Prices, ChainError> {
        Ok(Prices::SHIPPED)
    }

    async fn gas_price(&self) -> Result<u128, ChainError> {
        Ok(self.state().gas_price)
    }

    async fn balance(&self, _: Address) -> Result<U256, ChainError> {
        Ok(U256::MAX)
    }

    async fn earned(&self, account: Address) -> Result<U256, ChainError> {
        Ok(self.contracts().earned(account))
    }

    async fn carried(&self, transaction: B256) -> Result<Option<Bytes>, ChainError> {
        let state = self.state();
        let mut signed = state.signed.iter();
        let found = signed.find(|(raw, _)| keccak256(raw) == transaction);
        Ok(match found {
            Some((_, Transaction::Fulfill { batch, .. })) => Some(batch.clone()),
            _ => None,
        })
    }

    async fn published(
        &self,
        contract: ContractId,
        envelope: Option<B256>,
        from: u64,
    ) -> Result<Vec<CodePart>, ChainError> {
        let wanted = |event| match event {
            MailboxEvent::CodePublished(part) => (part.contract == contract
                && envelope.is_none_or(|envelope| envelope == part.envelope))
            .then_some(part),
            _ => None,
        };
        Ok(self.mail(from, wanted))
    }

    async fn asked(&self, signer: Address, since: u64) -> Result<Vec<AskedChallenge>, ChainError> {
        let wanted = |event| match event {
            MailboxEvent::ChallengeAsked(asked) => {
                (asked.signer == signer && asked.deadline >= since).then_some(asked)
            }
            _ => None,
        };
        Ok(self.mail(0, wanted))
    }

    async fn pending(&self, challenge: B256) -> Result<Option<PendingChallenge>, ChainError> {
        Ok(self.contracts().pending(challenge))
    }
}

impl SimulatedChain {
    /// The mailbox's events of the canonical chain from a block on, the newest first.
    fn mail<T>(&self, from: u64, wanted: impl Fn(MailboxEvent) -> Option<T>) -> Vec<T> {
        let state = self.state();
        let mut mail: Vec<T> = state
            .blocks
            .from(from)
            .flat_map(Block::mail)
            .filter_map(|log| wanted(log.event))
            .collect();
        mail.reverse();
        mail
    }

    /// Reads a block of the canonical chain: a node keeps no others.
    fn at<T>(&self, hash: B256, read: impl FnOnce(&Block) -> T) -> Result<T, ChainError> {
        let state = self.state();
        let block = state.blocks.by_hash(hash);
        block
            .map(read)
            .ok_or(ChainError::UnknownBlock(hash.to_string()))
    }
}

impl Block {
    fn frame(&self) -> HeaderFrame {
        HeaderFrame {
            trusted: alloy_rlp::encode(&self.header).into(),
            ..HeaderFrame::default()
        }
    }
}
