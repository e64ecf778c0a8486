// SPDX-License-Identifier: Apache-2.0
//! The guests of the tests: `tests/guests/Vault.sol` and what it is upgraded to, compiled.

use alloy_primitives::{B256, U256};
use alloy_sol_types::{SolCall, sol};

sol! {
    function add(uint256 amount) external returns (uint256);
    function value() external view returns (uint256);
    function refuse(uint256 reason) external;
    function spin() external;
    function who() external view returns (address sender, bytes32 context, uint256 time, uint256 number);
    function calls() external view returns (uint256);
    function dice() external view returns (bytes memory);
    error Refused(uint256 reason);
}

/// Creation code, without constructor arguments.
pub(crate) fn init_code() -> Vec<u8> {
    alloy_primitives::hex::decode(include_str!("../guests/Vault.hex").trim()).unwrap()
}

/// Creation code of what the guest is upgraded to: its `add` counts tenfold.
pub(crate) fn successor() -> Vec<u8> {
    alloy_primitives::hex::decode(include_str!("../guests/Successor.hex").trim()).unwrap()
}

pub(crate) fn uint(value: u64) -> Vec<u8> {
    B256::from(U256::from(value)).to_vec()
}

pub(crate) fn add(amount: u64) -> Vec<u8> {
    addCall {
        amount: U256::from(amount),
    }
    .abi_encode()
}
