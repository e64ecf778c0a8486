// SPDX-License-Identifier: Apache-2.0
//! Who asked for this invocation, and as what entry of which log.
//!
//! Input: empty. Output `abi.encode(bytes32 context, bytes32 contractId, uint256 seq, bytes16
//! envelopeId)`, the envelope id zero if the input came in no envelope. `SubrosaGuest.sol` is the
//! Solidity side.

use alloy_primitives::{Address, FixedBytes, U256};
use alloy_sol_types::SolValue;

use super::call::{Answer, HostCall, HostSession, SUBROSA_FAMILY, reserved};

/// Where a guest asks about its invocation: `0x0200000000000000000000000000000000000001`.
pub const INVOCATION: Address = reserved(SUBROSA_FAMILY, 1);

pub(super) const CALL: HostCall = HostCall {
    address: INVOCATION,
    work: |_, _| 0,
    run,
};

fn run(session: &mut HostSession<'_>, input: &[u8], fuel: u64) -> Answer {
    let price = session.call.runtime.limits.invocation_base;
    if price > fuel {
        return Answer::OutOfFuel;
    }
    if !input.is_empty() {
        return Answer::Refused;
    }
    let call = session.call;
    let envelope_id = FixedBytes::<16>::from(call.envelope_id.unwrap_or_default());
    Answer::Returned {
        fuel: price,
        output: (
            call.context,
            call.contract_id,
            U256::from(call.seq),
            envelope_id,
        )
            .abi_encode(),
    }
}
