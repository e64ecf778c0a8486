// SPDX-License-Identifier: Apache-2.0
//! Where the oracle and the registry keep what enclaves prove (ERC-7201 storage).
//!
//! Both contracts keep their state in one namespaced struct. The oracle's begins with `entries`,
//! `heads`, `logs`; the registry's with `epochs`.

use alloy_primitives::{B256, U256, keccak256};
use alloy_sol_types::SolValue;

use crate::ContractId;

/// Slot of log entry `seq`: digest (top 248 bits) and settlement status (low byte).
pub fn entry(contract: ContractId, seq: u64) -> B256 {
    let log = mapping(contract, field(ORACLE, 0));
    mapping(B256::from(U256::from(seq)), log)
}

/// Slot of a contract's head: see [`Head`](crate::result::Head).
pub fn head(contract: ContractId) -> B256 {
    mapping(contract, field(ORACLE, 1))
}

/// Slot of a contract's log state: next seq, key epoch, policy.
pub fn log(contract: ContractId) -> B256 {
    mapping(contract, field(ORACLE, 2))
}

/// Slot of the registry's record of (group, epoch):
/// [`EpochOpening::record`](crate::abi::EpochOpening::record).
pub fn epoch(group: u32, epoch: u32) -> B256 {
    let group = mapping(B256::from(U256::from(group)), field(REGISTRY, 0));
    mapping(B256::from(U256::from(epoch)), group)
}

const ORACLE: &str = "subrosa.storage.Oracle";
const REGISTRY: &str = "subrosa.storage.Registry";

/// ERC-7201: keccak256(abi.encode(uint256(keccak256(id)) - 1)) & ~0xff.
fn namespace(id: &str) -> U256 {
    let inner = U256::from_be_bytes(keccak256(id).0) - U256::from(1);
    U256::from_be_bytes(keccak256(inner.abi_encode()).0) & !U256::from(0xff)
}

fn field(id: &str, index: u64) -> B256 {
    B256::from(namespace(id) + U256::from(index))
}

/// Slot of `key` in a Solidity mapping at `slot`: keccak256(key ‖ slot).
fn mapping(key: B256, slot: B256) -> B256 {
    keccak256((key, slot).abi_encode())
}
