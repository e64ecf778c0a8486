// SPDX-License-Identifier: Apache-2.0
//! The guest of the enclave's tests, and what runs it.

use std::sync::Arc;

use alloy_primitives::{U256, hex};
use alloy_sol_types::{SolCall, SolValue, sol};
use subrosa_simulation::Code;
use subrosa_vm::{Engines, Runtimes, Vm};
use subrosa_vm_evm::{ENGINE_EVM, EvmEngine};

sol! {
    function add(uint256 amount) external returns (uint256);
    function refuse(uint256 reason) external;
}

/// The engines of the shipped enclave.
pub(crate) fn engines() -> Engines {
    Engines::new(
        Runtimes::shipped(),
        [(ENGINE_EVM, Arc::new(EvmEngine::default()) as Arc<dyn Vm>)],
    )
    .unwrap()
}

/// `Vault.sol`, starting with `initial`.
pub(crate) fn vault(initial: u64) -> Code {
    let code = include_str!("../../../enclave/tests/guests/Vault.hex").trim();
    Code {
        engine: ENGINE_EVM,
        code: hex::decode(code).unwrap().into(),
        init: U256::from(initial).abi_encode().into(),
    }
}

pub(crate) fn add(amount: u64) -> Vec<u8> {
    addCall {
        amount: U256::from(amount),
    }
    .abi_encode()
}

pub(crate) fn refuse() -> Vec<u8> {
    refuseCall { reason: U256::ONE }.abi_encode()
}
