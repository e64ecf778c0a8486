// SPDX-License-Identifier: Apache-2.0
//! Host calls answer the same whatever runs the guest.

use alloc::{vec, vec::Vec};

use alloy_primitives::{Address, B256, Bytes, FixedBytes, U256};
use alloy_sol_types::{SolCall, SolValue};

use super::{
    guest::{Guest, Probe, call},
    subject::Subject,
};
use crate::{
    Call, Halt,
    host::{INVOCATION, RANDOM_BYTES},
};

fn answer<C: SolCall>(guest: &Guest, request: &C, with: impl FnOnce(&mut Call<'_>)) -> C::Return {
    let input = request.abi_encode();
    let mut call = call(&input);
    with(&mut call);
    let execution = guest.vm.call(&guest.state, &call);
    assert_eq!(execution.halt, Halt::Succeeded);
    C::abi_decode_returns_validate(&execution.output).unwrap()
}

/// Calls `target` from within the guest: whether it succeeded, and its answer.
fn forward(subject: &Subject, target: Address, input: Vec<u8>, fuel: u64) -> (bool, Bytes) {
    let request = Probe::forwardCall {
        target,
        input: input.into(),
        gasLimit: U256::from(fuel),
    };
    let returned = subject.probe().run(&request);
    (returned.ok, returned.answer)
}

fn random_input(length: u64, personalization: &[u8]) -> Vec<u8> {
    (U256::from(length), Bytes::copy_from_slice(personalization)).abi_encode_params()
}

pub fn random_bytes_repeat_with_the_seed_and_differ_by_call(subject: &Subject) {
    let guest = subject.probe();
    let request = Probe::randomCall {
        n: U256::from(48),
        personalization: Bytes::from("p"),
    };
    let draw = |seed: u8, seq: u64| {
        let returned = answer(&guest, &request, |call| {
            call.randomness = B256::repeat_byte(seed);
            call.seq = seq;
        });
        assert_eq!((returned.first.len(), returned.second.len()), (48, 48));
        assert_ne!(returned.first, returned.second);
        (returned.first, returned.second)
    };
    assert_eq!(draw(1, 1), draw(1, 1));
    assert_eq!(draw(1, 1), draw(1, 2), "the seed alone decides");
    let (first, second) = draw(1, 1);
    let (other_first, other_second) = draw(2, 1);
    assert!(first != other_first && second != other_second && first != other_second);
}

pub fn a_draw_in_a_reverted_frame_is_not_drawn_again(subject: &Subject) {
    let returned = subject
        .probe()
        .view(&Probe::randomTwiceRevertingFirstCall {});
    assert_eq!((returned.first.len(), returned.second.len()), (32, 32));
    assert_ne!(returned.first, returned.second);
}

pub fn random_bytes_cost_what_they_cost_on_sapphire(subject: &Subject) {
    let prices = [
        (random_input(0, b""), 10_000),
        (random_input(1, b""), 10_240),
        (random_input(32, b""), 10_240),
        (random_input(33, b""), 10_480),
        (random_input(32, &[7; 32]), 10_300),
        (random_input(32, &[7; 33]), 10_360),
        (random_input(1024, b""), 10_000 + 32 * 240),
    ];
    for (input, price) in prices {
        assert!(
            forward(subject, RANDOM_BYTES, input.clone(), price).0,
            "{price}"
        );
        assert!(
            !forward(subject, RANDOM_BYTES, input, price - 1).0,
            "{price}"
        );
    }
}

pub fn more_than_the_limit_yields_the_limit(subject: &Subject) {
    for asked in [1025, u64::MAX] {
        let (ok, answer) = forward(subject, RANDOM_BYTES, random_input(asked, b""), 50_000);
        assert_eq!((ok, answer.len()), (true, 1024));
    }
    let input = (U256::MAX, Bytes::new()).abi_encode_params();
    assert_eq!(forward(subject, RANDOM_BYTES, input, 50_000).1.len(), 1024);
}

pub fn malformed_requests_for_random_bytes_fail(subject: &Subject) {
    let good = random_input(32, b"abc");
    assert!(forward(subject, RANDOM_BYTES, good.clone(), 50_000).0);
    let mut far_offset = good.clone();
    far_offset[32..64].fill(0xff);
    let mut long = good.clone();
    long[64..96].fill(0xff);
    for input in [
        vec![],
        vec![0; 31],
        good[..64].to_vec(),
        good[..96].to_vec(),
        far_offset,
        long,
    ] {
        let (ok, answer) = forward(subject, RANDOM_BYTES, input, 50_000);
        assert!(!ok && answer.is_empty());
    }
}

pub fn a_guest_learns_who_asked(subject: &Subject) {
    let guest = subject.probe();
    let mut context = B256::repeat_byte(0xee);
    context[20..].fill(1);
    let id = [0xab; 16];
    let seen = answer(&guest, &Probe::invocationCall {}, |call| {
        call.context = context;
        call.envelope_id = Some(id);
        call.seq = u64::MAX;
    });
    assert_eq!(seen.context, context);
    assert_eq!(seen.account, Address::repeat_byte(0xee));
    assert_eq!(seen.contractId, call(&[]).contract_id);
    assert_eq!(seen.seq, U256::from(u64::MAX));
    assert_eq!(seen.envelopeId, FixedBytes(id));

    let seen = answer(&guest, &Probe::invocationCall {}, |call| {
        call.envelope_id = None
    });
    assert_eq!(seen.envelopeId, FixedBytes::<16>::ZERO);
}

pub fn the_invocation_is_four_words(subject: &Subject) {
    let (ok, answer) = forward(subject, INVOCATION, vec![], 50);
    assert!(ok);
    let call = call(&[]);
    let expected = (
        call.context,
        call.contract_id,
        U256::from(call.seq),
        B256::ZERO,
    )
        .abi_encode();
    assert_eq!(answer, expected);
    assert!(!forward(subject, INVOCATION, vec![], 49).0);
    assert!(
        !forward(subject, INVOCATION, vec![0], 50_000).0,
        "input is reserved"
    );
}

pub fn a_reserved_address_without_a_host_call_fails_instead_of_answering_nothing(
    subject: &Subject,
) {
    let address = |first: u8, last: u8| {
        let mut address = [0; 20];
        address[0] = first;
        address[19] = last;
        Address::from(address)
    };
    // Sapphire's sealing precompile is not in this build.
    for reserved in [address(1, 3), address(2, 2)] {
        assert_eq!(
            forward(subject, reserved, vec![1; 64], 100_000),
            (false, Bytes::new())
        );
    }
    // Anywhere else a call to an account without code succeeds, as on Ethereum.
    assert_eq!(
        forward(subject, address(3, 1), vec![1; 64], 100_000),
        (true, Bytes::new())
    );
}
