// SPDX-License-Identifier: Apache-2.0
//! Calls: what is a result, what is none, and what each reveals.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolError};
use subrosa_crypto::{RecipientKey, Subject, Suite, envelope::Purpose, reply};
use subrosa_enclave_core::MAX_ENVELOPE_LIFETIME;
use subrosa_types::{
    ContractId,
    frame::{Ended, ErrorCode, ResultRef},
    result::Status,
};

use crate::{
    chain::{Ask, Chain},
    guest,
    harness::{Host, assert_refused, context_of},
};

const SEALED: fn() -> Ask = || Ask {
    sealed: true,
    ..Ask::default()
};

fn deployed() -> (Chain, Host, ContractId) {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, _) = host.deploy(&mut chain, 100);
    (chain, host, contract)
}

fn open_reply(
    chain: &Chain,
    contract: ContractId,
    digest: B256,
    key: &RecipientKey,
    sealed: &[u8],
) -> Vec<u8> {
    let binding = reply::ReplyBinding {
        chain_id: chain.chain_id,
        oracle: chain.oracle,
        contract_id: contract,
        subject: Subject::Entry(digest),
    };
    reply::open(key, &binding, sealed).unwrap().to_vec()
}

#[test]
fn a_public_call_returns_its_output_in_public() {
    let (mut chain, mut host, contract) = deployed();
    let result = host.call(&mut chain, contract, Ask::default(), guest::add(5).into());
    assert_eq!(result.status, Status::Succeeded);
    assert_eq!(result.output.as_ref(), guest::uint(105));
    assert!(result.sealed_output.is_empty());
}

#[test]
fn a_sealed_call_with_a_reply_key_returns_its_output_to_that_key_only() {
    let (mut chain, mut host, contract) = deployed();
    for suite in [Suite::XWing, Suite::X25519] {
        let key = RecipientKey::from_seed(suite, &[7; 32]);
        let input = host.seal_call(&chain, contract, SEALED(), guest::add(5), Some(&key));
        let entry = chain.request(contract, SEALED(), input);
        let digest = entry.entry.digest(chain.chain_id, chain.oracle);
        let result = host
            .execute(&chain, contract, vec![entry])
            .unwrap()
            .results
            .remove(0);
        assert_eq!(result.status, Status::Succeeded);
        assert!(result.output.is_empty());
        let output = open_reply(&chain, contract, digest, &key, &result.sealed_output);
        let total = if suite == Suite::XWing { 105 } else { 110 };
        assert_eq!(output, guest::uint(total));
    }
}

#[test]
fn why_a_guest_reverted_is_for_the_reply_key_only() {
    let (mut chain, mut host, contract) = deployed();
    let refuse = guest::refuseCall {
        reason: U256::from(77),
    }
    .abi_encode();

    let public = host.call(&mut chain, contract, Ask::default(), refuse.clone().into());
    assert_eq!(public.status, Status::Failed);
    assert!(public.output.is_empty() && public.sealed_output.is_empty());

    let key = RecipientKey::from_seed(Suite::XWing, &[7; 32]);
    let input = host.seal_call(&chain, contract, SEALED(), refuse, Some(&key));
    let entry = chain.request(contract, SEALED(), input);
    let digest = entry.entry.digest(chain.chain_id, chain.oracle);
    let sealed = host
        .execute(&chain, contract, vec![entry])
        .unwrap()
        .results
        .remove(0);
    assert_eq!(sealed.status, Status::Failed);
    let reason = open_reply(&chain, contract, digest, &key, &sealed.sealed_output);
    let reason = guest::Refused::abi_decode(&reason).unwrap();
    assert_eq!(reason.reason, U256::from(77));

    let result = host.call(&mut chain, contract, Ask::default(), guest::add(1).into());
    assert_eq!(
        result.output.as_ref(),
        guest::uint(101),
        "a failure leaves the state unchanged"
    );
}

#[test]
fn an_output_longer_than_is_paid_for_is_a_failure_without_any() {
    let (mut chain, mut host, contract) = deployed();
    let limited = |output_limit| Ask {
        output_limit,
        ..Ask::default()
    };
    let short = host.call(&mut chain, contract, limited(31), guest::add(5).into());
    assert_eq!(short.status, Status::Failed);
    assert!(short.output.is_empty() && short.sealed_output.is_empty());
    let fits = host.call(&mut chain, contract, limited(32), guest::add(5).into());
    assert_eq!(fits.status, Status::Succeeded);
    assert_eq!(fits.output.as_ref(), guest::uint(105), "nothing was added");
}

/// What counts is what is landed: padded and sealed.
#[test]
fn a_sealed_output_counts_as_long_as_it_is_sealed() {
    let (mut chain, mut host, contract) = deployed();
    let key = RecipientKey::from_seed(Suite::X25519, &[7; 32]);
    let refuse = guest::refuseCall {
        reason: U256::from(77),
    };
    let whole = {
        let input = host.seal_call(&chain, contract, SEALED(), guest::add(5), Some(&key));
        host.call(&mut chain, contract, SEALED(), input)
    };
    let length = whole.sealed_output.len() as u32;
    for (calldata, limit, status, sealed) in [
        (guest::add(5), length, Status::Succeeded, length),
        (guest::add(5), length - 1, Status::Failed, 0),
        (refuse.abi_encode(), length, Status::Failed, length),
        (refuse.abi_encode(), length - 1, Status::Failed, 0),
    ] {
        let ask = Ask {
            output_limit: limit,
            ..SEALED()
        };
        let input = host.seal_call(&chain, contract, ask, calldata, Some(&key));
        let result = host.call(&mut chain, contract, ask, input);
        assert_eq!(
            (result.status, result.sealed_output.len() as u32),
            (status, sealed)
        );
        assert!(result.output.is_empty());
    }
    let value = host.call(&mut chain, contract, Ask::default(), guest::add(0).into());
    assert_eq!(value.output.as_ref(), guest::uint(110), "two of them were");
}

#[test]
fn running_out_of_fuel_is_a_signed_failure() {
    let (mut chain, mut host, contract) = deployed();
    let spin = guest::spinCall {}.abi_encode();
    let ask = Ask {
        fuel_limit: 300_000,
        ..Ask::default()
    };
    let result = host.call(&mut chain, contract, ask, spin.into());
    assert_eq!((result.status, result.fuel_bucket), (Status::Failed, 19));
    let result = host.call(&mut chain, contract, Ask::default(), guest::add(1).into());
    assert_eq!(result.output.as_ref(), guest::uint(101));
}

#[test]
fn input_that_does_not_open_is_rejected_and_the_log_advances() {
    let (mut chain, mut host, contract) = deployed();
    let good = host.seal_call(&chain, contract, SEALED(), guest::add(5), None);
    let mut tampered = good.to_vec();
    *tampered.last_mut().unwrap() ^= 1;
    let stranger = Ask {
        requester: Address::repeat_byte(1),
        ..SEALED()
    };
    let for_stranger = host.seal_call(&chain, contract, stranger, guest::add(5), None);
    let for_query = host.seal(&chain, contract, SEALED(), Purpose::Query, &[0; 256]);
    let not_abi = host.seal(&chain, contract, SEALED(), Purpose::Call, &[0xff; 256]);
    let inputs = [
        Bytes::new(),
        Bytes::from(tampered),
        for_stranger,
        for_query,
        not_abi,
        good.slice(..good.len() - 1),
        Bytes::from(vec![1; 200]),
    ];
    for (index, input) in inputs.into_iter().enumerate() {
        let result = host.call(&mut chain, contract, SEALED(), input);
        assert_eq!(
            (result.seq, result.status),
            (index as u64 + 1, Status::Rejected)
        );
        assert!(result.output.is_empty() && result.sealed_output.is_empty());
    }
    let result = host.call(&mut chain, contract, SEALED(), good);
    assert_eq!(result.output.as_ref(), guest::uint(105));
}

#[test]
fn a_ciphertext_copied_under_another_context_is_rejected() {
    let (mut chain, mut host, contract) = deployed();
    let alice = Ask {
        context: context_of(Address::repeat_byte(0xa1), 0),
        ..SEALED()
    };
    let mallory = Ask {
        context: context_of(Address::repeat_byte(0x3a), 0),
        ..SEALED()
    };
    let bid = host.seal_call(&chain, contract, alice, guest::add(5), None);
    let copied = host.call(&mut chain, contract, mallory, bid.clone());
    assert_eq!(copied.status, Status::Rejected);
    let original = host.call(&mut chain, contract, alice, bid);
    assert_eq!(original.status, Status::Succeeded);
}

#[test]
fn an_envelope_is_used_once_even_if_the_guest_failed() {
    let (mut chain, mut host, contract) = deployed();
    let once = host.seal_call(&chain, contract, SEALED(), guest::add(5), None);
    let refused = guest::refuseCall { reason: U256::ZERO }.abi_encode();
    let failing = host.seal_call(&chain, contract, SEALED(), refused, None);
    for (input, first) in [(once, Status::Succeeded), (failing, Status::Failed)] {
        let result = host.call(&mut chain, contract, SEALED(), input.clone());
        assert_eq!(result.status, first);
        let result = host.call(&mut chain, contract, SEALED(), input);
        assert_eq!(result.status, Status::Rejected);
    }
}

#[test]
fn an_expired_or_overlong_envelope_is_rejected() {
    let (mut chain, mut host, contract) = deployed();
    let soon = host.seal_call(&chain, contract, SEALED(), guest::add(5), None);
    let mut later = chain.clone();
    later.timestamp += MAX_ENVELOPE_LIFETIME;
    let overlong = host.seal_call(&later, contract, SEALED(), guest::add(5), None);
    assert_eq!(
        host.call(&mut chain, contract, SEALED(), overlong).status,
        Status::Rejected
    );
    chain.timestamp += 3_601;
    assert_eq!(
        host.call(&mut chain, contract, SEALED(), soon).status,
        Status::Rejected
    );
}

#[test]
fn the_guest_sees_requester_context_time_and_block_of_the_entry() {
    let (mut chain, mut host, contract) = deployed();
    let ask = Ask {
        context: context_of(Address::repeat_byte(0xa1), 7),
        ..Ask::default()
    };
    let who = guest::whoCall {}.abi_encode();
    let entry = chain.request(contract, ask, who.into());
    let (number, time) = (chain.number, chain.timestamp);
    // The proof may come from any later block; the guest sees the entry's.
    for _ in 0..5 {
        chain.mine();
    }
    let result = host
        .execute(&chain, contract, vec![entry])
        .unwrap()
        .results
        .remove(0);
    let seen = guest::whoCall::abi_decode_returns(&result.output).unwrap();
    assert_eq!((seen.sender, seen.context), (ask.requester, ask.context));
    assert_eq!(
        (seen.time, seen.number),
        (U256::from(time), U256::from(number))
    );
}

#[test]
fn randomness_depends_on_the_entry_and_nothing_the_host_chooses() {
    let (mut chain, mut host, contract) = deployed();
    let dice = Bytes::from(guest::diceCall {}.abi_encode());
    let first = chain.request(contract, Ask::default(), dice.clone());
    let second = chain.request(contract, Ask::default(), dice);
    let results = host
        .execute(&chain, contract, vec![first.clone(), second])
        .unwrap()
        .results;
    assert_eq!(results[0].status, Status::Succeeded);
    assert_ne!(results[0].output, results[1].output);
}

#[test]
fn one_proof_of_the_last_entry_proves_a_whole_batch() {
    let (mut chain, mut host, contract) = deployed();
    let entries: Vec<_> = (1..=20)
        .map(|n| chain.request(contract, Ask::default(), guest::add(n).into()))
        .collect();
    let executed = host.execute(&chain, contract, entries).unwrap();
    assert_eq!(executed.ended, Ended::Complete);
    assert_eq!(executed.results.len(), 20);
    for pair in executed.results.windows(2) {
        assert_eq!(pair[0].commitment, pair[1].previous_commitment);
    }
    assert_eq!(executed.results[19].output.as_ref(), guest::uint(100 + 210));
}

#[test]
fn entries_must_continue_the_loaded_state() {
    let (mut chain, mut host, contract) = deployed();
    let first = chain.request(contract, Ask::default(), guest::add(1).into());
    let second = chain.request(contract, Ask::default(), guest::add(2).into());
    let skipped = host.execute(&chain, contract, vec![second.clone()]);
    assert_refused(skipped, ErrorCode::Sequence);
    let swapped = host.execute(&chain, contract, vec![second.clone(), first.clone()]);
    assert_refused(swapped, ErrorCode::Sequence);
    host.execute(&chain, contract, vec![first.clone(), second.clone()])
        .unwrap();
    assert_refused(
        host.execute(&chain, contract, vec![first, second]),
        ErrorCode::Sequence,
    );
}

#[test]
fn altered_inputs_and_entries_are_refused() {
    let (mut chain, mut host, contract) = deployed();
    let entry = chain.request(contract, Ask::default(), guest::add(1).into());
    let mut other_input = entry.clone();
    other_input.input = guest::add(2).into();
    assert_refused(
        host.execute(&chain, contract, vec![other_input]),
        ErrorCode::Sequence,
    );
    let mut other_requester = entry.clone();
    other_requester.entry.settlement ^= U256::from(1) << 200;
    assert_refused(
        host.execute(&chain, contract, vec![other_requester]),
        ErrorCode::Proof,
    );
    let mut more_fuel = entry.clone();
    more_fuel.entry.execution ^= U256::from(1) << 180;
    assert_refused(
        host.execute(&chain, contract, vec![more_fuel]),
        ErrorCode::Proof,
    );
    let mut other_class = entry;
    other_class.entry.execution ^= U256::from(3) << 128;
    chain.log(&other_class.entry);
    assert_refused(
        host.execute(&chain, contract, vec![other_class]),
        ErrorCode::Unsupported,
    );
}

#[test]
fn an_entry_of_an_epoch_that_is_not_held_has_no_result() {
    let (mut chain, mut host, contract) = deployed();
    let mut entry = chain.request(contract, Ask::default(), guest::add(1).into());
    entry.entry.payment += U256::from(1) << 48;
    chain.log(&entry.entry);
    assert_refused(
        host.execute(&chain, contract, vec![entry]),
        ErrorCode::MissingKey,
    );
}

#[test]
fn an_entry_of_another_runtime_generation_has_no_result() {
    let (mut chain, mut host, contract) = deployed();
    let mut entry = chain.request(contract, Ask::default(), guest::add(1).into());
    entry.entry.execution += U256::from(1) << 136;
    chain.log(&entry.entry);
    assert_refused(
        host.execute(&chain, contract, vec![entry]),
        ErrorCode::Generation,
    );
}

#[test]
fn a_refusal_inside_a_batch_keeps_the_results_before_it() {
    let (mut chain, mut host, contract) = deployed();
    let first = chain.request(contract, Ask::default(), guest::add(1).into());
    let mut second = chain.request(contract, Ask::default(), guest::add(1).into());
    second.entry.payment += U256::from(1) << 48;
    chain.log(&second.entry);
    let executed = host.execute(&chain, contract, vec![first, second]).unwrap();
    assert_eq!(executed.results.len(), 1);
    assert!(
        matches!(executed.ended, Ended::Refused(refusal) if refusal.code == ErrorCode::MissingKey)
    );
}

#[test]
fn stateless_entries_execute_in_any_order_and_change_nothing() {
    let (mut chain, mut host, contract) = deployed();
    let mut entries: Vec<_> = (1..=3)
        .map(|n| chain.request(contract, Ask::default(), guest::add(n).into()))
        .collect();
    for entry in &mut entries {
        entry.entry.previousDigest = B256::ZERO;
        chain.log(&entry.entry);
    }
    entries.reverse();
    let mut blobs = host.snapshot(contract);
    for (entry, amount) in entries.into_iter().zip([3, 2, 1]) {
        let result = host
            .execute(&chain, contract, vec![entry])
            .unwrap()
            .results
            .remove(0);
        assert_eq!(result.output.as_ref(), guest::uint(100 + amount));
        assert_eq!(
            (result.previous_commitment, result.commitment),
            (B256::ZERO, B256::ZERO)
        );
        blobs.push(result.blob);
    }
    // Another boot loads them, and can sign what they say.
    let mut other = host.restart(&chain, 3);
    other.load(contract, blobs).unwrap();
    let results = (1..=3).map(|seq| ResultRef { contract, seq });
    other.sign(results.collect()).unwrap();
}
