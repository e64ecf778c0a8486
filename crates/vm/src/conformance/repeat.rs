// SPDX-License-Identifier: Apache-2.0
//! Whoever executes the same calls on the same state gets the same bytes.

use alloc::vec::Vec;

use alloy_primitives::{Bytes, U256};
use alloy_sol_types::{SolCall, SolValue};

use super::{
    guest::{Ledger, Probe, call},
    subject::Subject,
};
use crate::{Execution, Halt, State, Vm};

/// Everything that constructing and then calling a few times yields, and its writes as bytes.
pub fn history(subject: &Subject, engine: &dyn Vm) -> Vec<(Execution, Vec<u8>)> {
    let mut history = Vec::new();
    let mut step = |state: &mut State, execution: Execution| {
        assert_eq!(execution.halt, Halt::Succeeded);
        state.apply(&execution.writes);
        let encoded = execution.writes.encode();
        history.push((execution, encoded));
    };
    let mut state = State::new();
    let arguments = (U256::from(1), Bytes::from("x")).abi_encode_params();
    let execution = engine.construct(&state, &call(&[]), &subject.ledger, &arguments);
    step(&mut state, execution);
    for rounds in [3, 5, 3] {
        let input = Ledger::churnCall {
            rounds: U256::from(rounds),
        };
        let execution = engine.call(&state, &call(&input.abi_encode()));
        step(&mut state, execution);
    }
    let mut state = State::new();
    let execution = engine.construct(&state, &call(&[]), &subject.probe, &[]);
    step(&mut state, execution);
    let input = Probe::randomCall {
        n: U256::from(32),
        personalization: Bytes::new(),
    };
    let execution = engine.call(&state, &call(&input.abi_encode()));
    step(&mut state, execution);
    history
}

pub fn two_engines_and_a_used_one_agree(subject: &Subject) {
    let engine = subject.engine();
    let first = history(subject, engine.as_ref());
    assert_eq!(first, history(subject, engine.as_ref()));
    assert_eq!(first, history(subject, subject.engine().as_ref()));
}
