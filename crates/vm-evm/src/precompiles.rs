// SPDX-License-Identifier: Apache-2.0
//! Ethereum's precompiled contracts and the host calls.

use std::sync::LazyLock;

use alloy_primitives::Bytes;
use revm::{
    handler::{EthPrecompiles, PrecompileProvider},
    interpreter::{CallInputs, Gas, InstructionResult, InterpreterResult},
    precompile::{PrecompileSpecId, Precompiles},
    primitives::{AddressSet, hardfork::SpecId},
};

use subrosa_vm::{
    Call,
    host::{self, Answer, HostSession},
};

use crate::{
    context::{GuestContext, SPEC},
    work::precompiles,
};

/// What answers calls to addresses without code.
pub(crate) struct GuestPrecompiles<'a> {
    ethereum: EthPrecompiles,
    session: HostSession<'a>,
}

impl<'a> GuestPrecompiles<'a> {
    pub(crate) fn new(call: &'a Call<'a>) -> Self {
        Self {
            ethereum: EthPrecompiles::new(SPEC),
            session: HostSession::new(call),
        }
    }
}

impl<'a> PrecompileProvider<GuestContext<'a>> for GuestPrecompiles<'a> {
    type Output = InterpreterResult;

    /// There is one hard fork; nothing changes with it.
    fn set_spec(&mut self, _spec: SpecId) -> bool {
        false
    }

    fn run(
        &mut self,
        context: &mut GuestContext<'a>,
        inputs: &CallInputs,
    ) -> Result<Option<InterpreterResult>, String> {
        let (address, fuel) = (inputs.bytecode_address, inputs.gas_limit);
        let ethereum = {
            let input = inputs.input.as_bytes(context);
            let ethereum = precompiles::work(address, &input, fuel);
            let Some(work) = ethereum.or_else(|| self.session.work(address, &input)) else {
                return Ok(None);
            };
            if !context.chain.spend(work) {
                // Nobody reads it: the frame loop ends the execution.
                return Ok(Some(interpreter_result(Answer::OutOfFuel, fuel)));
            }
            ethereum.is_some()
        };
        if ethereum {
            return self.ethereum.run(context, inputs);
        }
        let input = inputs.input.as_bytes(context);
        let answer = self.session.answer(address, &input, fuel);
        Ok(answer.map(|answer| interpreter_result(answer, fuel)))
    }

    fn warm_addresses(&self) -> &AddressSet {
        &WARM
    }
}

/// Every address that costs no more the first time than later.
static WARM: LazyLock<AddressSet> = LazyLock::new(|| {
    let ethereum = Precompiles::new(PrecompileSpecId::from_spec_id(SPEC)).addresses();
    ethereum
        .copied()
        .chain(host::addresses())
        .collect::<AddressSet>()
});

fn interpreter_result(answer: Answer, fuel: u64) -> InterpreterResult {
    let mut gas = Gas::new(fuel);
    let (result, output) = match answer {
        Answer::Returned { fuel, output } if gas.record_regular_cost(fuel) => {
            (InstructionResult::Return, Bytes::from(output))
        }
        Answer::Returned { .. } | Answer::OutOfFuel => {
            gas.spend_all();
            (InstructionResult::PrecompileOOG, Bytes::new())
        }
        Answer::Refused => {
            gas.spend_all();
            (InstructionResult::PrecompileError, Bytes::new())
        }
    };
    InterpreterResult::new(result, output, gas)
}

/// Shows nothing of the call.
impl core::fmt::Debug for GuestPrecompiles<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("GuestPrecompiles")
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, U256};

    use super::*;

    #[test]
    fn every_precompiled_contract_of_osaka_is_there() {
        let expected = (1..=0x11)
            .chain([0x100])
            .map(|number: u64| Address::from_word(U256::from(number).into()));
        let expected: AddressSet = expected.chain(host::addresses()).collect();
        assert_eq!(*WARM, expected);
    }
}
