// SPDX-License-Identifier: Apache-2.0
//! Guests that would take the machine all day end within their limits, at work that they cannot hide.
//!
//! How long they take is what the benchmark `work` measures.

use alloy_primitives::{Address, U256, keccak256};
use revm::bytecode::opcode::*;
use subrosa_vm::{
    AccountRecord, Call, Execution, Halt, RUNTIME, State, StateKey,
    conformance::{CONTRACT, call},
};

use crate::guest::evm;

/// Executes `code` with so much fuel.
pub(crate) fn run(code: &[u8], input: &[u8], fuel_limit: u64) -> Execution {
    let mut state = State::new();
    let record = AccountRecord {
        nonce: 1,
        code_hash: keccak256(code),
    };
    state
        .insert(StateKey::Code(record.code_hash), code.to_vec())
        .unwrap();
    state
        .insert(StateKey::Account(CONTRACT), record.encode().to_vec())
        .unwrap();
    evm().call(
        &state,
        &Call {
            fuel_limit,
            ..call(input)
        },
    )
}

/// `setup`, and then `body` for ever.
fn endless(setup: &[u8], body: &[u8]) -> Vec<u8> {
    let start = u8::try_from(setup.len()).unwrap();
    [setup, &[JUMPDEST], body, &[PUSH1, start, JUMP]].concat()
}

/// Copies the input to memory, then calls a precompiled contract with it for ever.
fn precompile(number: u8) -> Vec<u8> {
    endless(
        &[CALLDATASIZE, PUSH0, PUSH0, CALLDATACOPY],
        &[
            PUSH0,
            PUSH0,
            CALLDATASIZE,
            PUSH0,
            PUSH1,
            number,
            GAS,
            STATICCALL,
            POP,
        ],
    )
}

const FUEL: u64 = 2_000_000;

fn limit() -> u64 {
    RUNTIME.limits.work_limit(FUEL)
}

/// The most that one instruction can add to a limit that is all but used with [`FUEL`]: memory that
/// grows as far as the fuel for it goes, and is hashed.
const ONE_INSTRUCTION: u64 = 5_000_000;

#[track_caller]
fn ends_out_of(halt: Halt, code: &[u8], input: &[u8]) {
    let execution = run(code, input, FUEL);
    assert_eq!(execution.halt, halt);
    assert_eq!(execution.fuel_used, FUEL);
    assert!(execution.output.is_empty() && execution.writes.is_empty());
    let used = execution.work_used;
    assert!(used <= limit() + ONE_INSTRUCTION, "{used}");
    if halt == Halt::OutOfWork {
        assert!(used > limit(), "{used}");
    }
    assert_eq!(run(code, input, FUEL), execution);
}

#[test]
fn recovering_signatures() {
    let input = hex::decode(concat!(
        "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c",
        "000000000000000000000000000000000000000000000000000000000000001c",
        "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f",
        "eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549",
    ))
    .unwrap();
    ends_out_of(Halt::OutOfWork, &precompile(1), &input);
}

#[test]
fn powers_of_long_numbers() {
    // The base, exponent and modulus that take longest for their fuel.
    for (base, exponent, modulus) in [(32, 32, 32), (256, 8, 256), (1_024, 1, 1_024)] {
        let word = |size: usize| U256::from(size).to_be_bytes_vec();
        let numbers = vec![0xfb; base + exponent + modulus];
        let input = [word(base), word(exponent), word(modulus), numbers].concat();
        let execution = run(&precompile(5), &input, FUEL);
        assert!(matches!(execution.halt, Halt::OutOfWork | Halt::OutOfFuel));
        // A fifth of the limit at least: what fuel pays for here takes time.
        assert!(execution.work_used > limit() / 5, "{}", execution.work_used);
        assert!(execution.work_used <= limit() + ONE_INSTRUCTION);
    }
}

#[test]
fn pairings() {
    let pair = hex::decode(concat!(
        "0000000000000000000000000000000000000000000000000000000000000001",
        "0000000000000000000000000000000000000000000000000000000000000002",
        "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2",
        "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed",
        "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b",
        "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa",
    ))
    .unwrap();
    ends_out_of(Halt::OutOfWork, &precompile(8), &pair.repeat(2));
}

#[test]
fn hashes_of_large_memory() {
    let body = [PUSH3, 1, 0, 0, PUSH0, KECCAK256, POP];
    ends_out_of(Halt::OutOfWork, &endless(&[], &body), &[]);
}

#[test]
fn creations_with_the_longest_init_code() {
    // All of it is looked through for jump destinations, none of it is run.
    let mut input = vec![JUMPDEST; RUNTIME.limits.max_init_code];
    input[0] = STOP;
    let setup = [CALLDATASIZE, PUSH0, PUSH0, CALLDATACOPY];
    let body = [CALLDATASIZE, PUSH0, PUSH0, CREATE, POP];
    let creating = |size: usize| {
        let execution = run(&endless(&setup, &body), &input[..size], 50_000_000);
        assert_eq!(execution.halt, Halt::OutOfFuel);
        execution.work_used
    };
    // As much init code costs little more fuel, and much more work.
    assert!(creating(input.len()) > 10 * creating(1_000));
}

#[test]
fn frames_within_frames() {
    let [a, b @ ..] = CONTRACT.into_array();
    let mut body = vec![PUSH0, PUSH0, PUSH0, PUSH0, PUSH20, a];
    body.extend(b);
    body.extend([GAS, STATICCALL, POP]);
    let execution = run(&endless(&[], &body), &[], FUEL);
    // The outermost frame has a 64th left when the others have ended, and runs out of it.
    assert_eq!(execution.halt, Halt::OutOfFuel);
    assert!(execution.work_used > 100_000 && execution.work_used <= limit());
}

#[test]
fn memory_that_grows_in_one_frame_after_another() {
    // Called with input, it takes 64 KiB; without, it calls itself with input for ever.
    let mut code = vec![CALLDATASIZE, PUSH1, 46, JUMPI, JUMPDEST];
    code.extend([
        PUSH0, PUSH0, PUSH1, 1, PUSH0, ADDRESS, PUSH2, 0xff, 0xff, STATICCALL,
    ]);
    code.extend([POP, PUSH1, 4, JUMP]);
    code.resize(46, JUMPDEST);
    code.extend([JUMPDEST, PUSH1, 1, PUSH3, 1, 0, 0, MSTORE, STOP]);
    let grown = run(&code, &[], FUEL);
    assert_eq!(grown.halt, Halt::OutOfFuel);
    // The same, but that the frames grow no memory: far more of them, each less work.
    let mut small = code.clone();
    small[51] = 0;
    let small = run(&small, &[], FUEL);
    assert_eq!(small.halt, Halt::OutOfFuel);
    assert!(grown.work_used > 64 * 100 * 10, "{}", grown.work_used);
    assert!(grown.work_used <= limit() && small.work_used <= limit());
}

#[test]
fn copies_of_what_a_call_returned() {
    // The identity returns 64 KiB once; copying them costs less fuel than it takes time.
    let size = [PUSH3, 1, 0, 0];
    let mut setup = vec![PUSH0, PUSH0];
    setup.extend(size);
    setup.extend([PUSH0, PUSH1, 4, GAS, STATICCALL, POP]);
    let body = [&size[..], &[PUSH0, PUSH0, RETURNDATACOPY]].concat();
    let long = run(&endless(&setup, &body), &[], FUEL);
    assert_eq!(long.halt, Halt::OutOfFuel);
    let rounds = FUEL / (3 * 2_048 + 20);
    assert!(long.work_used > rounds / 2 * 64 * 20, "{}", long.work_used);
    assert!(long.work_used <= limit());
}

#[test]
fn an_absurd_size_in_a_frame_ends_that_frame_only() {
    let child = Address::from(keccak256(b"nobody").0.first_chunk::<20>().unwrap());
    assert_ne!(child, CONTRACT);
    // Called with input, it asks for the hash of everything; without, it calls itself and answers
    // whether that went well.
    for absurd in [
        vec![PUSH0, NOT, PUSH0, KECCAK256],
        vec![PUSH0, NOT, PUSH0, PUSH0, CALLDATACOPY],
        vec![PUSH0, NOT, PUSH0, RETURN],
        vec![PUSH0, NOT, PUSH0, LOG0],
        vec![PUSH1, 1, PUSH5, 1, 0, 0, 0, 0, MSTORE],
    ] {
        let mut code = vec![CALLDATASIZE, PUSH1, 40, JUMPI];
        code.extend([
            PUSH0, PUSH0, PUSH1, 1, PUSH0, PUSH0, ADDRESS, PUSH3, 1, 0, 0, CALL,
        ]);
        code.extend([PUSH0, MSTORE, PUSH1, 32, PUSH0, RETURN]);
        code.resize(40, INVALID);
        code.push(JUMPDEST);
        code.extend(absurd);
        let execution = run(&code, &[], FUEL);
        assert_eq!(execution.halt, Halt::Succeeded);
        assert_eq!(execution.output, U256::ZERO.to_be_bytes_vec());
        assert!(execution.work_used < 100_000, "{}", execution.work_used);
    }
}

#[test]
fn a_precompiled_contract_without_the_fuel_for_its_input_is_little_work() {
    // Pairs by the thousand, BLAKE2's rounds by the billion: neither is begun with 50,000 fuel.
    let mut rounds = vec![0xff; 4];
    rounds.extend([0; 208]);
    rounds.push(1);
    for (number, input) in [(8, vec![0; 192 * 200]), (9, rounds)] {
        let mut code = vec![CALLDATASIZE, PUSH0, PUSH0, CALLDATACOPY];
        code.extend([PUSH0, PUSH0, CALLDATASIZE, PUSH0, PUSH1, number]);
        code.extend([PUSH2, 0xc3, 0x50, STATICCALL]);
        code.extend([PUSH0, MSTORE, PUSH1, 32, PUSH0, RETURN]);
        let execution = run(&code, &input, FUEL);
        assert_eq!(execution.halt, Halt::Succeeded, "{number}");
        assert_eq!(execution.output, U256::ZERO.to_be_bytes_vec());
        assert!(execution.work_used < limit());
    }
}
