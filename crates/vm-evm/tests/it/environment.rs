// SPDX-License-Identifier: Apache-2.0
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use subrosa_vm::{
    Call, Halt,
    conformance::{CALLER, CONTRACT, Environment, Guest, Probe, call},
};

use crate::guest::{self, evm};

fn environment(guest: &Guest, call: &Call<'_>) -> Environment {
    let execution = evm().call(&guest.state, call);
    assert_eq!(execution.halt, Halt::Succeeded);
    Probe::environmentCall::abi_decode_returns_validate(&execution.output).unwrap()
}

#[test]
fn a_guest_sees_the_entry_and_nothing_else() {
    let guest = guest::construct(&guest::probe(), &[]);
    let input = Probe::environmentCall {}.abi_encode();
    let call = call(&input);
    let seen = environment(&guest, &call);
    assert_eq!(seen.chainId, U256::from(call.chain_id));
    assert_eq!(seen.number, U256::from(call.block_number));
    assert_eq!(seen.timestamp, U256::from(call.block_timestamp));
    assert_eq!(
        (seen.origin, seen.sender, seen.account),
        (CALLER, CALLER, CONTRACT)
    );
    assert_eq!(seen.coinbase, Address::ZERO);
    assert_eq!(seen.parentHash, B256::ZERO);
    let max_fuel = call.runtime.limits.max_fuel;
    assert_eq!(seen.gasLimit, U256::from(max_fuel));
    assert_eq!((seen.baseFee, seen.gasPrice), (U256::ZERO, U256::ZERO));
    assert_eq!(seen.blobBaseFee, U256::ONE);
    assert_eq!((seen.balance, seen.senderBalance), (U256::ZERO, U256::ZERO));
}

#[test]
fn prevrandao_follows_the_seed_and_does_not_show_it() {
    let guest = guest::construct(&guest::probe(), &[]);
    let input = Probe::environmentCall {}.abi_encode();
    let at = |seed: u8, block_number: u64| {
        let randomness = B256::repeat_byte(seed);
        let seen = environment(
            &guest,
            &Call {
                randomness,
                block_number,
                ..call(&input)
            },
        );
        assert_ne!(seen.prevrandao, randomness);
        seen.prevrandao
    };
    assert_eq!(at(1, 10), at(1, 11));
    assert_ne!(at(1, 10), at(2, 10));
}

#[test]
fn extreme_blocks_and_chains_are_seen_as_they_are() {
    let guest = guest::construct(&guest::probe(), &[]);
    let input = Probe::environmentCall {}.abi_encode();
    let extreme = Call {
        chain_id: u64::MAX,
        block_number: u64::MAX,
        block_timestamp: u64::MAX,
        ..call(&input)
    };
    let seen = environment(&guest, &extreme);
    let max = U256::from(u64::MAX);
    assert_eq!((seen.chainId, seen.number, seen.timestamp), (max, max, max));
}
