// SPDX-License-Identifier: Apache-2.0
//! Batches of results, packed as the oracle's `fulfill` takes them.
//!
//! batch = payee 20 ‖ keyGroup 4 ‖ keyEpoch 4 ‖ zero 3 ‖ number of signatures 1 ‖ signatures ‖ groups;
//! signature = r 32 ‖ vs 32;
//! group = contractId 32 ‖ start 32 ‖ previousDigest 31 ‖ number of items 1 ‖ items;
//! item = executionHash 32 ‖ settlement 32 ‖ landing 6 ‖ callback 6 ‖ charge 6 ‖ result 32 ‖ dataLength 4 ‖
//! data. All numbers are big-endian, and nothing follows the last group.

mod decode;
mod encode;

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, Bytes, U256};

pub use self::decode::{DecodeError, Malformed};
use crate::{
    ContractId,
    entry::{Link, Payment},
    result::{Head, ResultWord, result_hash},
};

/// Most signatures of a batch.
pub const MOST_SIGNATURES: usize = 16;
/// Most items of a group.
pub const MOST_ITEMS: usize = 255;
/// Bytes of a batch before its signatures.
pub const HEADER_BYTES: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;
/// Bytes of a group before its items.
pub const GROUP_BYTES: usize = 96;
/// Bytes of an item before its data.
pub const ITEM_BYTES: usize = 118;

/// Results of entries of one key epoch under one list of signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Who earns the fees; zero for whoever sends the transaction.
    pub payee: Address,
    /// Key group of every entry.
    pub key_group: u32,
    /// Key epoch of every entry.
    pub key_epoch: u32,
    /// The first over `SignedResults`, the others over `CosignedResults` and in ascending order of their
    /// signers. 1 to [`MOST_SIGNATURES`].
    pub signatures: Vec<CompactSignature>,
    /// At least one.
    pub groups: Vec<Group>,
}

/// A secp256k1 signature in the compact form of EIP-2098.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct CompactSignature {
    /// r.
    pub r: B256,
    /// s with the parity of y in its top bit.
    pub vs: B256,
}

/// Consecutive entries of one contract; of a stateless contract exactly one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The contract meant.
    pub contract: ContractId,
    /// The head that the group continues; its seq is the first item's position.
    pub start: Head,
    /// Digest of the entry before the first item's.
    pub previous_digest: B256,
    /// 1 to [`MOST_ITEMS`].
    pub items: Vec<Item>,
}

/// The result of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// [`Entry::execution_hash`](crate::abi::Entry::execution_hash).
    pub execution_hash: B256,
    /// The entry's settlement word.
    pub settlement: U256,
    /// Gwei for whoever lands the result (48 bits).
    pub landing: u64,
    /// Gwei for the callback (48 bits).
    pub callback: u64,
    /// Gwei for the contract's owner (48 bits).
    pub charge: u64,
    /// What executing the entry yielded.
    pub result: ResultWord,
    /// Public output ‖ sealed output ‖ hash of the sealed logs, if any.
    pub data: Bytes,
}

impl Item {
    /// The item of an entry.
    pub fn of(link: &Link, result: ResultWord, data: Bytes) -> Self {
        let payment = Payment::unpack(link.payment);
        Self {
            execution_hash: link.execution_hash,
            settlement: link.settlement,
            landing: payment.landing,
            callback: payment.callback,
            charge: payment.charge,
            result,
            data,
        }
    }

    /// What the entry at `seq`, of the batch's keys, adds to the chain of digests.
    fn link(&self, (key_group, key_epoch): (u32, u32), seq: u64) -> Link {
        let payment = Payment {
            landing: self.landing,
            callback: self.callback,
            charge: self.charge,
            key_group,
            key_epoch,
            seq,
        };
        Link {
            execution_hash: self.execution_hash,
            settlement: self.settlement,
            payment: payment.pack(),
        }
    }
}

/// An item with what follows from its place in its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedItem<'a> {
    /// Contract of the entry.
    pub contract: ContractId,
    /// Position of the entry.
    pub seq: u64,
    /// Digest of the entry before.
    pub previous_digest: B256,
    /// Digest of the entry.
    pub digest: B256,
    /// What the entry adds to the chain of digests.
    pub link: Link,
    /// What the signatures cover.
    pub result_hash: B256,
    /// The item.
    pub item: &'a Item,
}

impl Batch {
    /// Every item with its digest and what is signed of it, on this chain and oracle. `None` if an item
    /// claims more public output than it has data.
    pub fn placed(&self, chain_id: u64, oracle: Address) -> Option<Vec<PlacedItem<'_>>> {
        let keys = (self.key_group, self.key_epoch);
        let mut placed = Vec::new();
        for group in &self.groups {
            let (mut previous_digest, mut commitment) =
                (group.previous_digest, group.start.commitment);
            for (item, seq) in group.items.iter().zip(group.start.seq..) {
                let link = item.link(keys, seq);
                let digest = link.digest((chain_id, oracle, group.contract), previous_digest);
                let outcome = item.result.outcome(&item.data)?.hash();
                placed.push(PlacedItem {
                    contract: group.contract,
                    seq,
                    previous_digest,
                    digest,
                    link,
                    result_hash: result_hash(digest, outcome, commitment, item.result.commitment),
                    item,
                });
                (previous_digest, commitment) = (digest, item.result.commitment);
            }
        }
        Some(placed)
    }
}
