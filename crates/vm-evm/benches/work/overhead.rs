// SPDX-License-Identifier: Apache-2.0
//! What counting work costs: this engine against stock revm, which counts none, on the same code.

use std::{hint::black_box, time::Instant};

use alloy_primitives::{TxKind, U256};
use revm::{
    Context, ExecuteEvm, MainBuilder, MainContext,
    bytecode::{Bytecode, opcode::*},
    context::TxEnv,
    context_interface::result::ExecutionResult,
    database::{CacheDB, EmptyDB},
    primitives::hardfork::SpecId,
    state::AccountInfo,
};
use subrosa_vm::{Halt, StateKey};
use subrosa_vm_evm::EvmEngine;

use crate::guest::{CONTRACT, Code, Guest};

/// Nanoseconds of the fastest execution.
#[derive(Clone, Copy, serde::Serialize)]
pub(crate) struct Overhead {
    pub(crate) counted_ns: f64,
    pub(crate) stock_revm_ns: f64,
    pub(crate) ratio: f64,
}

/// A loop of the cheapest instructions, and a small call that reads a slot and writes it.
pub(crate) fn measure(engine: &EvmEngine, rounds: usize) -> (Overhead, Overhead) {
    let body = Code::default()
        .repeat(&[DUP2, PUSH1, 3, ADD, DUP3, XOR, SWAP2, POP], 24)
        .bytes();
    let plain = Code::default()
        .push(U256::from(1))
        .looped(4_000, &body)
        .op(STOP);
    let small = Code::default().ops(&[
        PUSH1, 1, SLOAD, PUSH1, 1, ADD, PUSH1, 1, SSTORE, PUSH0, PUSH0, RETURN,
    ]);
    (
        compare(engine, plain.bytes(), rounds, 1),
        compare(engine, small.bytes(), rounds, 200),
    )
}

fn compare(engine: &EvmEngine, code: Vec<u8>, rounds: usize, times: usize) -> Overhead {
    let guest = Guest::new(code.clone());
    let hash = alloy_primitives::keccak256(&code);
    assert!(guest.state.contains(&StateKey::Code(hash)));
    let mut database = CacheDB::new(EmptyDB::new());
    let account = AccountInfo {
        nonce: 1,
        code_hash: hash,
        code: Some(Bytecode::new_legacy(code.into())),
        ..AccountInfo::default()
    };
    database.insert_account_info(CONTRACT, account);
    let mut stock = || {
        let mut evm = Context::mainnet()
            .with_db(&mut database)
            .modify_cfg_chained(|cfg| {
                cfg.set_spec_and_mainnet_gas_params(SpecId::OSAKA);
                cfg.tx_gas_limit_cap = Some(u64::MAX);
            })
            .modify_block_chained(|block| block.gas_limit = guest.fuel)
            .build_mainnet();
        let transaction = TxEnv {
            gas_limit: guest.fuel,
            kind: TxKind::Call(CONTRACT),
            ..TxEnv::default()
        };
        let result = evm.transact(transaction).unwrap().result;
        assert!(matches!(black_box(result), ExecutionResult::Success { .. }));
    };
    let (mut counted, mut uncounted) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..rounds {
        let start = Instant::now();
        for _ in 0..times {
            assert_eq!(black_box(guest.execute(engine)).halt, Halt::Succeeded);
        }
        counted = counted.min(start.elapsed().as_nanos() as f64);
        let start = Instant::now();
        for _ in 0..times {
            stock();
        }
        uncounted = uncounted.min(start.elapsed().as_nanos() as f64);
    }
    Overhead {
        counted_ns: counted / times as f64,
        stock_revm_ns: uncounted / times as f64,
        ratio: counted / uncounted,
    }
}
