// SPDX-License-Identifier: Apache-2.0
//! Random bytes, as Oasis Sapphire gives them.
//!
//! Input `abi.encode(uint256 numBytes, bytes personalization)`, output the raw bytes; asking for
//! more than 1,024 yields 1,024. Price: 10,000, plus 240 per word of output, plus 60 per word of
//! personalization. (Oasis Sapphire, contract reference `Sapphire.sol`, `RANDOM_BYTES`.)

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolValue;

use super::call::{Answer, HostCall, HostSession, SAPPHIRE_FAMILY, reserved};
use crate::limits::Limits;

/// Where a guest asks for random bytes: `0x0100000000000000000000000000000000000001`.
pub const RANDOM_BYTES: Address = reserved(SAPPHIRE_FAMILY, 1);

pub(super) const CALL: HostCall = HostCall {
    address: RANDOM_BYTES,
    work,
    run,
};

fn work(limits: &Limits, input: &[u8]) -> u64 {
    let asked = input
        .first_chunk()
        .map_or(U256::ZERO, |word| U256::from_be_bytes::<32>(*word));
    limits.random_work + limits.random_work_word * words(length(limits, asked))
}

fn run(session: &mut HostSession<'_>, input: &[u8], fuel: u64) -> Answer {
    let limits = session.call.runtime.limits;
    if fuel < limits.random_base {
        return Answer::OutOfFuel;
    }
    let Ok((length, personalization)) = <(U256, Bytes)>::abi_decode_params_validate(input) else {
        return Answer::Refused;
    };
    let length = self::length(limits, length);
    let price = limits.random_base
        + limits.random_word * words(length)
        + limits.random_personalization_word * words(personalization.len());
    if price > fuel {
        return Answer::OutOfFuel;
    }
    Answer::Returned {
        fuel: price,
        output: session.randomness.draw(&personalization, length),
    }
}

/// Bytes that somebody who asks for `asked` gets.
fn length(limits: &Limits, asked: U256) -> usize {
    usize::try_from(asked)
        .unwrap_or(usize::MAX)
        .min(limits.random_max_bytes)
}

fn words(bytes: usize) -> u64 {
    bytes.div_ceil(32) as u64
}
