// SPDX-License-Identifier: Apache-2.0
//! A simulated chain: blocks in memory, mined when a transaction comes or when they are asked for.
//!
//! Its state tries, headers and proofs are real, so that an enclave verifies what it is shown. Its
//! contracts are a model ([`contracts`]).

mod account;
mod blocks;
mod contracts;
mod faults;
mod feed;
mod letters;
mod mailbox;
mod transaction;
mod view;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::{Address, B256, Bytes, keccak256};
use subrosa_chain::follow::OracleEvent;
use subrosa_node::Transaction;
use subrosa_types::{
    ContractId,
    abi::{EnclaveConfig, EpochOpening},
};
use tokio::sync::watch;

use self::blocks::{Blocks, Emitted, Included};
pub use self::{
    contracts::{Contracts, Request, Revert},
    letters::code_parts,
};

/// A chain that whoever holds it shares. It outlives the nodes that use it.
#[derive(Clone)]
pub struct SimulatedChain(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// Counts changes of the canonical chain.
    changes: watch::Sender<u64>,
}

struct State {
    blocks: Blocks,
    /// What was broadcast with the node's key and is not mined, by nonce: the last attempt.
    pool: BTreeMap<u64, Bytes>,
    /// What signed transactions say.
    signed: BTreeMap<Bytes, Transaction>,
    /// Hashes of mined transactions of the node's key, by nonce.
    mined: BTreeMap<u64, B256>,
    /// What the pool dropped, by nonce, until the account broadcasts it again.
    evicted: BTreeMap<u64, Bytes>,
    /// Transactions that wait for [`SimulatedChain::mine`].
    holding: bool,
    /// How many of the node's next transactions revert.
    failing: usize,
    /// Nobody sees to the node's transactions.
    closed: bool,
    /// Distinguishes transactions of others.
    others: u64,
    /// Wei that a unit of gas costs.
    gas_price: u128,
    /// Of how many of the last blocks there are proofs.
    kept: u64,
}

impl SimulatedChain {
    /// A chain with the contracts that `config` names, at `timestamp` (Unix seconds).
    pub fn new(config: &EnclaveConfig, timestamp: u64) -> Self {
        let state = State {
            blocks: Blocks::new(Contracts::deployed(config), timestamp),
            pool: BTreeMap::new(),
            signed: BTreeMap::new(),
            mined: BTreeMap::new(),
            evicted: BTreeMap::new(),
            holding: false,
            failing: 0,
            closed: false,
            others: 0,
            gas_price: 100_000_000,
            kept: u64::MAX,
        };
        Self(Arc::new(Inner {
            state: Mutex::new(state),
            changes: watch::Sender::new(0),
        }))
    }

    /// The contracts after the latest block.
    pub fn contracts(&self) -> Contracts {
        self.state().blocks.tip().contracts.clone()
    }

    /// The latest block's timestamp, Unix seconds.
    pub fn timestamp(&self) -> u64 {
        self.state().blocks.tip().header.timestamp
    }

    /// Admits a signer until a time (Unix seconds), as governance and verifiers would.
    pub fn admit(&self, signer: Address, until: u64) {
        self.transact(|contracts, _| {
            contracts.admit(signer, until);
            ((), Emitted::default())
        });
    }

    /// Registers a contract for code with this commitment.
    pub fn register(&self, owner: Address, commitment: B256) -> ContractId {
        self.transact(|contracts, moment| contracts.register(moment, owner, commitment))
    }

    /// Asks a contract. Returns the entry's seq.
    ///
    /// # Errors
    ///
    /// [`Revert::UnknownContract`].
    pub fn request(
        &self,
        contract: ContractId,
        request: Request,
        input: Bytes,
    ) -> Result<u64, Revert> {
        self.appended(|contracts, moment| contracts.request(moment, contract, request, input))
    }

    /// Withdraws a runtime generation, as governance would: contracts of it may be moved to
    /// `successor`, a later one, and new ones run in that.
    pub fn withdraw_runtime(&self, generation: u16, successor: u16) {
        self.transact(|contracts, _| {
            contracts.withdraw_runtime(generation, successor);
            ((), Emitted::default())
        });
    }

    /// Asks a contract several times in one block. Returns the entries' seqs.
    ///
    /// # Errors
    ///
    /// [`Revert::UnknownContract`].
    pub fn request_all(
        &self,
        contract: ContractId,
        requests: Vec<(Request, Bytes)>,
    ) -> Result<Vec<u64>, Revert> {
        self.transact(|contracts, moment| {
            let (mut seqs, mut events) = (Vec::new(), Vec::new());
            for (request, input) in requests {
                match contracts.request(moment, contract, request, input) {
                    Ok((seq, event)) => {
                        seqs.push(seq);
                        events.push(event);
                    }
                    Err(revert) => return (Err(revert), Vec::new()),
                }
            }
            (Ok(seqs), events)
        })
    }

    /// Opens the key group's next epoch, whose secret whoever proposed it has.
    ///
    /// # Errors
    ///
    /// [`Revert::Epoch`] if it is not the next.
    pub fn open_epoch(&self, opening: &EpochOpening) -> Result<(), Revert> {
        self.transact(|contracts, _| (contracts.open_epoch(opening), Emitted::default()))
    }

    /// Has `owner` move a contract to its key group's current epoch. Returns the entry's seq.
    ///
    /// # Errors
    ///
    /// [`Revert::UnknownContract`]; [`Revert::Epoch`] if it is there already.
    pub fn advance_epoch(&self, contract: ContractId, owner: Address) -> Result<u64, Revert> {
        self.appended(|contracts, moment| contracts.advance_epoch(moment, contract, owner))
    }

    /// Has `owner` upgrade a contract to code with this commitment. Returns the entry's seq.
    ///
    /// # Errors
    ///
    /// [`Revert::UnknownContract`].
    pub fn upgrade(
        &self,
        contract: ContractId,
        owner: Address,
        commitment: B256,
    ) -> Result<u64, Revert> {
        self.appended(|contracts, moment| contracts.upgrade(moment, contract, owner, commitment))
    }

    /// Has `requester` move a contract to the generation that takes over from its own. Returns the
    /// entry's seq.
    ///
    /// # Errors
    ///
    /// [`Revert::UnknownContract`]; [`Revert::Runtime`] if its own was not withdrawn.
    pub fn change_runtime(&self, contract: ContractId, requester: Address) -> Result<u64, Revert> {
        self.appended(|contracts, moment| contracts.change_runtime(moment, contract, requester))
    }

    /// Whether the node's transactions wait in the pool until [`Self::mine`] is called.
    pub fn hold(&self, holding: bool) {
        self.state().holding = holding;
    }

    /// How many of the node's transactions wait in the pool.
    pub fn pooled(&self) -> usize {
        self.state().pool.len()
    }

    /// How many of the node's transactions are mined.
    pub fn sent(&self) -> usize {
        self.state().mined.len()
    }

    /// Tops up the landing part of a pending entry, by so many gwei.
    ///
    /// # Errors
    ///
    /// [`Revert::UnknownContract`] if there is no such entry.
    pub fn add_fee(&self, contract: ContractId, seq: u64, gwei: u64) -> Result<(), Revert> {
        self.transact(
            |contracts, _| match contracts.add_fee(contract, seq, gwei) {
                Ok(event) => (Ok(()), vec![event]),
                Err(revert) => (Err(revert), Vec::new()),
            },
        )
    }

    /// Of how many of the last blocks there are proofs from now on, as of a node that prunes its state.
    pub fn prune(&self, kept: u64) {
        self.state().kept = kept;
    }

    /// What a unit of gas costs from now on, wei.
    pub fn price_gas(&self, wei: u128) {
        self.state().gas_price = wei;
    }

    /// Mines one block with whatever waits.
    pub fn mine(&self) {
        self.state().mine();
        self.changed();
    }

    /// Replaces the last `depth` blocks by one more, without the entries that others made in them;
    /// the node's own transactions go back to the pool, and are mined again in the last new block.
    pub fn reorganize(&self, depth: usize) {
        let mut state = self.state();
        let dropped = state.blocks.drop_last(depth);
        for included in dropped.iter().flat_map(|block| &block.included) {
            state.unmine(included.transaction);
        }
        for _ in &dropped {
            let contracts = state.blocks.tip().contracts.clone();
            state.blocks.mine(contracts, Vec::new());
        }
        state.mine();
        drop(state);
        self.changed();
    }

    /// A transaction of somebody else that appends an entry.
    fn appended(
        &self,
        append: impl FnOnce(&mut Contracts, contracts::Moment) -> Result<(u64, OracleEvent), Revert>,
    ) -> Result<u64, Revert> {
        self.transact(|contracts, moment| match append(contracts, moment) {
            Ok((seq, event)) => (Ok(seq), vec![event]),
            Err(revert) => (Err(revert), Vec::new()),
        })
    }

    /// A transaction of somebody else, in a block of its own.
    fn transact<T, E: Into<Emitted>>(
        &self,
        act: impl FnOnce(&mut Contracts, contracts::Moment) -> (T, E),
    ) -> T {
        let mut state = self.state();
        let moment = state.blocks.next();
        let mut contracts = state.blocks.tip().contracts.clone();
        let (outcome, events) = act(&mut contracts, moment);
        state.others += 1;
        let transaction = keccak256([b"other".as_slice(), &state.others.to_be_bytes()].concat());
        let included = Included {
            transaction,
            succeeded: true,
            emitted: events.into(),
        };
        state.blocks.mine(contracts, vec![included]);
        drop(state);
        self.changed();
        outcome
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.0.changes.send_modify(|changes| *changes += 1);
    }
}

impl State {
    /// The nonce of the node's next transaction to be mined.
    fn next_nonce(&self) -> u64 {
        self.mined.keys().next_back().map_or(0, |last| last + 1)
    }

    /// The lowest nonce of the node's that no transaction has.
    fn free_nonce(&self) -> u64 {
        let waiting = self.pool.keys().chain(self.evicted.keys());
        let after = waiting.max().map_or(0, |last| last + 1);
        self.next_nonce().max(after)
    }

    /// Mines a block with the node's transactions that come next.
    fn mine(&mut self) {
        let moment = self.blocks.next();
        let mut contracts = self.blocks.tip().contracts.clone();
        let mut block = Vec::new();
        loop {
            let nonce = self.next_nonce();
            let Some(raw) = self.pool.remove(&nonce) else {
                break;
            };
            let Some(transaction) = self.signed.get(&raw) else {
                continue;
            };
            let fails = self.failing > 0;
            self.failing = self.failing.saturating_sub(1);
            let outcome = if fails {
                Err(Revert::OutOfGas)
            } else {
                transaction::apply(&mut contracts, moment, transaction::ACCOUNT, transaction)
            };
            let included = Included {
                transaction: keccak256(&raw),
                succeeded: outcome.is_ok(),
                emitted: outcome.unwrap_or_default(),
            };
            self.mined.insert(nonce, included.transaction);
            block.push(included);
        }
        self.blocks.mine(contracts, block);
        // What an account misses in the pool it broadcasts again, after a while.
        self.pool.append(&mut self.evicted);
    }

    /// Puts a transaction of the node's back into the pool, if it is one.
    fn unmine(&mut self, transaction: B256) {
        let Some(nonce) = self
            .mined
            .iter()
            .find_map(|(nonce, hash)| (*hash == transaction).then_some(*nonce))
        else {
            return;
        };
        self.mined.remove(&nonce);
        let raw = self.signed.keys().find(|raw| keccak256(raw) == transaction);
        if let Some(raw) = raw.cloned() {
            self.pool.insert(nonce, raw);
        }
    }
}

impl fmt::Debug for SimulatedChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedChain")
            .field("tip", &self.state().blocks.tip().reference())
            .finish_non_exhaustive()
    }
}
