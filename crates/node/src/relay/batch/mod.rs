// SPDX-License-Identifier: Apache-2.0
//! Which results go into the next transaction, and what that transaction says.
//!
//! Pure: what is outstanding goes in, a batch comes out. The order inside a contract is fixed by
//! its log; between contracts it is round-robin, so that none waits for another's backlog.

use alloy_primitives::{Address, B256, Bytes};
use subrosa_types::{
    ContractId,
    abi::Entry,
    batch::{self, GROUP_BYTES, ITEM_BYTES, Item},
    entry::{Payment, Settlement},
    frame::{ResultRef, Signed},
    result::{Head, ResultWord},
};

use crate::gas;

/// An executed entry that the oracle does not know of yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// As logged.
    pub(crate) entry: Entry,
    /// The head's commitment before it; zero for a stateless contract's.
    pub(crate) previous_commitment: B256,
    /// What executing it yielded.
    pub(crate) result: ResultWord,
    /// Public output ‖ sealed output ‖ hash of the sealed logs, if any.
    pub(crate) data: Bytes,
}

/// What is outstanding of one contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queue {
    /// The contract whose results they are.
    pub(crate) contract: ContractId,
    /// Whether its entries stand alone, each a group of its own.
    pub(crate) stateless: bool,
    /// In log order. Of a stateful contract consecutive, the first continuing the oracle's head.
    pub(crate) candidates: Vec<Candidate>,
}

/// How large a transaction may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Most items.
    pub(crate) items: usize,
    /// Most gas.
    pub(crate) gas: u64,
    /// Most bytes.
    pub(crate) bytes: usize,
}

impl Limits {
    /// More items than this fit no transaction.
    pub(crate) fn most_items(&self) -> usize {
        let by_gas = usize::try_from(self.gas / gas::item(0, 0)).unwrap_or(usize::MAX);
        self.items.min(by_gas).min(self.bytes / ITEM_BYTES).max(1)
    }
}

/// The results of one transaction. All are of one key epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    /// By contract; never empty ones.
    pub(crate) groups: Vec<Group>,
    /// Gas to send the transaction with.
    pub(crate) gas: u64,
    /// Whether something was left out because no more fits.
    pub(crate) full: bool,
}

/// Consecutive results of one contract, or one of a stateless contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) contract: ContractId,
    /// Whether the contract's entries stand alone.
    pub(crate) stateless: bool,
    pub(crate) items: Vec<Candidate>,
}

/// Takes a batch off the front of `queues`, which it leaves as they are.
///
/// `turn` rotates which contract comes first and so decides the batch's key epoch. Empty only if
/// there is nothing outstanding, or if every queue is headed by an item that exceeds
/// `limits.gas` alone.
pub(crate) fn select(queues: &[Queue], turn: usize, limits: Limits) -> Batch {
    let mut selection = Selection {
        taken: vec![0; queues.len()],
        items: 0,
        gas: gas::BATCH_GAS,
        bytes: BATCH_BYTES,
        keys: None,
        full: false,
        limits,
    };
    let order: Vec<usize> = (0..queues.len())
        .map(|offset| turn.wrapping_add(offset) % queues.len())
        .collect();
    let mut moved = true;
    while moved {
        moved = false;
        for &index in &order {
            moved |= selection.take_from(index, &queues[index]);
        }
    }
    let mut groups = Vec::new();
    for &index in &order {
        let queue = &queues[index];
        let items = &queue.candidates[..selection.taken[index]];
        let size = if queue.stateless {
            1
        } else {
            items.len().max(1)
        };
        groups.extend(items.chunks(size).map(|items| Group {
            contract: queue.contract,
            stateless: queue.stateless,
            items: items.to_vec(),
        }));
    }
    Batch {
        groups,
        gas: selection.gas,
        full: selection.full,
    }
}

/// A batch in the making.
struct Selection {
    /// By queue.
    taken: Vec<usize>,
    items: usize,
    gas: u64,
    bytes: usize,
    keys: Option<(u32, u32)>,
    full: bool,
    limits: Limits,
}

impl Selection {
    /// Takes the next item of a queue if it fits.
    fn take_from(&mut self, index: usize, queue: &Queue) -> bool {
        let Some(candidate) = queue.candidates.get(self.taken[index]) else {
            return false;
        };
        if self.keys.is_some_and(|keys| keys != candidate.keys()) {
            return false;
        }
        // As many as a group holds, of which a log has one.
        if !queue.stateless && self.taken[index] == batch::MOST_ITEMS {
            self.full = true;
            return false;
        }
        let gas = self.gas.saturating_add(candidate.gas());
        let opens_group = queue.stateless || self.taken[index] == 0;
        let group = if opens_group { GROUP_BYTES } else { 0 };
        let bytes = self.bytes.saturating_add(candidate.bytes() + group);
        // The bytes of one item alone are bounded by what an enclave signs.
        let too_long = self.items > 0 && bytes > self.limits.bytes;
        if self.items >= self.limits.items || gas > self.limits.gas || too_long {
            self.full = true;
            return false;
        }
        self.taken[index] += 1;
        self.items += 1;
        self.gas = gas;
        self.bytes = bytes;
        self.keys = Some(candidate.keys());
        true
    }
}

impl Candidate {
    /// (key group, key epoch) whose signature the oracle wants to see for it.
    pub(crate) fn keys(&self) -> (u32, u32) {
        let payment = Payment::unpack(self.entry.payment);
        (payment.key_group, payment.key_epoch)
    }

    /// Gas that applying it may take, callback included.
    pub(crate) fn gas(&self) -> u64 {
        let settlement = Settlement::unpack(self.entry.settlement);
        let callback = settlement.callback_gas().unwrap_or_default();
        gas::item(callback.into(), self.data.len() as u64)
    }

    /// Bytes that it adds to a transaction at most.
    fn bytes(&self) -> usize {
        ITEM_BYTES + self.data.len()
    }

    fn item(&self) -> Item {
        Item::of(&self.entry.link(), self.result, self.data.clone())
    }
}

impl Group {
    fn packed(&self) -> batch::Group {
        let first = self.items.first();
        batch::Group {
            contract: self.contract,
            start: first.map_or_else(Head::default, |first| Head {
                seq: first.entry.seq(),
                commitment: first.previous_commitment,
            }),
            previous_digest: first.map_or(B256::ZERO, |first| first.entry.previousDigest),
            items: self.items.iter().map(Candidate::item).collect(),
        }
    }
}

impl Batch {
    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Number of results.
    pub(crate) fn len(&self) -> usize {
        self.groups.iter().map(|group| group.items.len()).sum()
    }

    /// What the enclave is asked to sign, in the order in which the oracle hashes it.
    pub(crate) fn results(&self) -> Vec<ResultRef> {
        let of_group = |group: &Group| {
            let contract = group.contract;
            group
                .items
                .iter()
                .map(move |item| ResultRef {
                    contract,
                    seq: item.entry.seq(),
                })
                .collect::<Vec<_>>()
        };
        self.groups.iter().flat_map(of_group).collect()
    }

    /// The oracle's `fulfill` argument; `None` if there is nothing to send.
    pub(crate) fn packed(&self, signed: &Signed, payee: Address) -> Option<Bytes> {
        let batch = batch::Batch {
            payee,
            key_group: signed.group,
            key_epoch: signed.epoch,
            signatures: vec![signed.signature],
            groups: self.groups.iter().map(Group::packed).collect(),
        };
        batch.encode().map(Bytes::from)
    }
}

/// Bytes of a transaction besides its items: its envelope, the selector, offset and length of the batch, its
/// header, signatures.
const BATCH_BYTES: usize =
    640 + batch::HEADER_BYTES + batch::MOST_SIGNATURES * batch::SIGNATURE_BYTES;

#[cfg(test)]
mod tests;
