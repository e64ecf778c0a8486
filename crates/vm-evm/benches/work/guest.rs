// SPDX-License-Identifier: Apache-2.0
//! Guests in plain bytecode, and one execution of them on the clock.

use std::{hint::black_box, time::Instant};

use alloy_primitives::{Address, B256, U256, keccak256};
use revm::bytecode::opcode::*;
use subrosa_vm::{AccountRecord, Call, Execution, RUNTIME, State, StateKey, Vm};
use subrosa_vm_evm::EvmEngine;

pub(crate) const CONTRACT: Address = Address::repeat_byte(0xc0);

/// A contract and what it is called with.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) state: State,
    pub(crate) input: Vec<u8>,
    pub(crate) fuel: u64,
}

impl Guest {
    pub(crate) fn new(code: Vec<u8>) -> Self {
        let mut state = State::new();
        install(&mut state, CONTRACT, code);
        Self {
            state,
            input: Vec::new(),
            fuel: RUNTIME.limits.max_fuel,
        }
    }

    /// Does nothing: what is measured against it is everything.
    pub(crate) fn empty() -> Self {
        Self::new(vec![STOP])
    }

    pub(crate) fn with_input(self, input: Vec<u8>) -> Self {
        Self { input, ..self }
    }

    pub(crate) fn with_account(mut self, address: Address, code: Vec<u8>) -> Self {
        install(&mut self.state, address, code);
        self
    }

    pub(crate) fn execute(&self, engine: &EvmEngine) -> Execution {
        let call = Call {
            chain_id: 1,
            contract: CONTRACT,
            caller: Address::repeat_byte(0xca),
            context: B256::ZERO,
            contract_id: B256::ZERO,
            seq: 1,
            envelope_id: None,
            block_number: 1_000,
            block_timestamp: 1_700_000_000,
            runtime: RUNTIME,
            fuel_limit: self.fuel,
            randomness: B256::ZERO,
            is_static: false,
            input: &self.input,
        };
        engine.call(&self.state, &call)
    }

    /// Nanoseconds of one execution, and how it ended.
    pub(crate) fn time(&self, engine: &EvmEngine) -> (f64, Execution) {
        let start = Instant::now();
        let execution = black_box(self.execute(engine));
        (start.elapsed().as_nanos() as f64, execution)
    }
}

fn install(state: &mut State, address: Address, code: Vec<u8>) {
    assert!(
        code.len() <= RUNTIME.limits.max_code,
        "{} bytes of code",
        code.len()
    );
    let record = AccountRecord {
        nonce: 1,
        code_hash: keccak256(&code),
    };
    state
        .insert(StateKey::Code(record.code_hash), code)
        .unwrap();
    state
        .insert(StateKey::Account(address), record.encode().to_vec())
        .unwrap();
}

/// Bytecode under construction.
#[derive(Clone, Default)]
pub(crate) struct Code(pub(crate) Vec<u8>);

impl Code {
    pub(crate) fn op(mut self, opcode: u8) -> Self {
        self.0.push(opcode);
        self
    }

    pub(crate) fn ops(mut self, opcodes: &[u8]) -> Self {
        self.0.extend_from_slice(opcodes);
        self
    }

    /// Pushes with the shortest instruction there is.
    pub(crate) fn push(mut self, value: impl TryInto<U256, Error: core::fmt::Debug>) -> Self {
        let value: U256 = value.try_into().unwrap();
        let bytes = value.to_be_bytes_trimmed_vec();
        self.0.push(PUSH0 + bytes.len() as u8);
        self.0.extend(bytes);
        self
    }

    pub(crate) fn repeat(mut self, part: &[u8], times: usize) -> Self {
        for _ in 0..times {
            self.0.extend_from_slice(part);
        }
        self
    }

    /// `body` so many times over, in a loop whose counter is on top of the stack where it begins.
    pub(crate) fn looped(self, rounds: usize, body: &[u8]) -> Self {
        let mut code = self.push(U256::from(rounds));
        let start = code.0.len();
        code.0.push(JUMPDEST);
        code.0.extend_from_slice(body);
        code.push(1)
            .ops(&[SWAP1, SUB, DUP1])
            .push(U256::from(start))
            .ops(&[JUMPI, POP])
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0
    }
}
