// SPDX-License-Identifier: Apache-2.0
use alloy_primitives::{Address, B256};
use revm::primitives::{CALL_STACK_LIMIT, eip170, eip3860};

use super::*;
use crate::{RUNTIME_GENERATION, StateKey};

/// Deploys the 62 bytes that follow it.
const DEPLOY: &str = "603e8060095f395ff3";
/// Adds one to slot 0, stores 32 random bytes in slot 1, returns both.
const COUNTER: &str = concat!(
    "5f54600101805f55", // slot 0 += 1
    "5f52",             // memory 0x00: the new count
    "6020602052",       // memory 0x20: 32, the number of bytes
    "6040604052",       // memory 0x40: offset of the personalization, whose length (0x60) is 0
    "602060206060602073",
    "0100000000000000000000000000000000000001",
    "5afa50",       // staticcall with memory 0x20 to 0x80, answer to 0x20
    "602051600155", // slot 1 = memory 0x20
    "60405ff3",
);

fn call() -> Call<'static> {
    Call {
        chain_id: 1,
        contract: Address::repeat_byte(0xc0),
        caller: Address::repeat_byte(0xca),
        context: B256::ZERO,
        contract_id: B256::ZERO,
        seq: 0,
        envelope_id: None,
        block_number: 1,
        block_timestamp: 2,
        runtime_generation: RUNTIME_GENERATION,
        fuel_limit: 1_000_000,
        randomness: B256::repeat_byte(3),
        is_static: false,
        input: &[],
    }
}

/// Encodings of everything that constructing and then calling three times yields.
fn history(engine: &EvmEngine) -> Vec<(Halt, u64, Vec<u8>, Vec<u8>)> {
    let code = hex::decode([DEPLOY, COUNTER].concat()).unwrap();
    let mut state = State::new();
    let mut history = Vec::new();
    let mut step = |state: &mut State, execution: Execution| {
        assert_eq!(execution.halt, Halt::Succeeded);
        state.apply(&execution.writes);
        let Execution {
            halt,
            fuel_used,
            output,
            writes,
        } = execution;
        history.push((halt, fuel_used, output, writes.encode()));
    };
    let execution = engine.construct(&state, &call(), &code, &[]);
    step(&mut state, execution);
    for _ in 0..3 {
        let execution = engine.call(&state, &call());
        step(&mut state, execution);
    }
    let slot = |slot: u8| StateKey::Storage {
        account: call().contract,
        slot: B256::with_last_byte(slot),
    };
    assert_eq!(
        state.get(&slot(0)),
        Some(B256::with_last_byte(3).as_slice())
    );
    assert_eq!(state.get(&slot(1)), Some(&history[1].2[32..]));
    history
}

#[test]
fn two_engines_and_a_used_one_agree() {
    let engine = EvmEngine::default();
    let first = history(&engine);
    assert_eq!(first, history(&engine));
    assert_eq!(first, history(&EvmEngine::default()));
}

#[test]
fn engines_are_shared_between_threads() {
    let engine = EvmEngine::default();
    let expected = history(&engine);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(history(&engine), expected));
        }
    });
}

#[test]
fn the_table_says_what_the_machine_does() {
    let limits = limits::of(RUNTIME_GENERATION).unwrap();
    assert_eq!(u64::from(limits.max_call_depth), CALL_STACK_LIMIT);
    assert_eq!(limits.max_code, eip170::MAX_CODE_SIZE);
    assert_eq!(limits.max_init_code, eip3860::MAX_INITCODE_SIZE);
}
