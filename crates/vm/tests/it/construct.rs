// SPDX-License-Identifier: Apache-2.0
use alloy_primitives::{Address, U256, keccak256};
use alloy_sol_types::{Revert, SolError, SolValue};
use subrosa_vm::{Call, ENGINE_WASM, Execution, Halt, State, StateKey, engine};

use crate::guest::{self, CALLER, CONTRACT, Guest, Ledger, call, evm};

const LABEL: &str = "a label that is longer than one word of storage";

fn arguments(initial: u64) -> Vec<u8> {
    (U256::from(initial), LABEL.to_owned()).abi_encode_params()
}

fn construct(code: &[u8], init: &[u8]) -> Execution {
    evm().construct(&State::new(), &call(&[]), code, init)
}

/// Init code that returns `size` bytes of which the first is `first`.
fn returning(size: u32, first: u8) -> Vec<u8> {
    let [_, a, b, c] = size.to_be_bytes();
    vec![0x60, first, 0x5f, 0x53, 0x62, a, b, c, 0x5f, 0xf3]
}

#[test]
fn a_constructor_sees_its_arguments_and_its_caller() {
    let guest = Guest::new(&guest::ledger(), &arguments(99));
    assert_eq!(guest.view(&Ledger::totalCall {}), U256::from(99));
    assert_eq!(guest.view(&Ledger::labelCall {}), LABEL);
    assert_eq!(guest.view(&Ledger::keeperCall {}), CALLER);
    assert_eq!(
        guest.view(&Ledger::balancesCall { account: CALLER }),
        U256::from(99)
    );
}

#[test]
fn constructing_leaves_the_contract_and_nothing_of_the_caller() {
    let execution = construct(&guest::ledger(), &arguments(1));
    assert!(execution.output.is_empty(), "runtime code is never output");
    let mut state = State::new();
    state.apply(&execution.writes);
    let account = state.account(CONTRACT).unwrap();
    assert_eq!(account.nonce, 1);
    let code = state.get(&StateKey::Code(account.code_hash)).unwrap();
    assert_eq!(keccak256(code), account.code_hash);
    assert!(!state.contains(&StateKey::Account(CALLER)));
    let accounts = state
        .iter()
        .filter(|(key, _)| matches!(key, StateKey::Account(_)));
    assert_eq!(accounts.count(), 1);
}

#[test]
fn a_constructor_that_reverts_leaves_nothing_and_says_why() {
    let execution = construct(&guest::ledger(), &arguments(13));
    assert_eq!(execution.halt, Halt::Reverted);
    assert_eq!(
        Revert::abi_decode(&execution.output).unwrap().reason,
        "unlucky"
    );
    assert!(execution.writes.is_empty());
}

#[test]
fn arguments_that_do_not_decode_revert() {
    let execution = construct(&guest::ledger(), &[1; 17]);
    assert_eq!(execution.halt, Halt::Reverted);
    assert!(execution.writes.is_empty());
}

#[test]
fn a_contract_is_not_constructed_over_another() {
    let guest = Guest::new(&guest::ledger(), &arguments(1));
    let execution = evm().construct(&guest.state, &call(&[]), &guest::probe(), &[]);
    assert_eq!(execution.halt, Halt::AddressCollision);
    assert!(execution.writes.is_empty());
}

#[test]
fn code_is_limited_to_the_byte() {
    let big = Call {
        fuel_limit: 20_000_000,
        ..call(&[])
    };
    for (size, halt) in [(24_576, Halt::Succeeded), (24_577, Halt::CodeRefused)] {
        let execution = evm().construct(&State::new(), &big, &returning(size, 0), &[]);
        assert_eq!(execution.halt, halt, "{size}");
        assert_eq!(execution.writes.is_empty(), halt != Halt::Succeeded);
    }
    // Init code counts together with the arguments.
    for (size, halt) in [(49_152, Halt::Succeeded), (49_153, Halt::CodeRefused)] {
        let code = returning(1, 0);
        let init = vec![0; size - code.len()];
        assert_eq!(construct(&code, &init).halt, halt, "{size}");
    }
}

#[test]
fn code_that_starts_with_ef_is_refused() {
    assert_eq!(construct(&returning(1, 0xef), &[]).halt, Halt::CodeRefused);
    assert_eq!(construct(&returning(1, 0xee), &[]).halt, Halt::Succeeded);
}

#[test]
fn a_constructor_that_leaves_no_code_leaves_no_contract() {
    let execution = construct(&[], &[]);
    assert_eq!(execution.halt, Halt::Succeeded);
    let mut state = State::new();
    state.apply(&execution.writes);
    let execution = evm().call(&state, &call(&[]));
    assert_eq!((execution.halt, execution.fuel_used), (Halt::NoContract, 0));
}

#[test]
fn a_static_construction_halts() {
    let call = Call {
        is_static: true,
        ..call(&[])
    };
    let execution = evm().construct(&State::new(), &call, &guest::probe(), &[]);
    assert_eq!(execution.halt, Halt::StaticViolation);
    assert!(execution.writes.is_empty());
}

#[test]
fn another_caller_is_another_keeper() {
    let caller = Address::repeat_byte(0x11);
    let call = Call {
        caller,
        ..call(&[])
    };
    let mut state = State::new();
    let execution = evm().construct(&state, &call, &guest::ledger(), &arguments(1));
    state.apply(&execution.writes);
    assert_eq!(Guest { state }.view(&Ledger::keeperCall {}), caller);
}

#[test]
fn this_build_has_one_engine() {
    assert!(engine(ENGINE_WASM).is_none());
    assert!(engine(0).is_none());
}
