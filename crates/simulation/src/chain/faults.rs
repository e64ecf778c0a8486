// SPDX-License-Identifier: Apache-2.0
//! What may befall a node's transactions between the pool and a block.

use alloy_primitives::{Address, Bytes, keccak256};
use subrosa_chain::send::Call;
use subrosa_node::Transaction;
use subrosa_types::batch::Batch;

use super::{SimulatedChain, blocks::Included};

impl SimulatedChain {
    /// The node's next `count` transactions revert.
    pub fn fail_next(&self, count: usize) {
        self.state().failing = count;
    }

    /// The pool drops the node's transaction that comes next. Those behind it wait for it, until the
    /// node's account has broadcast it again after the next block. `false` if there is none.
    pub fn evict(&self) -> bool {
        let mut state = self.state();
        let Some((nonce, raw)) = state.pool.pop_first() else {
            return false;
        };
        state.evicted.insert(nonce, raw);
        true
    }

    /// Somebody else uses the node's key: a transaction that does nothing is mined under the nonce
    /// that comes next. `false` if nothing of the node's waits.
    pub fn usurp(&self) -> bool {
        {
            let mut state = self.state();
            let nonce = state.next_nonce();
            if state.pool.remove(&nonce).is_none() {
                return false;
            }
            let nothing = Transaction::Prepared(Call::new(Address::ZERO, Bytes::new()));
            let raw = state.sign(nonce, nothing);
            state.mined.insert(nonce, keccak256(&raw));
            let contracts = state.blocks.tip().contracts.clone();
            let included = Included {
                transaction: keccak256(&raw),
                succeeded: true,
                emitted: Default::default(),
            };
            state.blocks.mine(contracts, vec![included]);
        }
        self.changed();
        true
    }

    /// Somebody else gets the first `items` results of the node's transaction that comes next onto
    /// the chain. `false` if none waits with results that the chain would take.
    pub fn overtake(&self, items: usize) -> bool {
        let (mut group, digests) = {
            let state = self.state();
            let next = state.pool.values().next();
            let Some(Transaction::Fulfill { batch, .. }) =
                next.and_then(|raw| state.signed.get(raw))
            else {
                return false;
            };
            let (mut contracts, moment) =
                (state.blocks.tip().contracts.clone(), state.blocks.next());
            let is_taken = contracts.fulfill(moment, OTHER, batch).is_ok();
            let decoded = Batch::decode(batch).ok().filter(|_| is_taken);
            let digests = decoded.as_ref().and_then(|batch| contracts.digests(batch));
            let group = decoded.and_then(|batch| batch.groups.into_iter().next());
            let (Some(group), Some(digests)) = (group, digests) else {
                return false;
            };
            (group, digests)
        };
        group.items.truncate(items);
        self.transact(|contracts, _| {
            let mut events = Vec::new();
            contracts.apply(&group, &digests, OTHER, &mut events);
            ((), events)
        });
        true
    }

    /// Whether nobody sees to the node's transactions any more: they stay where they are.
    pub fn close(&self, closed: bool) {
        self.state().closed = closed;
        self.changed();
    }
}

/// Somebody else.
const OTHER: Address = Address::repeat_byte(0x0e);
