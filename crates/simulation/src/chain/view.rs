// SPDX-License-Identifier: Apache-2.0
//! What the chain's state is read as.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use async_trait::async_trait;
use subrosa_chain::{ChainError, FetchedSlot, follow::BlockRef};
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
}

impl SimulatedChain {
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
