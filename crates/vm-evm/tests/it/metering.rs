// SPDX-License-Identifier: Apache-2.0
//! Fuel decides whether an execution ends, and nothing else.

use alloy_primitives::{Bytes, U256};
use alloy_sol_types::{SolCall, SolValue};
use proptest::prelude::*;
use subrosa_vm::{
    Call, Execution, Halt, State,
    conformance::{CALLER, Guest, Ledger, Probe, call},
};

use crate::guest::{self, Factory, evm};

/// Executions of one call under each of `limits`, ascending. Once one succeeds, all later ones must,
/// with the same result; before that, none has an effect. Returns the least limit that succeeds.
fn threshold(
    limits: impl IntoIterator<Item = u64>,
    execute: impl Fn(u64) -> Execution,
) -> Option<u64> {
    let mut success: Option<(u64, Execution)> = None;
    for limit in limits {
        let execution = execute(limit);
        assert!(execution.fuel_used <= limit);
        match &success {
            Some((_, first)) => assert_eq!(execution, *first, "limit {limit}"),
            None if execution.halt == Halt::Succeeded => success = Some((limit, execution)),
            None => {
                assert!(matches!(execution.halt, Halt::OutOfFuel | Halt::Reverted));
                assert!(execution.writes.is_empty());
            }
        }
    }
    success.map(|(limit, _)| limit)
}

fn ledger() -> Guest {
    let arguments = (U256::from(5), String::new()).abi_encode_params();
    guest::construct(&guest::ledger(), &arguments)
}

fn under<'a>(state: &'a State, input: &'a [u8]) -> impl Fn(u64) -> Execution + 'a {
    move |fuel_limit| {
        evm().call(
            state,
            &Call {
                fuel_limit,
                ..call(input)
            },
        )
    }
}

#[test]
fn a_small_call_is_metered_to_the_unit() {
    let guest = ledger();
    let input = Ledger::setCall {
        value: U256::from(6),
    }
    .abi_encode();
    let execute = under(&guest.state, &input);
    let used = execute(1_000_000).fuel_used;
    let least = threshold(0..used + 3_000, &execute).unwrap();
    // An SSTORE wants 2,300 left (EIP-2200), so the least limit may be above what is used.
    assert!(least >= used && least < used + 2_400, "{least} {used}");
    assert_eq!(execute(least - 1).halt, Halt::OutOfFuel);
    assert_eq!(execute(least - 1).fuel_used, least - 1);
}

#[test]
fn a_refund_does_not_lower_the_limit_a_call_needs() {
    let guest = ledger();
    let input = Ledger::setCall { value: U256::ZERO }.abi_encode();
    let execute = under(&guest.state, &input);
    let used = execute(1_000_000).fuel_used;
    let least = threshold(20_000..40_000, &execute).unwrap();
    assert!(least > used + 3_000, "{least} {used}");
}

#[test]
fn a_long_call_is_monotonic_in_its_limit() {
    let guest = ledger();
    let input = Ledger::churnCall {
        rounds: U256::from(50),
    }
    .abi_encode();
    let execute = under(&guest.state, &input);
    let used = execute(10_000_000).fuel_used;
    assert!(threshold((0..used + 50_000).step_by(997), &execute).is_some());
}

#[test]
fn nested_creation_and_calls_are_monotonic_in_the_limit() {
    let mut guest = guest::construct(&guest::factory(), &[]);
    for value in 0..3u64 {
        guest.run(&Factory::createCall {
            value: U256::from(value),
        });
    }
    for input in [
        Factory::createCall { value: U256::ONE }.abi_encode(),
        Factory::incrementAllCall {}.abi_encode(),
        Factory::mayflyCall {}.abi_encode(),
    ] {
        let execute = under(&guest.state, &input);
        let used = execute(10_000_000).fuel_used;
        assert!(threshold((0..used + 50_000).step_by(331), &execute).is_some());
    }
}

#[test]
fn host_calls_are_monotonic_in_the_limit() {
    let guest = guest::construct(&guest::probe(), &[]);
    let random = Probe::randomCall {
        n: U256::from(100),
        personalization: Bytes::from("p"),
    };
    for input in [random.abi_encode(), Probe::invocationCall {}.abi_encode()] {
        let execute = under(&guest.state, &input);
        let used = execute(10_000_000).fuel_used;
        assert!(threshold((0..used + 5_000).step_by(37), &execute).is_some());
    }
}

#[test]
fn a_construction_is_monotonic_in_its_limit() {
    let state = State::new();
    let (code, init) = (
        guest::ledger(),
        (U256::from(5), "x".to_owned()).abi_encode_params(),
    );
    let execute = |fuel_limit| {
        evm().construct(
            &state,
            &Call {
                fuel_limit,
                ..call(&[])
            },
            &code,
            &init,
        )
    };
    let used = execute(10_000_000).fuel_used;
    assert!(threshold((0..used + 20_000).step_by(499), execute).is_some());
}

#[test]
fn input_is_paid_for_at_the_floor_price() {
    // Ten per zero byte and forty per other byte (EIP-7623), for a call that does next to nothing.
    let guest = guest::construct(&guest::factory(), &[]);
    let mut input = Factory::childrenCall { index: U256::ZERO }.abi_encode();
    input.resize(10_000, 1);
    let nonzero = input.iter().filter(|byte| **byte != 0).count() as u64;
    let floor = 21_000 + 10 * (input.len() as u64 - nonzero) + 40 * nonzero;
    let execute = under(&guest.state, &input);
    let below = execute(floor - 1);
    assert_eq!((below.halt, below.fuel_used), (Halt::OutOfFuel, floor - 1));
    let at = execute(floor);
    assert_eq!((at.halt, at.fuel_used), (Halt::Reverted, floor));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn more_fuel_never_changes_a_success(rounds in 0u64..40, mut limits in proptest::collection::vec(21_000u64..2_000_000, 2..6)) {
        let guest = ledger();
        let input = Ledger::churnCall { rounds: U256::from(rounds) }.abi_encode();
        limits.sort_unstable();
        threshold(limits, under(&guest.state, &input));
    }

    #[test]
    fn arbitrary_code_ends_in_a_verdict(code in proptest::collection::vec(any::<u8>(), 0..200), input in proptest::collection::vec(any::<u8>(), 0..64)) {
        let state = State::new();
        let fuel_limit = 300_000;
        let execution = evm().construct(&state, &Call { fuel_limit, ..call(&[]) }, &code, &input);
        prop_assert!(execution.fuel_used <= fuel_limit);
        prop_assert!(execution.halt == Halt::Succeeded || execution.writes.is_empty());
        prop_assert!(execution.writes.get(&subrosa_vm::StateKey::Account(CALLER)).is_none());
    }
}
