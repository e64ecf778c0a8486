// SPDX-License-Identifier: Apache-2.0
//! Blocks with the contracts' state after each, and what a reorganization makes of them.

use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, keccak256};
use subrosa_chain::{
    follow::{BlockRef, OracleEvent, OracleLog},
    mailbox::{MailboxEvent, MailboxLog},
};

use super::contracts::{Contracts, Moment};

/// A chain: never without a block.
#[derive(Debug)]
pub(crate) struct Blocks {
    first: Block,
    later: Vec<Block>,
    /// Blocks that were mined so far, on whatever branch: it makes every hash another.
    mined: u64,
}

/// One block and the state after it.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) header: Header,
    pub(crate) hash: B256,
    pub(crate) contracts: Contracts,
    pub(crate) included: Vec<Included>,
}

/// A transaction in a block.
#[derive(Clone, Debug)]
pub(crate) struct Included {
    pub(crate) transaction: B256,
    pub(crate) succeeded: bool,
    pub(crate) emitted: Emitted,
}

/// The contracts' events in a transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Emitted {
    pub(crate) events: Vec<OracleEvent>,
    pub(crate) mail: Vec<MailboxEvent>,
}

impl From<Vec<OracleEvent>> for Emitted {
    fn from(events: Vec<OracleEvent>) -> Self {
        let mail = Vec::new();
        Self { events, mail }
    }
}

impl From<Vec<MailboxEvent>> for Emitted {
    fn from(mail: Vec<MailboxEvent>) -> Self {
        let events = Vec::new();
        Self { events, mail }
    }
}

impl Blocks {
    /// A chain whose first block has `contracts`.
    pub(crate) fn new(contracts: Contracts, timestamp: u64) -> Self {
        let moment = Moment {
            number: FIRST_BLOCK,
            timestamp,
        };
        Self {
            first: Block::new(moment, B256::ZERO, 0, contracts, Vec::new()),
            later: Vec::new(),
            mined: 0,
        }
    }

    /// The last block.
    pub(crate) fn tip(&self) -> &Block {
        self.later.last().unwrap_or(&self.first)
    }

    /// The canonical block with this number.
    pub(crate) fn at(&self, number: u64) -> Option<&Block> {
        match number.checked_sub(FIRST_BLOCK)? {
            0 => Some(&self.first),
            index => self.later.get(usize::try_from(index).ok()? - 1),
        }
    }

    /// The canonical block with this hash.
    pub(crate) fn by_hash(&self, hash: B256) -> Option<&Block> {
        let mut blocks = self.later.iter().rev().chain([&self.first]);
        blocks.find(|block| block.hash == hash)
    }

    /// A transaction of the canonical chain.
    pub(crate) fn included(&self, transaction: B256) -> Option<&Included> {
        let mut all = self.later.iter().flat_map(|block| &block.included);
        all.find(|included| included.transaction == transaction)
    }

    /// The canonical blocks from this number on.
    pub(crate) fn from(&self, number: u64) -> impl Iterator<Item = &Block> {
        (number.max(FIRST_BLOCK)..=self.tip().header.number).filter_map(|number| self.at(number))
    }

    /// What the contracts see in the next block.
    pub(crate) fn next(&self) -> Moment {
        let tip = &self.tip().header;
        Moment {
            number: tip.number + 1,
            timestamp: tip.timestamp + BLOCK_SECONDS,
        }
    }

    /// Appends a block that leaves the contracts as given.
    pub(crate) fn mine(&mut self, contracts: Contracts, included: Vec<Included>) {
        self.mined += 1;
        let (moment, parent) = (self.next(), self.tip().hash);
        let block = Block::new(moment, parent, self.mined, contracts, included);
        self.later.push(block);
    }

    /// Takes the last `depth` blocks away, never the first one.
    pub(crate) fn drop_last(&mut self, depth: usize) -> Vec<Block> {
        let remaining = self.later.len().saturating_sub(depth);
        self.later.split_off(remaining)
    }
}

impl Block {
    fn new(
        moment: Moment,
        parent: B256,
        salt: u64,
        contracts: Contracts,
        included: Vec<Included>,
    ) -> Self {
        let header = Header {
            number: moment.number,
            timestamp: moment.timestamp,
            parent_hash: parent,
            state_root: contracts.root(),
            base_fee_per_gas: Some(7),
            gas_limit: 30_000_000,
            extra_data: Bytes::copy_from_slice(&salt.to_be_bytes()),
            ..Header::default()
        };
        Self {
            hash: keccak256(alloy_rlp::encode(&header)),
            header,
            contracts,
            included,
        }
    }

    /// As followers name it.
    pub(crate) fn reference(&self) -> BlockRef {
        BlockRef {
            number: self.header.number,
            hash: self.hash,
            parent_hash: self.header.parent_hash,
            timestamp: self.header.timestamp,
        }
    }

    /// The mailbox's logs in it, in order.
    pub(crate) fn mail(&self) -> Vec<MailboxLog> {
        let events = self
            .included
            .iter()
            .flat_map(|included| &included.emitted.mail);
        let logs = events.map(|event| MailboxLog {
            block_number: self.header.number,
            event: event.clone(),
        });
        logs.collect()
    }

    /// The oracle's logs in it, in order.
    pub(crate) fn logs(&self) -> Vec<OracleLog> {
        let events = self.included.iter().flat_map(|included| {
            let transaction = included.transaction;
            let events = included.emitted.events.iter().cloned();
            events.map(move |event| (transaction, event))
        });
        let logs = events
            .zip(0..)
            .map(|((tx_hash, event), log_index)| OracleLog {
                block_number: self.header.number,
                block_hash: self.hash,
                tx_hash,
                log_index,
                event,
            });
        logs.collect()
    }
}

/// Number of the first block.
const FIRST_BLOCK: u64 = 1;

/// Between two blocks.
const BLOCK_SECONDS: u64 = 12;
