// SPDX-License-Identifier: Apache-2.0
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::{Revert, SolError, SolValue};
use proptest::prelude::*;
use subrosa_vm::{
    AccountRecord, Call, Execution, Halt, State, StateKey,
    conformance::{CONTRACT, Guest, call},
};

use crate::guest::{self, Factory, Heir, evm};

/// A factory with two children, holding 3 and 4.
fn factory() -> Guest {
    let mut guest = guest::construct(&guest::factory(), &[]);
    for value in [3, 4] {
        guest.run(&Factory::createCall {
            value: U256::from(value),
        });
    }
    guest
}

fn child(guest: &Guest, index: u64) -> Address {
    guest.view(&Heir::childrenCall {
        index: U256::from(index),
    })
}

fn upgrade(state: &State, code: &[u8], init: &[u8]) -> Execution {
    evm().upgrade(state, &call(&[]), code, init)
}

fn word(value: u64) -> Vec<u8> {
    U256::from(value).abi_encode()
}

/// Init code that returns `runtime`.
fn installing(runtime: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(runtime.len()).unwrap().to_be_bytes();
    // codecopy(0, 13, size); return(0, size)
    let mut code = vec![0x61, high, low, 0x60, 13, 0x5f, 0x39, 0x61, high, low];
    code.extend([0x5f, 0xf3, 0x00]);
    code.extend_from_slice(runtime);
    code
}

/// Init code that returns `size` bytes of which the first is `first`.
fn returning(size: u32, first: u8) -> Vec<u8> {
    let [_, a, b, c] = size.to_be_bytes();
    vec![0x60, first, 0x5f, 0x53, 0x62, a, b, c, 0x5f, 0xf3]
}

fn code_hash(state: &State) -> B256 {
    state.account(CONTRACT).unwrap().code_hash
}

#[test]
fn the_new_constructor_works_on_what_is_stored_and_children_stay() {
    let mut guest = factory();
    let (first, second) = (child(&guest, 0), child(&guest, 1));
    let old_code = code_hash(&guest.state);
    let execution = upgrade(&guest.state, &guest::heir(), &word(5));
    assert_eq!(execution.halt, Halt::Succeeded);
    assert!(execution.output.is_empty(), "runtime code is never output");
    guest.state.apply(&execution.writes);

    assert_eq!(guest.view(&Heir::inheritedCall {}), U256::from(2));
    assert_eq!((child(&guest, 0), child(&guest, 1)), (first, second));
    // The first child was incremented by the constructor.
    assert_eq!(guest.view(&Heir::sumCall {}), U256::from(4 + 4 + 5));
    // Nonces 1 and 2 made the first two children.
    assert_eq!(child(&guest, 2), CONTRACT.create(3));
    assert_eq!(guest.state.account(CONTRACT).unwrap().nonce, 4);
    assert_ne!(code_hash(&guest.state), old_code);
    assert!(!guest.state.contains(&StateKey::Code(old_code)));
}

#[test]
fn while_the_constructor_runs_the_account_has_no_code() {
    let mut guest = factory();
    let execution = upgrade(&guest.state, &guest::heir(), &word(5));
    guest.state.apply(&execution.writes);
    assert_eq!(guest.view(&Heir::codeInsideCall {}), U256::ZERO);
    assert!(!guest.view(&Heir::calledItselfCall {}));
}

#[test]
fn an_upgrade_that_fails_changes_nothing() {
    let guest = factory();
    let reverted = upgrade(&guest.state, &guest::heir(), &word(13));
    assert_eq!(reverted.halt, Halt::Reverted);
    let reason = Revert::abi_decode(&reverted.output).unwrap().reason;
    assert_eq!(reason, "unlucky");

    let plenty = Call {
        fuel_limit: 20_000_000,
        ..call(&[])
    };
    let on_plenty = |code: &[u8]| evm().upgrade(&guest.state, &plenty, code, &[]);
    let too_long = vec![0; 49_153];
    let cases = [
        (reverted, Halt::Reverted),
        (on_plenty(&returning(24_577, 0)), Halt::CodeRefused),
        (on_plenty(&returning(1, 0xef)), Halt::CodeRefused),
        (on_plenty(&too_long), Halt::CodeRefused),
        (on_plenty(&[0x5b, 0x5f, 0x56]), Halt::OutOfFuel),
        (on_plenty(&[0xfe]), Halt::InvalidInstruction),
    ];
    for (execution, halt) in cases {
        assert_eq!(execution.halt, halt);
        assert!(execution.writes.is_empty(), "{halt:?}");
        if halt != Halt::Reverted {
            assert_eq!(execution.fuel_used.max(10_000_000), 20_000_000, "{halt:?}");
            assert!(execution.output.is_empty());
        }
    }
    assert_eq!(on_plenty(&returning(24_576, 0)).halt, Halt::Succeeded);
}

#[test]
fn an_upgrade_costs_what_a_creation_costs_to_the_unit() {
    let guest = factory();
    let code = installing(&[0x5b; 300]);
    let used = upgrade(&guest.state, &code, &[]).fuel_used;
    let with = |fuel_limit| {
        let call = Call {
            fuel_limit,
            ..call(&[])
        };
        evm().upgrade(&guest.state, &call, &code, &[])
    };
    assert_eq!(with(used).halt, Halt::Succeeded);
    let short = with(used - 1);
    assert_eq!((short.halt, short.fuel_used), (Halt::OutOfFuel, used - 1));
    assert!(short.writes.is_empty());
    // Less than it takes to start.
    assert_eq!(with(53_000).halt, Halt::OutOfFuel);
}

#[test]
fn code_that_another_account_has_stays() {
    let mut guest = factory();
    let shared = AccountRecord {
        nonce: 1,
        code_hash: code_hash(&guest.state),
    };
    let other = StateKey::Account(Address::repeat_byte(0x44));
    guest.state.insert(other, shared.encode()).unwrap();
    let execution = upgrade(&guest.state, &guest::heir(), &word(5));
    assert_eq!(execution.halt, Halt::Succeeded);
    guest.state.apply(&execution.writes);
    assert!(guest.state.contains(&StateKey::Code(shared.code_hash)));
}

#[test]
fn code_that_the_upgrade_gives_to_a_child_stays() {
    let small = returning(1, 0);
    let mut guest = guest::construct(&small, &[]);
    let old_code = code_hash(&guest.state);
    // mstore(0, small); create(0, 22, 10); return one byte, 0x01
    let mut code = vec![0x69];
    code.extend_from_slice(&small);
    code.extend([0x5f, 0x52, 0x60, 10, 0x60, 22, 0x5f, 0xf0, 0x50]);
    code.extend(returning(1, 1));
    let execution = upgrade(&guest.state, &code, &[]);
    assert_eq!(execution.halt, Halt::Succeeded);
    guest.state.apply(&execution.writes);
    assert_ne!(code_hash(&guest.state), old_code);
    let child = guest.state.account(CONTRACT.create(1)).unwrap();
    assert_eq!(child.code_hash, old_code);
    assert!(guest.state.contains(&StateKey::Code(old_code)));
}

#[test]
fn the_same_code_again_changes_what_the_constructor_changes() {
    let guest = factory();
    let execution = upgrade(&guest.state, &guest::factory(), &[]);
    assert_eq!(execution.halt, Halt::Succeeded);
    assert!(execution.writes.is_empty());
}

#[test]
fn a_constructor_that_destroys_itself_takes_the_code_and_nothing_else() {
    let mut guest = factory();
    let nonce = guest.state.account(CONTRACT).unwrap().nonce;
    let storage = |state: &State| {
        let of_storage = |key: &StateKey| matches!(key, StateKey::Storage { .. });
        state.iter().filter(|(key, _)| of_storage(key)).count()
    };
    let before = storage(&guest.state);
    let execution = upgrade(&guest.state, &[0x5f, 0xff], &[]);
    assert_eq!(execution.halt, Halt::Succeeded);
    guest.state.apply(&execution.writes);
    let account = guest.state.account(CONTRACT).unwrap();
    assert!(!account.has_code());
    assert_eq!((account.nonce, storage(&guest.state)), (nonce, before));
    let after = guest.execute(&Factory::incrementAllCall {});
    assert_eq!(after.halt, Halt::NoContract);
}

#[test]
fn the_state_limit_holds_and_counts_the_code_that_goes() {
    let limit = subrosa_vm::RUNTIME.limits.max_state;
    let old = installing(&[0x5b; 1_000]);
    let mut guest = guest::construct(&old, &[]);
    let room = limit - guest.state.encoded_size() - (33 + 4);
    let filler = vec![0x5b; room];
    guest
        .state
        .insert(StateKey::Code(keccak256(&filler)), filler)
        .unwrap();
    assert_eq!(guest.state.encoded_size(), limit);

    let larger = upgrade(&guest.state, &installing(&[0x5b; 1_001]), &[]);
    assert_eq!(larger.halt, Halt::StateTooLarge);
    assert!(larger.writes.is_empty());
    let as_large = upgrade(&guest.state, &installing(&[0x5a; 1_000]), &[]);
    assert_eq!(as_large.halt, Halt::Succeeded);
    guest.state.apply(&as_large.writes);
    assert_eq!(guest.state.encoded_size(), limit);
}

#[test]
fn a_contract_that_was_never_constructed_gets_its_account() {
    let state = State::new();
    let constructed = evm().construct(&state, &call(&[]), &guest::factory(), &[]);
    assert_eq!(upgrade(&state, &guest::factory(), &[]), constructed);
}

#[test]
fn a_static_upgrade_runs_nothing() {
    let guest = factory();
    let fixed = Call {
        is_static: true,
        ..call(&[])
    };
    let execution = evm().upgrade(&guest.state, &fixed, &guest::heir(), &word(5));
    assert_eq!(execution.halt, Halt::StaticViolation);
    assert!(execution.writes.is_empty());
}

#[test]
fn the_same_upgrade_gives_the_same_bytes() {
    let guest = factory();
    let once = || {
        let execution = upgrade(&guest.state, &guest::heir(), &word(5));
        (execution.fuel_used, execution.writes.encode())
    };
    assert_eq!(once(), once());
}

proptest! {
    /// Code that looks at no storage cannot tell an upgrade from a creation, nor can its fuel.
    #[test]
    fn what_ignores_storage_is_installed_as_by_a_creation(
        runtime in proptest::collection::vec(any::<u8>(), 0..2_000),
        init in proptest::collection::vec(any::<u8>(), 0..200),
        fuel_limit in prop_oneof![Just(10_000_000u64), 50_000u64..600_000],
    ) {
        let code = installing(&runtime);
        let call = Call { fuel_limit, ..call(&[]) };
        let created = evm().construct(&State::new(), &call, &code, &init);
        let mut upgraded = factory().state;
        let execution = evm().upgrade(&upgraded, &call, &code, &init);
        prop_assert_eq!(execution.halt, created.halt);
        prop_assert_eq!(execution.fuel_used, created.fuel_used);
        prop_assert_eq!(execution.writes.is_empty(), created.halt != Halt::Succeeded);
        if created.halt == Halt::Succeeded {
            let mut fresh = State::new();
            fresh.apply(&created.writes);
            upgraded.apply(&execution.writes);
            prop_assert_eq!(code_hash(&upgraded), code_hash(&fresh));
            let code = StateKey::Code(code_hash(&fresh));
            prop_assert_eq!(upgraded.get(&code), fresh.get(&code));
        }
    }
}
