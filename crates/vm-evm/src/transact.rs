// SPDX-License-Identifier: Apache-2.0
//! Running one transaction, without fees, nonces and balances.

use core::{convert::Infallible, marker::PhantomData};

use alloy_primitives::{Address, Bytes, KECCAK256_EMPTY, keccak256};
use revm::{
    bytecode::Bytecode,
    context::Evm,
    context_interface::{
        Cfg, ContextTr, CreateScheme, JournalTr, LocalContextTr, Transaction,
        journaled_state::{JournalCheckpoint, account::JournaledAccountTr},
        result::{EVMError, HaltReason, InvalidTransaction},
    },
    handler::{
        EthFrame, EvmTr, FrameResult, Handler, ItemOrResult,
        execution::{create_init_frame, runtime_oog_unwind},
        instructions::InstructionProvider,
        return_create,
    },
    interpreter::{
        CallInput, CallInputs, CallScheme, CallValue, CreateOutcome, FrameInput, GasTracker,
        InitialAndFloorGas, InstructionResult, InterpreterAction, SharedMemory,
        interpreter::EthInterpreter,
        interpreter_action::FrameInit,
        interpreter_types::{Jumps, LoopControl},
    },
};

use subrosa_vm::Call;

use crate::{
    context::{GuestContext, TransactionKind},
    instructions::Instructions,
    precompiles::GuestPrecompiles,
    work::weights,
};

pub(crate) type Machine<'a> =
    Evm<GuestContext<'a>, (), Instructions<'a>, GuestPrecompiles<'a>, EthFrame<EthInterpreter>>;

/// Runs the transaction that the machine holds.
///
/// The steps that are not overridden are Ethereum's: intrinsic gas and calldata floor, warming,
/// frames, refunds.
pub(crate) struct Transact<'a> {
    contract: Address,
    kind: TransactionKind,
    is_static: bool,
    machine: PhantomData<Machine<'a>>,
}

impl Transact<'_> {
    pub(crate) fn new(call: &Call<'_>, kind: TransactionKind) -> Self {
        Self {
            contract: call.contract,
            kind,
            is_static: call.is_static,
            machine: PhantomData,
        }
    }
}

impl<'a> Handler for Transact<'a> {
    type Evm = Machine<'a>;
    type Error = EVMError<Infallible, InvalidTransaction>;
    type HaltReason = HaltReason;

    /// Checks the size of init code (EIP-3860) and nothing else: there is no sender to be charged
    /// and no block to be filled.
    fn validate_env(&self, machine: &mut Machine<'a>) -> Result<(), Self::Error> {
        let (tx, cfg) = (&machine.ctx.tx, &machine.ctx.cfg);
        if tx.kind().is_create() && tx.input().len() > cfg.max_initcode_size() {
            return Err(InvalidTransaction::CreateInitCodeSizeLimit.into());
        }
        Ok(())
    }

    /// Loads the caller, which makes it warm (EIP-2929), and leaves it as it is.
    fn validate_against_state_and_deduct_caller(
        &self,
        machine: &mut Machine<'a>,
        _gas: &mut InitialAndFloorGas,
    ) -> Result<(), Self::Error> {
        let caller = machine.ctx.tx.caller;
        machine.ctx.journal_mut().load_account(caller)?;
        Ok(())
    }

    /// Ethereum's, and for [`TransactionKind::Replace`] the end of a creation after the end of a call.
    fn execution(
        &mut self,
        machine: &mut Machine<'a>,
        checkpoint: JournalCheckpoint,
        gas: &mut GasTracker,
    ) -> Result<Option<FrameResult>, Self::Error> {
        let Some(first_frame) = self.first_frame_input(machine, gas)? else {
            runtime_oog_unwind(machine.ctx(), checkpoint)?;
            return Ok(None);
        };
        machine.ctx_mut().journal_mut().checkpoint_commit();
        let mut result = match self.kind {
            TransactionKind::Call | TransactionKind::Create => {
                self.run_exec_loop(machine, first_frame)?
            }
            TransactionKind::Replace => self.replace(machine, first_frame)?,
        };
        self.last_frame_result(machine, &mut result, gas)?;
        Ok(Some(result))
    }

    /// Ethereum's loop of frames, left at once when the work is exhausted: no frame hears of it, so none
    /// can go on.
    fn run_exec_loop(
        &mut self,
        machine: &mut Machine<'a>,
        first_frame: FrameInit,
    ) -> Result<FrameResult, Self::Error> {
        if let ItemOrResult::Result(result) = machine.frame_init(first_frame)? {
            return Ok(result);
        }
        loop {
            let action = run_frame(machine);
            within_work(machine)?;
            let frame = machine.frame_stack.get();
            let ended = frame.process_next_action::<_, Self::Error>(&mut machine.ctx, action)?;
            let result = match ended {
                ItemOrResult::Item(init) => match machine.frame_init(init)? {
                    ItemOrResult::Item(_) => None,
                    ItemOrResult::Result(result) => Some(result),
                },
                ItemOrResult::Result(result) => {
                    frame.set_finished(true);
                    count_deployed_code(machine, &result);
                    Some(result)
                }
            };
            within_work(machine)?;
            if let Some(result) = result
                && let Some(last) = machine.frame_return_result(result)?
            {
                return Ok(last);
            }
        }
    }

    /// Ethereum's first frame, made static, or creating the contract where its id says. The frame
    /// of a replacement is a call whose code is the init code.
    fn first_frame_input(
        &mut self,
        machine: &mut Machine<'a>,
        gas: &mut GasTracker,
    ) -> Result<Option<FrameInit>, Self::Error> {
        let context = machine.ctx_mut();
        let buffer = context.local().shared_memory_buffer().clone();
        let mut memory = SharedMemory::new_with_buffer(buffer);
        memory.set_memory_limit(context.cfg().memory_limit());
        let Some(mut frame_input) = create_init_frame(context, gas)? else {
            return Ok(None);
        };
        match &mut frame_input {
            FrameInput::Call(call) => call.is_static = self.is_static,
            FrameInput::Create(create) if self.kind == TransactionKind::Replace => {
                let init_code = create.init_code().clone();
                frame_input = FrameInput::Call(Box::new(CallInputs {
                    input: CallInput::Bytes(Bytes::new()),
                    gas_limit: create.gas_limit(),
                    target_address: self.contract,
                    bytecode_address: self.contract,
                    known_bytecode: (keccak256(&init_code), Bytecode::new_legacy(init_code)),
                    caller: create.caller(),
                    value: CallValue::Transfer(create.value()),
                    scheme: CallScheme::Call,
                    is_static: false,
                    return_memory_offset: 0..0,
                    reservoir: create.reservoir(),
                    charged_new_account_state_gas: false,
                }));
            }
            FrameInput::Create(create) => create.set_scheme(CreateScheme::Custom {
                address: self.contract,
            }),
            FrameInput::Empty => {}
        }
        Ok(Some(FrameInit {
            depth: 0,
            memory,
            frame_input,
        }))
    }

    fn reimburse_caller(
        &self,
        _machine: &mut Machine<'a>,
        _result: &mut FrameResult,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    fn reward_beneficiary(
        &self,
        _machine: &mut Machine<'a>,
        _result: &mut FrameResult,
    ) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Runs the frame on top until it returns, calls or creates, or the work is exhausted.
///
/// What instructions weigh is summed up here and not in the instructions, where the sum would go through
/// memory at each of them: on a loop of the cheapest, that takes 1.17 times what stock revm takes, and this
/// 1.00 to 1.05 times (benchmark `work`).
fn run_frame(machine: &mut Machine<'_>) -> InterpreterAction {
    let (instructions, gas) = (
        machine.instruction.instruction_table(),
        machine.instruction.gas_table(),
    );
    let meter = machine.ctx.chain;
    let interpreter = &mut machine.frame_stack.get().interpreter;
    let mut weighed: u64 = 0;
    let end = loop {
        weighed += u64::from(weights::INSTRUCTIONS[usize::from(interpreter.bytecode.opcode())]);
        // Instructions themselves spend what depends on sizes, so what is left changes on the way.
        if weighed.cast_signed() > meter.left() {
            break InstructionResult::OutOfGas;
        }
        if let Err(end) = interpreter.step(instructions, gas, &mut machine.ctx) {
            break end;
        }
    };
    meter.spend(weighed);
    if interpreter.bytecode.action().is_none() {
        interpreter.halt(end);
    }
    interpreter.take_next_action()
}

/// Counts the work that code takes which a constructor leaves.
fn count_deployed_code(machine: &Machine<'_>, result: &FrameResult) {
    if let FrameResult::Create(outcome) = result
        && outcome.result.is_ok()
    {
        let code = outcome.result.output.len() as u64;
        machine.ctx.chain.spend(weights::DEPLOYED_CODE.of(code));
    }
}

/// An error that ends the execution if more work was done than there is.
fn within_work<E>(machine: &Machine<'_>) -> Result<(), EVMError<Infallible, E>> {
    if machine.ctx.chain.is_exhausted() {
        return Err(EVMError::Custom(String::new()));
    }
    Ok(())
}

impl<'a> Transact<'a> {
    /// Runs init code in the contract's account, emptied of code but of nothing else, and installs
    /// what it returns by the rules of a creation.
    fn replace(
        &mut self,
        machine: &mut Machine<'a>,
        first_frame: FrameInit,
    ) -> Result<FrameResult, EVMError<Infallible, InvalidTransaction>> {
        let journal = machine.ctx_mut().journal_mut();
        journal.load_account(self.contract)?;
        let checkpoint = journal.checkpoint();
        journal.set_code_with_hash(self.contract, Bytecode::default(), KECCAK256_EMPTY);
        let mut account = journal.load_account_mut(self.contract)?.data;
        if account.nonce() == 0 {
            account.set_nonce(1);
        }

        match self.run_exec_loop(machine, first_frame)? {
            FrameResult::Call(mut outcome) => {
                return_create(
                    machine.ctx_mut(),
                    checkpoint,
                    &mut outcome.result,
                    self.contract,
                );
                let outcome = CreateOutcome::new(outcome.result, Some(self.contract));
                let created = FrameResult::Create(outcome);
                count_deployed_code(machine, &created);
                Ok(created)
            }
            created => Ok(created),
        }
    }
}
