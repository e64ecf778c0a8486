// SPDX-License-Identifier: Apache-2.0
//! The instruction set, built at compile time and borrowed by every call.

use core::marker::PhantomData;

use revm::{
    bytecode::opcode::*,
    handler::instructions::InstructionProvider,
    interpreter::{
        Instruction, InstructionContext, InstructionExecResult, InstructionResult, Stack,
        instructions::{
            GasTable, InstructionTable, arithmetic, contract, control, gas_table_spec, host,
            instruction_table, memory, system,
        },
        interpreter::EthInterpreter,
    },
};

use crate::{
    context::{GuestContext, SPEC},
    work::weights,
};

/// Ethereum's instructions at [`SPEC`]. Those whose time depends on sizes also count work.
#[derive(Debug, Default)]
pub(crate) struct Instructions<'a>(PhantomData<GuestContext<'a>>);

impl<'a> InstructionProvider for Instructions<'a> {
    type Context = GuestContext<'a>;
    type InterpreterTypes = EthInterpreter;

    fn instruction_table(&self) -> &InstructionTable<EthInterpreter, GuestContext<'a>> {
        const { &metered_table() }
    }

    fn gas_table(&self) -> &GasTable {
        &GAS_TABLE
    }
}

static GAS_TABLE: GasTable = gas_table_spec(SPEC);

type Guest<'c, 'a> = InstructionContext<'c, GuestContext<'a>, EthInterpreter>;

const fn metered_table<'a>() -> InstructionTable<EthInterpreter, GuestContext<'a>> {
    let mut table = instruction_table::<EthInterpreter, GuestContext<'a>>();
    macro_rules! metered {
        ($($opcode:ident),* $(,)?) => {
            $(table[$opcode as usize] = Instruction::new(metered::<$opcode>);)*
        };
    }
    metered!(
        EXP,
        KECCAK256,
        CALLDATACOPY,
        CODECOPY,
        EXTCODECOPY,
        RETURNDATACOPY,
        MCOPY,
        MLOAD,
        MSTORE,
        MSTORE8,
        LOG0,
        LOG1,
        LOG2,
        LOG3,
        LOG4,
        CREATE,
        CREATE2,
        CALL,
        CALLCODE,
        DELEGATECALL,
        STATICCALL,
        RETURN,
        REVERT,
    );
    table
}

/// The instruction, and the work that its operands and the memory it added make.
///
/// Counted after it has run: what fails for want of fuel has done nothing of the size it asks for, and
/// a guest that names an absurd size in a nested frame must not end its caller with it.
fn metered<const OPCODE: u8>(context: Guest<'_, '_>) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    let size = SizeOperand::of(OPCODE).read(&interpreter.stack);
    let words = interpreter.gas.memory().words_num;
    let result = ethereum::<OPCODE>(InstructionContext {
        interpreter: &mut *interpreter,
        host: &mut *host,
    });
    if result.is_err_and(InstructionResult::is_halt) {
        return result;
    }
    let grown = interpreter.gas.memory().words_num - words;
    if grown > 0 {
        let bytes = 32 * grown as u64;
        host.chain
            .spend(weights::GROWING + weights::GROWTH.of(bytes));
    }
    if let Some(work) = work_of::<OPCODE>(size) {
        host.chain.spend(work);
    }
    result
}

/// Work of an instruction's operand, if it has one that makes some.
const fn work_of<const OPCODE: u8>(size: u64) -> Option<u64> {
    let per_kib = match OPCODE {
        EXP => return Some(weights::EXPONENT_BYTE * size),
        KECCAK256 => return Some(weights::keccak(size)),
        LOG0 | LOG1 | LOG2 | LOG3 | LOG4 => weights::LOGGED,
        CREATE => weights::INIT_CODE,
        CREATE2 => weights::HASHED_INIT_CODE,
        RETURN | REVERT => weights::OUTPUT,
        CALLDATACOPY | CODECOPY | EXTCODECOPY | RETURNDATACOPY | MCOPY => weights::COPY,
        _ => return None,
    };
    Some(per_kib.of(size))
}

/// Where an instruction finds the size of what it works on.
#[derive(Clone, Copy)]
enum SizeOperand {
    /// This far below the top of the stack.
    At(usize),
    /// There, as the number of bytes that the number there has.
    BytesAt(usize),
    Nowhere,
}

impl SizeOperand {
    const fn of(opcode: u8) -> Self {
        match opcode {
            KECCAK256 | RETURN | REVERT | LOG0 | LOG1 | LOG2 | LOG3 | LOG4 => Self::At(1),
            CALLDATACOPY | CODECOPY | RETURNDATACOPY | MCOPY | CREATE | CREATE2 => Self::At(2),
            EXTCODECOPY => Self::At(3),
            EXP => Self::BytesAt(1),
            _ => Self::Nowhere,
        }
    }

    #[inline(always)]
    fn read(self, stack: &Stack) -> u64 {
        match self {
            Self::At(depth) => stack.peek(depth).map_or(0, |size| size.saturating_to()),
            Self::BytesAt(depth) => stack
                .peek(depth)
                .map_or(0, |number| number.byte_len() as u64),
            Self::Nowhere => 0,
        }
    }
}

#[inline(always)]
fn ethereum<const OPCODE: u8>(context: Guest<'_, '_>) -> InstructionExecResult {
    match OPCODE {
        EXP => arithmetic::exp(context),
        KECCAK256 => system::keccak256(context),
        CALLDATACOPY => system::calldatacopy(context),
        CODECOPY => system::codecopy(context),
        EXTCODECOPY => host::extcodecopy(context),
        RETURNDATACOPY => system::returndatacopy(context),
        MCOPY => memory::mcopy(context),
        MLOAD => memory::mload(context),
        MSTORE => memory::mstore(context),
        MSTORE8 => memory::mstore8(context),
        LOG0 => host::log::<0, _>(context),
        LOG1 => host::log::<1, _>(context),
        LOG2 => host::log::<2, _>(context),
        LOG3 => host::log::<3, _>(context),
        LOG4 => host::log::<4, _>(context),
        CREATE => contract::create::<false, _, _>(context),
        CREATE2 => contract::create::<true, _, _>(context),
        CALL => contract::call::<CALL, _, _>(context),
        CALLCODE => contract::call::<CALLCODE, _, _>(context),
        DELEGATECALL => contract::call::<DELEGATECALL, _, _>(context),
        STATICCALL => contract::call::<STATICCALL, _, _>(context),
        RETURN => control::ret(context),
        REVERT => control::revert(context),
        _ => control::unknown(context),
    }
}
