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

/// Creation code of a contract that writes as many new slots as its input's first word says.
pub(crate) fn filler() -> Vec<u8> {
    creation(&alloy_primitives::hex!(
        "5f355f54015f545b6001018080558082116007575f5500"
    ))
}

/// Creation code of a contract that returns 24,000 bytes.
pub(crate) fn talker() -> Vec<u8> {
    creation(&alloy_primitives::hex!("615dc05ff3"))
}

/// Code that leaves `runtime`.
pub(crate) fn creation(runtime: &[u8]) -> Vec<u8> {
    let length = u8::try_from(runtime.len()).unwrap();
    let copy = [0x60, length, 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3];
    [copy.as_slice(), runtime].concat()
}
