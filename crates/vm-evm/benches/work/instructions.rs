// SPDX-License-Identifier: Apache-2.0
//! Every instruction of the hard fork, with operands that take it long.

use alloy_primitives::{Address, B256, U256};
use revm::bytecode::opcode::*;
use subrosa_vm::StateKey;

use crate::{
    case::Case,
    guest::{CONTRACT, Code, Guest},
};

/// A pair of DUP and POP, of which the others subtract.
pub(crate) fn pair() -> Case {
    let body = Code::default().repeat(&[DUP1, POP], UNROLLED).bytes();
    let guest = |body: &[u8]| Guest::new(Code::default().looped(ROUNDS, body).bytes());
    Case::new("DUP1 and POP", UNROLLED * ROUNDS, guest(&body), guest(&[]))
}

pub(crate) fn all() -> Vec<Case> {
    let mut cases = plain();
    cases.extend(sized());
    cases.extend(storage());
    cases.extend(frames());
    cases
}

const UNROLLED: usize = 200;
const ROUNDS: usize = 50;

const MAX: U256 = U256::MAX;
/// Half a word, which makes divisions longest.
const HALF: U256 = U256::from_limbs([u64::MAX, u64::MAX - 4, 0, 0]);
/// Many bits, and not a round number.
const ODD: U256 = U256::from_limbs([0x1234_5678_9abc_def1, 7, u64::MAX / 3, u64::MAX / 5]);

/// Instructions that cost the same whatever their operands are.
fn plain() -> Vec<Case> {
    let small = |value: u64| U256::from(value);
    // Opcode, operands from the top, results.
    let fixed: Vec<(u8, Vec<U256>, usize)> = vec![
        (ADD, vec![MAX, ODD], 1),
        (MUL, vec![MAX, ODD], 1),
        (SUB, vec![MAX, ODD], 1),
        (DIV, vec![MAX, HALF], 1),
        (SDIV, vec![ODD, HALF], 1),
        (MOD, vec![MAX, HALF], 1),
        (SMOD, vec![ODD, HALF], 1),
        (ADDMOD, vec![MAX, ODD, HALF], 1),
        (MULMOD, vec![MAX, ODD, MAX - HALF], 1),
        (SIGNEXTEND, vec![small(3), ODD], 1),
        (LT, vec![ODD, MAX], 1),
        (GT, vec![ODD, MAX], 1),
        (SLT, vec![ODD, MAX], 1),
        (SGT, vec![ODD, MAX], 1),
        (EQ, vec![ODD, ODD], 1),
        (ISZERO, vec![U256::ZERO], 1),
        (AND, vec![ODD, MAX], 1),
        (OR, vec![ODD, MAX], 1),
        (XOR, vec![ODD, MAX], 1),
        (NOT, vec![ODD], 1),
        (BYTE, vec![small(3), ODD], 1),
        (SHL, vec![small(77), ODD], 1),
        (SHR, vec![small(77), ODD], 1),
        (SAR, vec![small(77), ODD], 1),
        (CLZ, vec![small(77)], 1),
        (ADDRESS, vec![], 1),
        (ORIGIN, vec![], 1),
        (CALLER, vec![], 1),
        (CALLVALUE, vec![], 1),
        (CALLDATALOAD, vec![small(3)], 1),
        (CALLDATASIZE, vec![], 1),
        (CODESIZE, vec![], 1),
        (GASPRICE, vec![], 1),
        (RETURNDATASIZE, vec![], 1),
        (BLOCKHASH, vec![small(999)], 1),
        (COINBASE, vec![], 1),
        (TIMESTAMP, vec![], 1),
        (NUMBER, vec![], 1),
        (DIFFICULTY, vec![], 1),
        (GASLIMIT, vec![], 1),
        (CHAINID, vec![], 1),
        (SELFBALANCE, vec![], 1),
        (BASEFEE, vec![], 1),
        (BLOBHASH, vec![small(0)], 1),
        (BLOBBASEFEE, vec![], 1),
        (MLOAD, vec![small(7)], 1),
        (MSTORE, vec![small(7), ODD], 0),
        (MSTORE8, vec![small(7), ODD], 0),
        (PC, vec![], 1),
        (MSIZE, vec![], 1),
        (GAS, vec![], 1),
        (JUMPDEST, vec![], 0),
        (BALANCE, vec![U256::from_be_slice(CONTRACT.as_slice())], 1),
        (
            EXTCODESIZE,
            vec![U256::from_be_slice(CONTRACT.as_slice())],
            1,
        ),
        (
            EXTCODEHASH,
            vec![U256::from_be_slice(CONTRACT.as_slice())],
            1,
        ),
        (SLOAD, vec![small(1)], 1),
        (TLOAD, vec![small(1)], 1),
        (SWAP1, vec![small(1), small(2)], 2),
        (SWAP16, vec![small(1), small(2)], 2),
    ];
    let mut cases: Vec<Case> = fixed
        .into_iter()
        .map(|(opcode, operands, results)| {
            let setup = setup(&operands);
            let with = duplicate(operands.len()).op(opcode).repeat(&[POP], results);
            let without = duplicate(operands.len()).repeat(&[POP], operands.len());
            unrolled(name(opcode), &setup, &with.0, &without.0)
                .plain(operands.len() as f64 - results as f64)
        })
        .collect();
    // Deeper than the operands of one instruction can be set up.
    for opcode in (PUSH0..=PUSH32).chain(DUP1..=DUP16) {
        let mut push = vec![opcode];
        if (PUSH1..=PUSH32).contains(&opcode) {
            push.resize(1 + usize::from(opcode - PUSH0), 0xa5);
        }
        push.push(POP);
        cases.push(unrolled(name(opcode), &sixteen(), &push, &[]).plain(-1.0));
    }
    cases.push(jumps("JUMP", JUMP, &[]).plain(1.0));
    cases.push(jumps("JUMPI", JUMPI, &[PUSH1, 1]).plain(2.0));
    cases
}

fn name(opcode: u8) -> &'static str {
    revm::bytecode::OpCode::name_by_op(opcode)
}

/// Values to swap and duplicate.
fn sixteen() -> Code {
    Code::default().repeat(&[PUSH1, 9], 17)
}

fn setup(operands: &[U256]) -> Code {
    operands
        .iter()
        .fold(sixteen(), |code, value| code.push(*value))
}

/// Puts the operands that [`setup`] left below a counter on top of the stack.
fn duplicate(operands: usize) -> Code {
    (0..operands).fold(Code::default(), |code, index| {
        code.op(DUP2 + 2 * index as u8)
    })
}

fn unrolled(name: impl Into<String>, setup: &Code, with: &[u8], without: &[u8]) -> Case {
    many(name, setup, with, without, UNROLLED, ROUNDS)
}

fn many(
    name: impl Into<String>,
    setup: &Code,
    with: &[u8],
    without: &[u8],
    unrolled: usize,
    rounds: usize,
) -> Case {
    let guest = |body: &[u8]| {
        let body = Code::default().repeat(body, unrolled).bytes();
        Guest::new(setup.clone().looped(rounds, &body).op(STOP).bytes()).with_input(vec![0xa5; 64])
    };
    Case::new(name, unrolled * rounds, guest(with), guest(without))
}

/// Jumps from each to the next, less their destinations and operands.
fn jumps(name: &str, opcode: u8, condition: &[u8]) -> Case {
    let chain = |jumping: bool| {
        let mut code = Code::default().push(U256::from(ROUNDS));
        let start = code.0.len();
        code = code.op(JUMPDEST);
        for _ in 0..UNROLLED {
            let target = code.0.len() + condition.len() + 4;
            let [high, low] = (target as u16).to_be_bytes();
            code = code.ops(condition).ops(&[PUSH2, high, low]);
            code = if jumping {
                code.op(opcode)
            } else {
                code.repeat(&[POP], 1 + condition.len() / 2)
            };
            code = code.op(JUMPDEST);
        }
        code = code
            .push(U256::from(1))
            .ops(&[SWAP1, SUB, DUP1])
            .push(U256::from(start))
            .ops(&[JUMPI, STOP]);
        Guest::new(code.bytes())
    };
    Case::new(name, UNROLLED * ROUNDS, chain(true), chain(false))
}

/// Instructions whose cost depends on a size.
fn sized() -> Vec<Case> {
    let mut cases = Vec::new();
    for bytes in [1, 32] {
        let exponent = (U256::from(1) << (8 * bytes - 1)) | (MAX >> (257 - 8 * bytes));
        cases.push(sized_case("EXP", bytes, EXP, &[ODD, exponent], 1, 0));
    }
    for size in [0, 32, 1 << 10, 64 << 10, 1 << 20] {
        let bytes = U256::from(size);
        let copy = [U256::ZERO, U256::ZERO, bytes];
        cases.push(sized_case(
            "KECCAK256",
            size,
            KECCAK256,
            &[U256::ZERO, bytes],
            1,
            size,
        ));
        cases.push(sized_case(
            "CALLDATACOPY",
            size,
            CALLDATACOPY,
            &copy,
            0,
            size,
        ));
        cases.push(sized_case("CODECOPY", size, CODECOPY, &copy, 0, size));
        let elsewhere = [U256::ZERO, U256::from(size / 2), bytes];
        cases.push(sized_case("MCOPY", size, MCOPY, &elsewhere, 0, size * 2));
        let own = U256::from_be_slice(CONTRACT.as_slice());
        let external = [own, U256::ZERO, U256::ZERO, bytes];
        cases.push(sized_case(
            "EXTCODECOPY",
            size,
            EXTCODECOPY,
            &external,
            0,
            size,
        ));
        cases.push(sized_case(
            "RETURNDATACOPY",
            size,
            RETURNDATACOPY,
            &copy,
            0,
            size,
        ));
        if size > 64 << 10 {
            continue;
        }
        for topics in 0..=4u8 {
            let mut operands = vec![U256::ZERO, bytes];
            operands.resize(2 + usize::from(topics), ODD);
            cases.push(sized_case(
                name(LOG0 + topics),
                size,
                LOG0 + topics,
                &operands,
                0,
                size,
            ));
        }
    }
    for size in [4 << 10, 64 << 10, 1 << 20, 6 << 20] {
        let code = Code::default()
            .push(U256::from(1))
            .push(U256::from(size - 32));
        let with = Guest::new(code.clone().ops(&[MSTORE, STOP]).bytes());
        let without = Guest::new(code.ops(&[POP, POP, STOP]).bytes());
        cases.push(Case::new(
            format!("memory growth, {size}"),
            1,
            with,
            without,
        ));
    }
    for size in [1 << 10, 64 << 10, 1 << 20] {
        let input = |size| Guest::new(vec![STOP]).with_input(vec![0xa5; size]);
        cases.push(Case::new(
            format!("a call with input, {size}"),
            1,
            input(size),
            Guest::empty(),
        ));
    }
    cases
}

fn sized_case(
    name: &str,
    size: usize,
    opcode: u8,
    operands: &[U256],
    results: usize,
    memory: usize,
) -> Case {
    let (unrolled, rounds) = match size {
        0..=32 => (50, 20),
        33..=4096 => (10, 20),
        4097..=100_000 => (5, 10),
        _ => (2, 2),
    };
    // Memory and return data are there before.
    let setup = setup(operands)
        .ops(&[PUSH0, PUSH0])
        .push(U256::from(size))
        .ops(&[PUSH0, PUSH1, 4, GAS, STATICCALL, POP])
        .ops(&[PUSH0])
        .push(U256::from(memory + 64))
        .op(MSTORE)
        .ops(&[PUSH0, MLOAD, POP]);
    let with = duplicate(operands.len()).op(opcode).repeat(&[POP], results);
    let without = duplicate(operands.len()).repeat(&[POP], operands.len());
    many(
        format!("{name}, {size}"),
        &setup,
        &with.0,
        &without.0,
        unrolled,
        rounds,
    )
    .with_pairs(operands.len() as f64 - results as f64)
}

/// Reads and writes of the state, each of another slot or account.
fn storage() -> Vec<Case> {
    let step = [PUSH1, 1, ADD];
    let key = Code::default().op(DUP1).push(ODD).op(MUL).bytes();
    let straight =
        |name: &str, body: &[u8], base: &[u8], times: usize, state: &dyn Fn(Guest) -> Guest| {
            let guest = |body: &[u8]| {
                let body = [body, &step].concat();
                state(Guest::new(
                    Code::default()
                        .push(U256::from(1))
                        .repeat(&body, times)
                        .op(STOP)
                        .bytes(),
                ))
            };
            Case::new(name, times, guest(body), guest(base))
        };
    let read = [&key[..], &[SLOAD, POP]].concat();
    let read_base = [&key[..], &[POP]].concat();
    let write = [&[DUP1], &key[..], &[SSTORE]].concat();
    let write_base = [&[DUP1], &key[..], &[POP, POP]].concat();
    let large = |mut guest: Guest| {
        for index in 0..300_000u64 {
            let key = StateKey::Storage {
                account: CONTRACT,
                slot: B256::from(U256::from(index).wrapping_mul(ODD)),
            };
            guest.state.insert(key, vec![1; 32]).unwrap();
        }
        guest
    };
    let codes = |mut guest: Guest| {
        for index in 0..MANY as u64 + 2 {
            let mut code = vec![JUMPDEST; 24 << 10];
            code[..8].copy_from_slice(&index.to_be_bytes());
            guest = guest.with_account(Address::from_word(U256::from(PLACES + index).into()), code);
        }
        guest
    };
    let place = |opcode: &[u8]| {
        let code = Code::default()
            .op(DUP1)
            .push(U256::from(PLACES))
            .op(ADD)
            .bytes();
        [&code[..], opcode, &[POP]].concat()
    };
    vec![
        straight("SLOAD, cold and empty", &read, &read_base, 400, &|guest| {
            guest
        }),
        straight("SLOAD, cold among 300,000", &read, &read_base, 400, &large),
        straight("SSTORE, new", &write, &write_base, 400, &|guest| guest),
        straight(
            "SSTORE, changed among 300,000",
            &write,
            &write_base,
            400,
            &large,
        ),
        straight(
            "SSTORE, warm",
            &[DUP1, PUSH1, 7, SSTORE],
            &[DUP1, PUSH1, 7, POP, POP],
            1_000,
            &|guest| guest,
        ),
        straight(
            "TSTORE, new",
            &[DUP1, DUP1, TSTORE],
            &[DUP1, DUP1, POP, POP],
            2_000,
            &|guest| guest,
        ),
        straight(
            "TLOAD, empty",
            &[DUP1, TLOAD, POP],
            &[DUP1, POP],
            2_000,
            &|guest| guest,
        ),
        straight(
            "BALANCE, cold",
            &place(&[BALANCE]),
            &place(&[]),
            MANY,
            &|guest| guest,
        ),
        straight(
            "EXTCODESIZE, cold",
            &place(&[EXTCODESIZE]),
            &place(&[]),
            MANY,
            &codes,
        ),
        straight(
            "EXTCODEHASH, cold",
            &place(&[EXTCODEHASH]),
            &place(&[]),
            MANY,
            &codes,
        ),
    ]
}

/// More accounts with code of their own than the cache of analyzed code has places.
const MANY: usize = 300;
/// Addresses from here on have code.
const PLACES: u64 = 0x10_0000;

/// Calls and creations.
fn frames() -> Vec<Case> {
    let child = Address::repeat_byte(0xdd);
    let other = U256::from_be_slice(child.as_slice());
    let calls =
        |name: &str, opcode: u8, target: U256, input: usize, code: Vec<u8>, rounds: usize| {
            let values = usize::from(matches!(opcode, CALL | CALLCODE));
            let call = Code::default()
                .ops(&[PUSH0, PUSH0])
                .push(U256::from(input))
                .op(PUSH0)
                .repeat(&[PUSH0], values)
                .push(target)
                .ops(&[GAS, opcode, POP])
                .bytes();
            let guest = |body: &[u8]| {
                let setup = Code::default()
                    .ops(&[PUSH0])
                    .push(U256::from(input + 64))
                    .op(MSTORE);
                Guest::new(setup.looped(rounds, body).op(STOP).bytes())
                    .with_account(child, code.clone())
            };
            Case::new(name, rounds, guest(&call), guest(&[]))
        };
    let returning = |size: usize| {
        Code::default()
            .push(U256::from(size))
            .ops(&[PUSH0, RETURN])
            .bytes()
    };
    let creating = |name: &str, opcode: u8, init: Vec<u8>, rounds: usize| {
        // Init code comes as the call's input.
        let size = init.len();
        let with = Code::default()
            .ops(&[GAS]) // a salt of its own
            .push(U256::from(size))
            .ops(&[PUSH0, PUSH0, opcode, POP])
            .repeat(&[POP], usize::from(opcode == CREATE));
        let guest = |body: &[u8]| {
            let setup = Code::default().ops(&[CALLDATASIZE, PUSH0, PUSH0, CALLDATACOPY]);
            Guest::new(setup.looped(rounds, body).op(STOP).bytes()).with_input(init.clone())
        };
        Case::new(name, rounds, guest(&with.0), guest(&[]))
    };
    let deploying = |size: usize| {
        Code::default()
            .push(U256::from(size))
            .ops(&[PUSH0, RETURN])
            .bytes()
    };
    let long = |size: usize| {
        let mut init = vec![STOP];
        init.resize(size, JUMPDEST);
        init
    };
    let none = U256::from(0x77_7777);
    vec![
        calls("CALL, no code", CALL, none, 0, vec![STOP], 500),
        calls("CALL", CALL, other, 0, vec![STOP], 500),
        calls(
            "CALL, 64 KiB of input",
            CALL,
            other,
            64 << 10,
            vec![STOP],
            500,
        ),
        calls("CALLCODE", CALLCODE, other, 0, vec![STOP], 500),
        calls("DELEGATECALL", DELEGATECALL, other, 0, vec![STOP], 500),
        calls("STATICCALL", STATICCALL, other, 0, vec![STOP], 500),
        calls(
            "CALL, reverted",
            CALL,
            other,
            0,
            vec![PUSH0, PUSH0, REVERT],
            500,
        ),
        calls(
            "CALL, destroyed",
            CALL,
            other,
            0,
            vec![PUSH0, SELFDESTRUCT],
            500,
        ),
        calls(
            "CALL, 1 KiB returned",
            CALL,
            other,
            0,
            returning(1 << 10),
            200,
        ),
        calls(
            "CALL, 64 KiB returned",
            CALL,
            other,
            0,
            returning(64 << 10),
            20,
        ),
        calls(
            "CALL, 1 MiB returned",
            CALL,
            other,
            0,
            returning(1 << 20),
            4,
        ),
        creating("CREATE, nothing", CREATE, vec![], 200),
        creating("CREATE, 1 byte", CREATE, vec![STOP], 200),
        creating("CREATE, 48 KiB of JUMPDEST", CREATE, long(48 << 10), 50),
        creating("CREATE2, 48 KiB of JUMPDEST", CREATE2, long(48 << 10), 50),
        creating("CREATE, 24 KiB left", CREATE, deploying(24 << 10), 15),
    ]
}
