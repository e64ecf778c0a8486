// SPDX-License-Identifier: Apache-2.0
//! The engine: from a call to a transaction, and from its end to an execution.

use revm::{
    Context,
    context::{Evm, FrameStack},
    context_interface::{
        JournalTr,
        result::{EVMError, ExecutionResult, HaltReason, InvalidTransaction, OutOfGasError},
    },
    handler::Handler,
    primitives::Bytes,
};
use subrosa_vm::{Call, Execution, Halt, State, Vm, WriteSet};

use crate::{
    code_cache::CodeCache,
    context::{SPEC, TransactionKind},
    database::StateReader,
    environment,
    instructions::Instructions,
    precompiles::GuestPrecompiles,
    transact::{Machine, Transact},
    work::{Meter, weights},
    writes,
};

/// The EVM's number in deployments (`DeployPlaintext.engine`).
pub const ENGINE_EVM: u8 = 1;

/// The EVM. Sharing one shares its cache of analyzed code.
#[derive(Debug, Default)]
pub struct EvmEngine {
    code: CodeCache,
}

impl Vm for EvmEngine {
    fn construct(&self, state: &State, call: &Call<'_>, code: &[u8], init: &[u8]) -> Execution {
        self.install(state, call, TransactionKind::Create, code, init)
    }

    fn upgrade(&self, state: &State, call: &Call<'_>, code: &[u8], init: &[u8]) -> Execution {
        self.install(state, call, TransactionKind::Replace, code, init)
    }

    fn call(&self, state: &State, call: &Call<'_>) -> Execution {
        let input = Bytes::copy_from_slice(call.input);
        self.execute(state, call, TransactionKind::Call, input)
    }
}

impl EvmEngine {
    /// Runs a constructor. The code that it leaves is state, not output.
    fn install(
        &self,
        state: &State,
        call: &Call<'_>,
        kind: TransactionKind,
        code: &[u8],
        init: &[u8],
    ) -> Execution {
        let mut execution = self.execute(state, call, kind, [code, init].concat().into());
        if execution.halt == Halt::Succeeded {
            execution.output = Vec::new();
        }
        execution
    }

    fn execute(
        &self,
        state: &State,
        call: &Call<'_>,
        kind: TransactionKind,
        input: Bytes,
    ) -> Execution {
        let limits = call.runtime.limits;
        let fuel_limit = call.fuel_limit.min(limits.max_fuel);
        if kind.installs_code() && call.is_static {
            return Execution::failed(Halt::StaticViolation, fuel_limit);
        }
        let account = state.account(call.contract);
        if !kind.installs_code() && !account.is_some_and(|account| account.has_code()) {
            return Execution::failed(Halt::NoContract, 0);
        }
        let meter = Meter::new(limits.work_limit(fuel_limit));
        meter.spend(weights::START);
        meter.spend(if kind.installs_code() {
            weights::HASHED_INIT_CODE.of(input.len() as u64)
        } else {
            weights::INPUT.of(input.len() as u64)
        });
        let execution = self.transact(state, call, kind, input, &meter);
        Execution {
            work_used: meter.used(),
            ..execution
        }
    }

    /// Runs the transaction; the work it takes is in the meter.
    fn transact(
        &self,
        state: &State,
        call: &Call<'_>,
        kind: TransactionKind,
        input: Bytes,
        meter: &Meter,
    ) -> Execution {
        let limits = call.runtime.limits;
        let fuel_limit = call.fuel_limit.min(limits.max_fuel);
        let before = state.account(call.contract);
        let mut machine = self.machine(state, call, meter);
        machine.ctx.tx = environment::transaction(call, kind, input, fuel_limit);
        let result = Transact::new(call, kind).run(&mut machine);
        let changes = machine.ctx.journaled_state.finalize();
        if meter.is_exhausted() {
            return Execution::failed(Halt::OutOfWork, fuel_limit);
        }

        let (output, fuel_used) = match ending(result) {
            Ok(ending) => ending,
            Err(Failure::Reverted(output, fuel_used)) if output.len() <= limits.max_output => {
                return Execution {
                    output: output.into(),
                    ..Execution::failed(Halt::Reverted, fuel_used)
                };
            }
            Err(Failure::Reverted(..)) => {
                return Execution::failed(Halt::OutputTooLarge, fuel_limit);
            }
            Err(Failure::Halted(halt)) => return Execution::failed(halt, fuel_limit),
        };
        // A constructor's output is the code it leaves, which has its own limit.
        if output.len() > limits.max_output {
            return Execution::failed(Halt::OutputTooLarge, fuel_limit);
        }
        let mut writes = if call.is_static {
            WriteSet::default()
        } else {
            writes::collect(state, call.caller, changes)
        };
        if kind == TransactionKind::Replace
            && let Some(before) = before
        {
            writes::drop_unused_code(state, &mut writes, before.code_hash);
        }
        let size = state.guest_size_after(&writes);
        // What only shrinks a state is allowed at any size.
        if size > limits.max_state && size > state.guest_size() {
            return Execution::failed(Halt::StateTooLarge, fuel_limit);
        }
        Execution {
            halt: Halt::Succeeded,
            fuel_used,
            work_used: 0,
            output: output.into(),
            writes,
        }
    }

    fn machine<'a>(
        &'a self,
        state: &'a State,
        call: &'a Call<'a>,
        meter: &'a Meter,
    ) -> Machine<'a> {
        let database = StateReader::new(state, &self.code, meter);
        let mut context = Context::<_, _, _, _, _, ()>::new(database, SPEC).with_chain(meter);
        context.cfg = environment::configuration(call);
        context.block = environment::block(call);
        Evm {
            ctx: context,
            inspector: (),
            instruction: Instructions::default(),
            precompiles: GuestPrecompiles::new(call),
            frame_stack: FrameStack::new_prealloc(1),
        }
    }
}

/// An end other than success.
enum Failure {
    /// Revert data and fuel used.
    Reverted(Bytes, u64),
    /// All fuel is used.
    Halted(Halt),
}

/// Output and fuel used of a success, or how else a transaction ended.
fn ending(
    result: Result<ExecutionResult, EVMError<core::convert::Infallible>>,
) -> Result<(Bytes, u64), Failure> {
    match result {
        Ok(ExecutionResult::Success { output, gas, .. }) => {
            Ok((output.into_data(), gas.tx_gas_used()))
        }
        Ok(ExecutionResult::Revert { output, gas, .. }) => {
            Err(Failure::Reverted(output, gas.tx_gas_used()))
        }
        Ok(ExecutionResult::Halt { reason, .. }) => Err(Failure::Halted(halt(&reason))),
        Err(EVMError::Transaction(InvalidTransaction::CreateInitCodeSizeLimit)) => {
            Err(Failure::Halted(Halt::CodeRefused))
        }
        // The fuel does not cover starting. Nothing else is checked (`transact`), the database
        // cannot fail, and host calls report their failures as answers.
        Err(_) => Err(Failure::Halted(Halt::OutOfFuel)),
    }
}

fn halt(reason: &HaltReason) -> Halt {
    match reason {
        HaltReason::OutOfGas(OutOfGasError::MemoryLimit) => Halt::OutOfMemory,
        HaltReason::OutOfGas(_) => Halt::OutOfFuel,
        HaltReason::OpcodeNotFound
        | HaltReason::InvalidFEOpcode
        | HaltReason::NotActivated
        | HaltReason::InvalidJump => Halt::InvalidInstruction,
        HaltReason::StackUnderflow | HaltReason::StackOverflow => Halt::StackViolation,
        HaltReason::OutOfOffset => Halt::OutOfBounds,
        HaltReason::StateChangeDuringStaticCall | HaltReason::CallNotAllowedInsideStatic => {
            Halt::StaticViolation
        }
        HaltReason::CreateContractSizeLimit
        | HaltReason::CreateContractStartingWithEF
        | HaltReason::CreateInitCodeSizeLimit => Halt::CodeRefused,
        HaltReason::CreateCollision => Halt::AddressCollision,
        HaltReason::PrecompileError | HaltReason::PrecompileErrorWithContext(_) => {
            Halt::HostCallFailed
        }
        // Ends that only inner frames have, or that need ether or 2^64 creations.
        HaltReason::NonceOverflow
        | HaltReason::OverflowPayment
        | HaltReason::OutOfFunds
        | HaltReason::CallTooDeep => Halt::InvalidInstruction,
    }
}

#[cfg(test)]
mod tests;
