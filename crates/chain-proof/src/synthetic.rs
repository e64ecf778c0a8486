// SPDX-License-Identifier: Apache-2.0
//! A state trie made up in memory, with proofs as a node gives them: for tests and simulations.
//!
//! It is a real Merkle-Patricia trie with real proofs; only the chain that it would belong to does
//! not exist.

use alloc::{collections::BTreeMap, vec::Vec};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles, TrieAccount, proof::ProofRetainer};

/// Accounts with code and storage, and neighbours of theirs, so that proofs have branches.
#[derive(Clone, Debug)]
pub struct SyntheticState {
    accounts: BTreeMap<Address, Account>,
}

#[derive(Clone, Debug)]
struct Account {
    code_hash: B256,
    slots: BTreeMap<B256, U256>,
}

/// Trie nodes from the state root to an account and from there to a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntheticProof {
    /// From the state root to the account.
    pub account: Vec<Bytes>,
    /// From the account's storage root to the slot.
    pub slot: Vec<Bytes>,
}

impl SyntheticState {
    /// A state with these contracts, by address and code hash, and accounts that are none of them.
    pub fn new(contracts: impl IntoIterator<Item = (Address, B256)>) -> Self {
        let neighbours = (0..50u8).map(|n| Address::repeat_byte(n.wrapping_add(100)));
        let mut accounts: BTreeMap<Address, Account> = neighbours
            .map(|address| (address, Account::new(B256::ZERO, 0)))
            .collect();
        for (address, code_hash) in contracts {
            accounts.insert(address, Account::new(code_hash, 40));
        }
        Self { accounts }
    }

    /// What a slot holds; zero if nothing.
    pub fn slot(&self, account: Address, slot: B256) -> U256 {
        let found = self.accounts.get(&account);
        found
            .and_then(|account| account.slots.get(&slot))
            .copied()
            .unwrap_or_default()
    }

    /// Stores a value; zero clears the slot, as on a chain. Nothing happens if there is no such
    /// account.
    pub fn store(&mut self, account: Address, slot: B256, value: U256) {
        let Some(account) = self.accounts.get_mut(&account) else {
            return;
        };
        if value.is_zero() {
            account.slots.remove(&slot);
        } else {
            account.slots.insert(slot, value);
        }
    }

    /// The state root.
    pub fn root(&self) -> B256 {
        self.trie(Address::ZERO).0
    }

    /// The proof of a slot, there or not.
    pub fn prove(&self, account: Address, slot: B256) -> SyntheticProof {
        let slots = self.accounts.get(&account).map(|found| found.trie(slot).1);
        SyntheticProof {
            account: self.trie(account).1,
            slot: slots.unwrap_or_default(),
        }
    }

    fn trie(&self, target: Address) -> (B256, Vec<Bytes>) {
        let leaves = self.accounts.iter().map(|(address, account)| {
            let leaf = TrieAccount::new(
                1,
                U256::from(5),
                account.trie(B256::ZERO).0,
                account.code_hash,
            );
            (keccak256(address), alloy_rlp::encode(leaf))
        });
        trie(leaves.collect(), keccak256(target))
    }
}

impl Account {
    fn new(code_hash: B256, slots: u8) -> Self {
        let slots = (0..slots).map(|n| (keccak256([n]), U256::from(n) + U256::ONE));
        Self {
            code_hash,
            slots: slots.collect(),
        }
    }

    fn trie(&self, target: B256) -> (B256, Vec<Bytes>) {
        let slots = self.slots.iter();
        let leaves = slots.map(|(slot, value)| (keccak256(slot), alloy_rlp::encode(value)));
        trie(leaves.collect(), keccak256(target))
    }
}

/// The root over hashed keys, and the nodes on the way to `target`.
fn trie(leaves: BTreeMap<B256, Vec<u8>>, target: B256) -> (B256, Vec<Bytes>) {
    if leaves.is_empty() {
        return (EMPTY_ROOT_HASH, Vec::new());
    }
    let retainer = ProofRetainer::new([Nibbles::unpack(target)].into_iter().collect());
    let mut builder = HashBuilder::default().with_proof_retainer(retainer);
    for (key, value) in &leaves {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes().into_nodes_sorted();
    (root, nodes.into_iter().map(|(_, node)| node).collect())
}
