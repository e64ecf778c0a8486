// SPDX-License-Identifier: Apache-2.0
//! Where the oracle and the registry keep what enclaves prove (ERC-7201 storage).
//!
//! Both contracts keep their state in one namespaced struct. The oracle's begins with `entries`,
//! `heads`, `logs`; the registry's with `epochs`.

use alloy_primitives::{Address, B256, U256, b256, keccak256};
use alloy_sol_types::SolValue;

use crate::ContractId;

/// How many slots the ring of a log has.
pub const RING: u64 = 64;

/// Where the oracle keeps an entry.
///
/// A slot is an entry's only if it holds its digest: others of the ring's slot come after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Place {
    /// In the ring, at its position modulo [`RING`].
    Ring,
    /// In a slot of its own, as the ring's held an entry that was pending.
    Own,
}

impl Place {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ring, Self::Own];

    /// The key of entry `seq` among a contract's slots.
    pub const fn position(self, seq: u64) -> u64 {
        match self {
            Self::Ring => seq % RING,
            Self::Own => seq | 1 << 48,
        }
    }
}

/// A slot of a log, by its [`position`](Place::position): digest (top 248 bits) and status (low byte).
pub fn entry(contract: ContractId, position: u64) -> B256 {
    let log = mapping(contract, field(ORACLE, 0));
    mapping(B256::from(U256::from(position)), log)
}

/// Slot of a contract's head: see [`HeadWord`](crate::result::HeadWord).
pub fn head(contract: ContractId) -> B256 {
    mapping(contract, field(ORACLE, 1))
}

/// Slot of a contract's log state: next seq, key epoch, policy.
pub fn log(contract: ContractId) -> B256 {
    mapping(contract, field(ORACLE, 2))
}

/// Slot of the account that a contract is offered to.
pub fn candidate(contract: ContractId) -> B256 {
    mapping(contract, field(ORACLE, 4))
}

/// Slot of whether an account may append requests to a restricted contract.
pub fn caller(contract: ContractId, account: Address) -> B256 {
    let callers = mapping(contract, field(ORACLE, 5));
    mapping(account.into_word(), callers)
}

/// Slot of the nonce that an account's next registration will use.
pub fn nonce(deployer: Address) -> B256 {
    mapping(deployer.into_word(), field(ORACLE, 6))
}

/// Slot of a contract's terms of upgrade: zero 176 ‖ readyAt 48 ‖ delay 32.
pub fn upgrade(contract: ContractId) -> B256 {
    mapping(contract, field(ORACLE, 9))
}

/// Slot of the commitment of the code that a contract's owner announced.
pub fn announced(contract: ContractId) -> B256 {
    let upgrade = U256::from_be_bytes(upgrade(contract).0);
    B256::from(upgrade.wrapping_add(U256::from(1)))
}

/// Slot of how many signers a contract asks for: zero 176 ‖ from 48 ‖ nextKinds 8 ‖ nextSigners 8 ‖ kinds 8 ‖
/// signers 8.
pub fn threshold(contract: ContractId) -> B256 {
    mapping(contract, field(ORACLE, 10))
}

/// Slot of how many gwei a pending entry's landing part was topped up by.
pub fn added(contract: ContractId, seq: u64) -> B256 {
    let log = mapping(contract, field(ORACLE, 11));
    mapping(B256::from(U256::from(seq)), log)
}

/// Slot of the registry's record of (group, epoch):
/// [`EpochOpening::record`](crate::abi::EpochOpening::record).
pub fn epoch(group: u32, epoch: u32) -> B256 {
    let group = mapping(B256::from(U256::from(group)), field(REGISTRY, 0));
    mapping(B256::from(U256::from(epoch)), group)
}

/// ERC-7201's slot of `subrosa.storage.Oracle`.
const ORACLE: B256 = b256!("2e725a373a1b400ac80c7a46f974dc4393d9d2bdbdd7c27a84606fc2b36c8800");
/// ERC-7201's slot of `subrosa.storage.Registry`.
const REGISTRY: B256 = b256!("61cdb13db42c47a1e2a83a3bd4bab9d9cd0de0b41884ab5e3a50e93a0a007500");

/// Slot of a field of the struct at `namespace`, of which ERC-7201 leaves the last byte zero.
const fn field(namespace: B256, index: u8) -> B256 {
    let mut slot = namespace;
    slot.0[31] = index;
    slot
}

/// Slot of `key` in a Solidity mapping at `slot`: keccak256(key ‖ slot).
fn mapping(key: B256, slot: B256) -> B256 {
    keccak256((key, slot).abi_encode())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ERC-7201: keccak256(abi.encode(uint256(keccak256(id)) - 1)) & ~0xff.
    fn namespace(id: &str) -> B256 {
        let inner = U256::from_be_bytes(keccak256(id).0) - U256::from(1);
        let mut slot = keccak256(inner.abi_encode());
        slot.0[31] = 0;
        slot
    }

    #[test]
    fn no_two_entries_share_a_slot_of_their_own_and_the_ring_has_none_of_those() {
        assert_eq!(Place::Ring.position(63), 63);
        assert_eq!(Place::Ring.position(64), 0);
        assert_eq!(Place::Own.position(64), (1 << 48) + 64);
        assert_ne!(Place::Own.position(0), Place::Ring.position(0));
    }

    #[test]
    fn each_namespace_is_that_of_its_name() {
        assert_eq!(ORACLE, namespace("subrosa.storage.Oracle"));
        assert_eq!(REGISTRY, namespace("subrosa.storage.Registry"));
    }
}
