// SPDX-License-Identifier: Apache-2.0
//! The course of one transaction, without fees, nonces and balances.

use core::{convert::Infallible, marker::PhantomData};

use alloy_primitives::Address;
use revm::{
    Context, Journal,
    context::{BlockEnv, CfgEnv, Evm, TxEnv},
    context_interface::{
        Cfg, ContextTr, CreateScheme, JournalTr, LocalContextTr, Transaction,
        result::{EVMError, HaltReason, InvalidTransaction},
    },
    handler::{EthFrame, EvmTr, FrameResult, Handler, execution::create_init_frame},
    interpreter::{
        FrameInput, GasTracker, InitialAndFloorGas, SharedMemory, interpreter::EthInterpreter,
        interpreter_action::FrameInit,
    },
};

use super::{database::StateReader, instructions::Instructions, precompiles::GuestPrecompiles};
use crate::Call;

pub(super) type GuestContext<'a> =
    Context<BlockEnv, TxEnv, CfgEnv, StateReader<'a>, Journal<StateReader<'a>>, ()>;

pub(super) type Machine<'a> =
    Evm<GuestContext<'a>, (), Instructions<'a>, GuestPrecompiles<'a>, EthFrame<EthInterpreter>>;

/// Runs the transaction that the machine holds.
///
/// The steps that are not overridden are Ethereum's: intrinsic gas and calldata floor, warming,
/// frames, refunds.
pub(super) struct Transact<'a> {
    contract: Address,
    is_static: bool,
    machine: PhantomData<Machine<'a>>,
}

impl Transact<'_> {
    pub(super) fn new(call: &Call<'_>) -> Self {
        Self {
            contract: call.contract,
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

    /// Ethereum's first frame, made static, or creating the contract where its id says.
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
