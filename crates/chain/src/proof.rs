// SPDX-License-Identifier: Apache-2.0
//! Storage proofs and headers, as enclaves want them.

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, Bytes, U256, keccak256},
    providers::Provider,
};
use subrosa_types::frame::{HeaderFrame, StorageProof};

use crate::{ChainError, block::BlockRef, endpoint::within};

/// Number, hash and parent of a block.
///
/// # Errors
///
/// [`ChainError::UnknownBlock`] if there is none, [`ChainError::Rpc`], [`ChainError::Timeout`].
pub async fn fetch_block(
    provider: &impl Provider,
    block: impl Into<BlockId>,
) -> Result<BlockRef, ChainError> {
    let block = block.into();
    let found = within(async { provider.get_block(block).await }).await?;
    let found = found.ok_or_else(|| ChainError::UnknownBlock(format!("{block:?}")))?;
    Ok(BlockRef::from(&found.header))
}

/// The RLP of a block's header, as a frame without witness and ancestors.
///
/// # Errors
///
/// [`ChainError::HeaderHash`] if the fields that the node gives do not make up the block's hash;
/// [`ChainError::UnknownBlock`], [`ChainError::Rpc`], [`ChainError::Timeout`].
pub async fn fetch_header(
    provider: &impl Provider,
    block: B256,
) -> Result<HeaderFrame, ChainError> {
    let found = within(async { provider.get_block_by_hash(block).await }).await?;
    let found = found.ok_or_else(|| ChainError::UnknownBlock(block.to_string()))?;
    let rlp = Bytes::from(alloy::rlp::encode(&found.header.inner));
    let hash = keccak256(&rlp);
    if hash != block {
        return Err(ChainError::HeaderHash {
            expected: block,
            found: hash,
        });
    }
    Ok(HeaderFrame {
        trusted: rlp,
        ..HeaderFrame::default()
    })
}

/// A storage slot as a node answers for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedSlot {
    /// What the node says that it holds.
    pub value: U256,
    /// What proves it.
    pub proof: StorageProof,
}

/// What proves that a contract holds what it holds in each of `slots` after `block` (EIP-1186), in
/// their order.
///
/// Nodes bound how many slots they prove at once (geth: 1,024). Nothing is verified here; an
/// enclave will.
///
/// # Errors
///
/// As [`fetch_header`], and [`ChainError::Inconsistent`] if the answer is about something else.
pub async fn fetch_proofs(
    provider: &impl Provider,
    account: Address,
    slots: &[B256],
    block: B256,
) -> Result<Vec<FetchedSlot>, ChainError> {
    let proof = within(async {
        provider
            .get_proof(account, slots.to_vec())
            .block_id(block.into())
            .await
    });
    let (header, answer) = tokio::try_join!(fetch_header(provider, block), proof)?;
    if answer.address != account || answer.storage_proof.len() != slots.len() {
        return Err(ChainError::Inconsistent("a proof of another account"));
    }
    let proven = answer.storage_proof.into_iter().zip(slots);
    let proofs = proven.map(|(found, slot)| {
        if found.key.as_b256() != *slot {
            return Err(ChainError::Inconsistent("a proof of another slot"));
        }
        Ok(FetchedSlot {
            value: found.value,
            proof: StorageProof {
                header: header.clone(),
                account_proof: answer.account_proof.clone(),
                slot_proof: found.proof,
            },
        })
    });
    proofs.collect()
}

/// keccak256 of the code at an address.
///
/// # Errors
///
/// [`ChainError::NoContract`] if there is none; [`ChainError::Rpc`], [`ChainError::Timeout`].
pub async fn code_hash(provider: &impl Provider, account: Address) -> Result<B256, ChainError> {
    let code = within(async { provider.get_code_at(account).await }).await?;
    if code.is_empty() {
        return Err(ChainError::NoContract(account));
    }
    Ok(keccak256(code))
}
