// SPDX-License-Identifier: Apache-2.0
//! The engine under test, and guests that only the EVM has.

use std::sync::{Arc, LazyLock};

use alloy_sol_types::sol;
use subrosa_vm::{
    Vm,
    conformance::{Guest, Subject},
};
use subrosa_vm_evm::EvmEngine;

sol! {
    contract Factory {
        function children(uint256 index) external view returns (address);
        function create(uint256 value) external returns (address);
        function create2(uint256 value, bytes32 salt) external returns (address);
        function mayfly() external;
        function incrementAll() external returns (uint256);
        function destroy() external;
    }

    contract Heir {
        function children(uint256 index) external view returns (address);
        function inherited() external view returns (uint256);
        function codeInside() external view returns (uint256);
        function calledItself() external view returns (bool);
        function sum() external view returns (uint256);
    }
}

pub(crate) fn ledger() -> Vec<u8> {
    fixture(include_str!("../fixtures/Ledger.hex"))
}

pub(crate) fn factory() -> Vec<u8> {
    fixture(include_str!("../fixtures/Factory.hex"))
}

pub(crate) fn heir() -> Vec<u8> {
    fixture(include_str!("../fixtures/Heir.hex"))
}

pub(crate) fn probe() -> Vec<u8> {
    fixture(include_str!("../fixtures/Probe.hex"))
}

fn fixture(hex: &str) -> Vec<u8> {
    hex::decode(hex.trim()).unwrap()
}

/// One engine for all tests, as in an enclave.
pub(crate) fn evm() -> Arc<dyn Vm> {
    static ENGINE: LazyLock<Arc<EvmEngine>> = LazyLock::new(Arc::default);
    ENGINE.clone()
}

pub(crate) fn construct(code: &[u8], init: &[u8]) -> Guest {
    Guest::construct(evm(), code, init)
}

/// What the suite of all engines is given.
pub(crate) fn subject() -> Subject {
    Subject {
        engine: || Arc::new(EvmEngine::default()),
        ledger: ledger(),
        probe: probe(),
    }
}
