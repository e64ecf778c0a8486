// SPDX-License-Identifier: Apache-2.0
use subrosa_vm::{Call, Execution, Halt, State, conformance::call};

use crate::guest::evm;

fn construct(code: &[u8], init: &[u8]) -> Execution {
    evm().construct(&State::new(), &call(&[]), code, init)
}

/// Init code that returns `size` bytes of which the first is `first`.
fn returning(size: u32, first: u8) -> Vec<u8> {
    let [_, a, b, c] = size.to_be_bytes();
    vec![0x60, first, 0x5f, 0x53, 0x62, a, b, c, 0x5f, 0xf3]
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
