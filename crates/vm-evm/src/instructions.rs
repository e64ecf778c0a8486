// SPDX-License-Identifier: Apache-2.0
//! The instruction set, built at compile time and borrowed by every call.

use core::marker::PhantomData;

use revm::{
    handler::instructions::InstructionProvider,
    interpreter::{
        instructions::{GasTable, InstructionTable, gas_table_spec, instruction_table},
        interpreter::EthInterpreter,
    },
};

use crate::context::{GuestContext, SPEC};

/// Ethereum's instructions at [`SPEC`].
#[derive(Debug, Default)]
pub(crate) struct Instructions<'a>(PhantomData<GuestContext<'a>>);

impl<'a> InstructionProvider for Instructions<'a> {
    type Context = GuestContext<'a>;
    type InterpreterTypes = EthInterpreter;

    fn instruction_table(&self) -> &InstructionTable<EthInterpreter, GuestContext<'a>> {
        const { &instruction_table::<EthInterpreter, GuestContext<'a>>() }
    }

    fn gas_table(&self) -> &GasTable {
        &GAS_TABLE
    }
}

static GAS_TABLE: GasTable = gas_table_spec(SPEC);
