// SPDX-License-Identifier: Apache-2.0
//! Guests that burn all the fuel there is: how long the largest call takes.

use std::collections::BTreeMap;

use alloy_primitives::U256;
use revm::bytecode::opcode::*;
use subrosa_vm::Halt;
use subrosa_vm_evm::EvmEngine;

use crate::{
    guest::{CONTRACT, Code, Guest},
    precompiles,
};

/// How a guest that would never end was ended.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Ended {
    pub(crate) milliseconds: f64,
    pub(crate) work: u64,
    pub(crate) nanoseconds_per_work: f64,
    pub(crate) out_of: &'static str,
}

/// Every guest's fastest execution of `rounds`.
pub(crate) fn measure(engine: &EvmEngine, rounds: usize) -> BTreeMap<String, Ended> {
    let guests = guests();
    let mut ended = BTreeMap::new();
    for _ in 0..rounds {
        for (name, guest) in &guests {
            let before = on_the_processor();
            let (elapsed, execution) = guest.time(engine);
            let nanoseconds = match (before, on_the_processor()) {
                (Some(before), Some(after)) => (after - before) as f64,
                _ => elapsed,
            };
            let out_of = match execution.halt {
                Halt::OutOfWork => "work",
                Halt::OutOfFuel => "fuel",
                // A frame that gave up on a child that ended so.
                Halt::Succeeded | Halt::StackViolation => "fuel, in a frame",
                halt => panic!("{name}: {halt:?}"),
            };
            let now = Ended {
                milliseconds: nanoseconds / 1e6,
                work: execution.work_used,
                nanoseconds_per_work: nanoseconds / execution.work_used as f64,
                out_of,
            };
            let fastest = ended.entry(name.clone()).or_insert_with(|| now.clone());
            if now.milliseconds < fastest.milliseconds {
                *fastest = now;
            }
        }
    }
    ended
}

/// Nanoseconds that this thread has had a processor, where the system says so: these executions are so
/// long that others get in between.
fn on_the_processor() -> Option<u64> {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    statistics.split(' ').next()?.parse().ok()
}

fn guests() -> Vec<(String, Guest)> {
    let endless = |setup: Code, body: &[u8]| {
        let start = setup.0.len();
        let code = setup
            .op(JUMPDEST)
            .ops(body)
            .push(U256::from(start))
            .op(JUMP);
        Guest::new(code.bytes())
    };
    let copied = || Code::default().ops(&[CALLDATASIZE, PUSH0, PUSH0, CALLDATACOPY]);
    let size = |bytes: usize| Code::default().push(U256::from(bytes));
    let itself = Code::default()
        .ops(&[PUSH0, PUSH0, PUSH0, PUSH0])
        .push(U256::from_be_slice(CONTRACT.as_slice()))
        .ops(&[GAS, STATICCALL, POP])
        .bytes();
    let slot = [DUP1, DUP1, SSTORE, PUSH1, 1, ADD];
    let one = || Code::default().push(U256::from(1));
    let mut guests = vec![
        (
            "a loop of nothing".to_owned(),
            endless(Code::default(), &[JUMPDEST; 64]),
        ),
        (
            "divisions".to_owned(),
            endless(
                Code::default().push(U256::MAX >> 128).push(U256::MAX),
                &[DUP2, DUP2, MOD, POP].repeat(64),
            ),
        ),
        (
            "multiplications by a modulus".to_owned(),
            endless(
                Code::default().push(U256::MAX >> 8).push(U256::MAX),
                &[DUP2, DUP2, DUP2, MULMOD, POP].repeat(64),
            ),
        ),
        (
            "keccak of 1 MiB".to_owned(),
            endless(
                Code::default(),
                &size(1 << 20).ops(&[PUSH0, KECCAK256, POP]).bytes(),
            ),
        ),
        (
            "copies of 1 MiB".to_owned(),
            endless(
                Code::default(),
                &size(1 << 20).ops(&[PUSH0, PUSH1, 32, MCOPY]).bytes(),
            ),
        ),
        (
            "memory in a frame after another".to_owned(),
            Guest::new(
                // Grows if it was called with input, else calls itself with some.
                Code::default()
                    .ops(&[CALLDATASIZE, PUSH1, 34, JUMPI])
                    .ops(&[JUMPDEST, PUSH0, PUSH0, PUSH1, 32, PUSH0])
                    .ops(&[
                        ADDRESS, PUSH3, 0x0f, 0x00, 0x00, STATICCALL, POP, PUSH1, 4, JUMP,
                    ])
                    .repeat(&[JUMPDEST], 34 - 20)
                    .ops(&[JUMPDEST, PUSH1, 1])
                    .push(U256::from(512 << 10))
                    .ops(&[MSTORE, STOP])
                    .bytes(),
            ),
        ),
        (
            "calls to itself".to_owned(),
            endless(Code::default(), &itself),
        ),
        ("new slots".to_owned(), endless(one(), &slot.repeat(16))),
        (
            "slots read for the first time".to_owned(),
            endless(one(), &[DUP1, SLOAD, POP, PUSH1, 1, ADD].repeat(16)),
        ),
        (
            "transient slots".to_owned(),
            endless(one(), &[DUP1, DUP1, TSTORE, PUSH1, 1, ADD].repeat(16)),
        ),
        (
            "logs of 1 KiB".to_owned(),
            endless(Code::default(), &size(1 << 10).ops(&[PUSH0, LOG0]).bytes()),
        ),
        (
            "creations with 48 KiB of init code".to_owned(),
            endless(copied(), &[CALLDATASIZE, PUSH0, PUSH0, CREATE, POP])
                .with_input([vec![STOP], vec![JUMPDEST; (48 << 10) - 1]].concat()),
        ),
        (
            "creations of nothing".to_owned(),
            endless(Code::default(), &[PUSH0, PUSH0, PUSH0, CREATE, POP]),
        ),
    ];
    for (name, address, input, _) in precompiles::inputs() {
        guests.push((name, precompiles::caller(address, input, 1 << 24)));
    }
    guests
}
