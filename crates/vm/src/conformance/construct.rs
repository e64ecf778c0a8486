// SPDX-License-Identifier: Apache-2.0
//! Constructions: what they leave, and what they must not.

use alloc::{borrow::ToOwned, vec::Vec};

use alloy_primitives::{Address, U256, keccak256};
use alloy_sol_types::{Revert, SolError, SolValue};

use super::{
    guest::{CALLER, CONTRACT, Guest, Ledger, call},
    subject::Subject,
};
use crate::{Call, Execution, Halt, State, StateKey};

const LABEL: &str = "a label that is longer than one word of storage";

fn arguments(initial: u64) -> Vec<u8> {
    (U256::from(initial), LABEL.to_owned()).abi_encode_params()
}

fn construct(subject: &Subject, init: &[u8]) -> Execution {
    subject
        .engine()
        .construct(&State::new(), &call(&[]), &subject.ledger, init)
}

fn construct_guest(subject: &Subject, init: &[u8]) -> Guest {
    Guest::construct(subject.engine(), &subject.ledger, init)
}

pub fn a_constructor_sees_its_arguments_and_its_caller(subject: &Subject) {
    let guest = construct_guest(subject, &arguments(99));
    assert_eq!(guest.view(&Ledger::totalCall {}), U256::from(99));
    assert_eq!(guest.view(&Ledger::labelCall {}), LABEL);
    assert_eq!(guest.view(&Ledger::keeperCall {}), CALLER);
    assert_eq!(
        guest.view(&Ledger::balancesCall { account: CALLER }),
        U256::from(99)
    );
}

pub fn constructing_leaves_the_contract_and_nothing_of_the_caller(subject: &Subject) {
    let execution = construct(subject, &arguments(1));
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

pub fn a_constructor_that_reverts_leaves_nothing_and_says_why(subject: &Subject) {
    let execution = construct(subject, &arguments(13));
    assert_eq!(execution.halt, Halt::Reverted);
    assert_eq!(
        Revert::abi_decode(&execution.output).unwrap().reason,
        "unlucky"
    );
    assert!(execution.writes.is_empty());
}

pub fn arguments_that_do_not_decode_revert(subject: &Subject) {
    let execution = construct(subject, &[1; 17]);
    assert_eq!(execution.halt, Halt::Reverted);
    assert!(execution.writes.is_empty());
}

pub fn a_contract_is_not_constructed_over_another(subject: &Subject) {
    let guest = construct_guest(subject, &arguments(1));
    let execution = subject
        .engine()
        .construct(&guest.state, &call(&[]), &subject.probe, &[]);
    assert_eq!(execution.halt, Halt::AddressCollision);
    assert!(execution.writes.is_empty());
}

pub fn a_static_construction_halts(subject: &Subject) {
    let call = Call {
        is_static: true,
        ..call(&[])
    };
    let execution = subject
        .engine()
        .construct(&State::new(), &call, &subject.probe, &[]);
    assert_eq!(execution.halt, Halt::StaticViolation);
    assert!(execution.writes.is_empty());
}

pub fn another_caller_is_another_keeper(subject: &Subject) {
    let caller = Address::repeat_byte(0x11);
    let call = Call {
        caller,
        ..call(&[])
    };
    let mut state = State::new();
    let execution = subject
        .engine()
        .construct(&state, &call, &subject.ledger, &arguments(1));
    state.apply(&execution.writes);
    assert_eq!(
        Guest {
            vm: subject.engine(),
            state,
        }
        .view(&Ledger::keeperCall {}),
        caller
    );
}
