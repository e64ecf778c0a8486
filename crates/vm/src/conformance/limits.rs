// SPDX-License-Identifier: Apache-2.0
//! The table of limits holds.

use alloc::vec;

use alloy_primitives::{Address, U256, keccak256};
use alloy_sol_types::SolCall;

use super::{
    guest::{Ledger, Probe, call},
    subject::Subject,
};
use crate::{
    Call, Halt, RUNTIME, Runtime, StateKey,
    limits::{GENERATION_1, Limits},
};

fn table() -> &'static Limits {
    RUNTIME.limits
}

pub fn an_endless_loop_ends_with_the_most_fuel_there_is(subject: &Subject) {
    let execution = {
        let guest = subject.ledger(1);
        let input = Ledger::spinCall {}.abi_encode();
        let call = Call {
            fuel_limit: u64::MAX,
            ..call(&input)
        };
        guest.vm.call(&guest.state, &call)
    };
    assert_eq!(execution.halt, Halt::OutOfFuel);
    assert_eq!(execution.fuel_used, table().max_fuel);
    assert!(execution.writes.is_empty());
}

pub fn the_table_that_applies_is_that_of_the_generation_asked_in(subject: &Subject) {
    static NARROW: Limits = Limits {
        max_fuel: 60_000,
        ..GENERATION_1
    };
    let guest = subject.ledger(1);
    let input = Ledger::spinCall {}.abi_encode();
    let call = Call {
        runtime: Runtime {
            generation: RUNTIME.generation + 1,
            limits: &NARROW,
        },
        ..call(&input)
    };
    let execution = guest.vm.call(&guest.state, &call);
    assert_eq!(execution.halt, Halt::OutOfFuel);
    assert_eq!(execution.fuel_used, NARROW.max_fuel);
}

pub fn output_is_limited_to_the_byte(subject: &Subject) {
    let guest = subject.probe();
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

pub fn a_state_does_not_grow_beyond_its_limit_but_may_shrink(subject: &Subject) {
    let mut guest = subject.ledger(1);
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
