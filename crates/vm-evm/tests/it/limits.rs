// SPDX-License-Identifier: Apache-2.0
use alloy_primitives::U256;
use alloy_sol_types::{SolCall, SolValue};
use subrosa_vm::{
    Call, Execution, Halt,
    conformance::{Guest, Ledger, Probe, call},
    limits,
};

use crate::guest::{self, evm};

fn table() -> &'static limits::Limits {
    subrosa_vm::RUNTIME.limits
}

fn ledger() -> Guest {
    let arguments = (U256::from(1), String::new()).abi_encode_params();
    guest::construct(&guest::ledger(), &arguments)
}

fn unlimited<C: SolCall>(guest: &Guest, request: &C) -> Execution {
    let input = request.abi_encode();
    evm().call(
        &guest.state,
        &Call {
            fuel_limit: u64::MAX,
            ..call(&input)
        },
    )
}

#[test]
fn a_memory_bomb_runs_out_of_fuel_first() {
    let execution = unlimited(&ledger(), &Ledger::hoardCall {});
    assert_eq!(
        (execution.halt, execution.fuel_used),
        (Halt::OutOfFuel, table().max_fuel)
    );
}

#[test]
fn memory_of_nested_frames_is_limited_together() {
    let guest = guest::construct(&guest::probe(), &[]);
    let size = 384 << 10;
    let execution = unlimited(
        &guest,
        &Probe::hoardDeepCall {
            size: U256::from(size),
        },
    );
    assert_eq!(execution.halt, Halt::Succeeded);
    let frames = Probe::hoardDeepCall::abi_decode_returns_validate(&execution.output).unwrap();
    let used = frames.to::<u64>() * size;
    assert!(used <= table().max_memory, "{frames} frames");
    assert!(
        used > table().max_memory * 9 / 10,
        "{frames} frames: fuel ended it, not memory"
    );
}

#[test]
fn deep_recursion_ends_in_a_verdict() {
    let guest = guest::construct(&guest::probe(), &[]);
    let shallow = unlimited(
        &guest,
        &Probe::deepenCall {
            depth: U256::from(100),
        },
    );
    assert_eq!(shallow.halt, Halt::Succeeded);
    let deep = unlimited(
        &guest,
        &Probe::deepenCall {
            depth: U256::from(5_000),
        },
    );
    assert_eq!(deep.halt, Halt::Reverted);
}
