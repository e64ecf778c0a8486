// SPDX-License-Identifier: Apache-2.0
use alloy_primitives::{Address, U256, keccak256};
use alloy_sol_types::{SolCall, SolValue};
use subrosa_vm::{Call, Execution, Halt, StateKey, limits};

use crate::guest::{self, Guest, Ledger, Probe, call, evm};

fn table() -> &'static limits::Limits {
    limits::of(subrosa_vm::RUNTIME_GENERATION).unwrap()
}

fn ledger() -> Guest {
    let arguments = (U256::from(1), String::new()).abi_encode_params();
    Guest::new(&guest::ledger(), &arguments)
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
fn an_endless_loop_ends_with_the_most_fuel_there_is() {
    let execution = unlimited(&ledger(), &Ledger::spinCall {});
    assert_eq!(execution.halt, Halt::OutOfFuel);
    assert_eq!(execution.fuel_used, table().max_fuel);
    assert!(execution.writes.is_empty());
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
    let guest = Guest::new(&guest::probe(), &[]);
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
    let guest = Guest::new(&guest::probe(), &[]);
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

#[test]
fn output_is_limited_to_the_byte() {
    let guest = Guest::new(&guest::probe(), &[]);
    let most = table().max_output;
    for (n, too_large) in [(most, false), (most + 1, true)] {
        let returned = guest.execute(&Probe::returnBytesCall { n: U256::from(n) });
        let reverted = guest.execute(&Probe::revertBytesCall { n: U256::from(n) });
        for (execution, halt) in [(returned, Halt::Succeeded), (reverted, Halt::Reverted)] {
            if too_large {
                assert_eq!(execution.halt, Halt::OutputTooLarge);
                assert!(execution.output.is_empty() && execution.writes.is_empty());
            } else {
                assert_eq!((execution.halt, execution.output.len()), (halt, n));
            }
        }
    }
}

#[test]
fn a_state_does_not_grow_beyond_its_limit_but_may_shrink() {
    let mut guest = ledger();
    // One entry that leaves room for exactly one more storage slot.
    let slot = 53 + 4 + 32;
    let room = table().max_state - guest.state.encoded_size() - (33 + 4) - slot;
    let filler = vec![0x5b; room];
    guest
        .state
        .insert(StateKey::Code(keccak256(&filler)), filler)
        .unwrap();

    // Moving the whole balance frees one slot and takes three.
    let give = Ledger::giveCall {
        to: Address::repeat_byte(1),
        amount: U256::ONE,
    };
    let two_slots = guest.execute(&give);
    assert_eq!(two_slots.halt, Halt::StateTooLarge);
    assert!(two_slots.writes.is_empty() && two_slots.output.is_empty());

    let smaller = guest.execute(&Ledger::setCall { value: U256::ZERO });
    assert_eq!((smaller.halt, smaller.writes.len()), (Halt::Succeeded, 1));
    // With that slot free there is room for the two, and then none.
    guest.state.apply(&smaller.writes);
    guest.run(&give);
    assert_eq!(guest.state.encoded_size(), table().max_state);
}
