// SPDX-License-Identifier: Apache-2.0
//! Counting work: the same for whoever counts, more for whoever does more, and nothing that a guest
//! could see.

use std::sync::Arc;

use alloy_primitives::U256;
use alloy_sol_types::SolCall;
use proptest::{collection::vec, prelude::*};
use revm::bytecode::opcode::*;
use subrosa_vm::{
    Call, Halt, RUNTIME, State, Vm,
    conformance::{Guest, Probe, call},
};
use subrosa_vm_evm::EvmEngine;

use crate::{
    guest::{self, Factory},
    hostile::run,
};

#[test]
fn a_cold_cache_of_code_counts_as_a_warm_one() {
    let mut factory = guest::construct(&guest::factory(), &[]);
    for value in 0..3u64 {
        factory.run(&Factory::createCall {
            value: U256::from(value),
        });
    }
    let request = Factory::incrementAllCall {};
    let cold = Guest {
        vm: Arc::new(EvmEngine::default()),
        state: factory.state.clone(),
    };
    let first = cold.execute(&request);
    assert_eq!(first.halt, Halt::Succeeded);
    assert_eq!(first, cold.execute(&request));
    assert_eq!(first, factory.execute(&request));
}

#[test]
fn fuel_is_spent_to_the_unit_as_if_nobody_counted() {
    // What is left of the fuel is what a guest could compare: it is that of a loop whose prices are
    // Ethereum's, ten rounds of JUMPDEST, GAS and POP with the loop around them.
    let gas_left = [GAS, PUSH0, MSTORE, PUSH1, 32, PUSH0, RETURN];
    let execution = run(&gas_left, &[], 100_000);
    assert_eq!(
        U256::from_be_slice(&execution.output),
        U256::from(100_000 - 21_000 - 2)
    );
}

#[test]
fn a_limit_is_exact() {
    // A unit of work at a time, around the place where fuel's share of the limit decides.
    let limits = RUNTIME.limits;
    let probe = guest::construct(&guest::probe(), &[]);
    let input = Probe::toilCall {
        rounds: U256::from(60),
    }
    .abi_encode();
    let under = |fuel_limit| {
        let call = Call {
            fuel_limit,
            ..call(&input)
        };
        guest::evm().call(&probe.state, &call)
    };
    let needed = under(10_000_000).work_used;
    let enough = (needed - limits.work_base).div_ceil(limits.work_per_fuel);
    assert!(
        enough > under(10_000_000).fuel_used,
        "work decides, not fuel"
    );
    assert_eq!(under(enough).halt, Halt::Succeeded);
    assert_eq!(under(enough - 1).halt, Halt::OutOfWork);
}

/// Instructions that need no operands but those pushed for them, and end nothing.
fn instruction() -> impl Strategy<Value = Vec<u8>> {
    let operands = |count: usize, opcode: u8, results: usize| {
        let mut code = [PUSH2, 0x01, 0x40].repeat(count);
        code.push(opcode);
        code.extend(vec![POP; results]);
        code
    };
    prop_oneof![
        Just(operands(2, MUL, 1)),
        Just(operands(2, EXP, 1)),
        Just(operands(3, MULMOD, 1)),
        Just(operands(2, KECCAK256, 1)),
        Just(operands(1, MLOAD, 1)),
        Just(operands(2, MSTORE, 0)),
        Just(operands(3, CALLDATACOPY, 0)),
        Just(operands(3, MCOPY, 0)),
        Just(operands(1, SLOAD, 1)),
        Just(operands(2, SSTORE, 0)),
        Just(operands(2, TSTORE, 0)),
        Just(operands(1, BALANCE, 1)),
        Just(operands(4, EXTCODECOPY, 0)),
        Just(operands(2, LOG0, 0)),
        Just(operands(3, CREATE, 1)),
        Just(operands(7, CALL, 1)),
        Just(operands(0, GAS, 1)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_code_counts_the_same_twice(
        code in vec(any::<u8>(), 0..200),
        input in vec(any::<u8>(), 0..64),
    ) {
        let fresh = || EvmEngine::default().construct(
            &State::new(),
            &Call { fuel_limit: 300_000, ..call(&[]) },
            &code,
            &input,
        );
        let execution = fresh();
        prop_assert_eq!(&execution, &fresh());
        prop_assert!(execution.work_used > 0 || execution.halt == Halt::CodeRefused);
        prop_assert!(execution.work_used <= RUNTIME.limits.work_limit(300_000));
    }

    #[test]
    fn whatever_is_executed_in_addition_is_more_work(
        program in vec(instruction(), 0..20),
        more in instruction(),
    ) {
        let work = |program: &[Vec<u8>]| {
            let code = [program.concat(), vec![STOP]].concat();
            let execution = run(&code, &[], 20_000_000);
            prop_assert_eq!(execution.halt, Halt::Succeeded);
            Ok(execution.work_used)
        };
        // At the end: what stands before others may change what they do, and spare them work.
        let longer = [program.clone(), vec![more]].concat();
        prop_assert!(work(&longer)? > work(&program)?);
    }
}
