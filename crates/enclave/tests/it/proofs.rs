// SPDX-License-Identifier: Apache-2.0
//! Proofs decide; what they prove is checked against what was asked.

use alloy_primitives::Bytes;
use subrosa_types::{
    frame::{EntryProof, ErrorCode, SlotProof},
    slot::Place,
};

use crate::{
    chain::{Ask, Chain},
    guest,
    harness::{Host, assert_refused},
};

#[test]
fn a_proof_of_another_entry_account_or_time_is_refused() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, _) = host.deploy(&mut chain, 1);
    let before = chain.clone();
    let entry = chain.request(contract, Ask::default(), guest::add(1).into());
    let absent = before.prove_entry(contract, 1);
    let of_entry_zero = chain.prove_entry(contract, 0);
    let of_the_registry = EntryProof::Slot(Box::new(SlotProof {
        place: Place::Ring,
        storage: chain.prove_epoch(1),
    }));
    for proof in [absent, of_entry_zero, of_the_registry] {
        let answer = host.execute_with(contract, vec![entry.clone()], None, proof);
        assert_refused(answer, ErrorCode::Proof);
    }
    let mut elsewhere = chain.prove_slot(contract, 1);
    elsewhere.place = Place::Own;
    let elsewhere = EntryProof::Slot(Box::new(elsewhere));
    let answer = host.execute_with(contract, vec![entry.clone()], None, elsewhere);
    assert_refused(answer, ErrorCode::Proof);
    let proof = chain.prove_entry(contract, 1);
    host.execute_with(contract, vec![entry], None, proof)
        .unwrap();
}

#[test]
fn every_altered_byte_of_a_proof_is_refused() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, _) = host.deploy(&mut chain, 1);
    let entry = chain.request(contract, Ask::default(), guest::add(1).into());
    let proof = chain.prove_slot(contract, 1).storage;
    for part in 0..2 {
        let nodes = if part == 0 {
            &proof.account_proof
        } else {
            &proof.slot_proof
        };
        for node in 0..nodes.len() {
            for byte in (0..nodes[node].len()).step_by(3) {
                let mut altered = proof.clone();
                let list = if part == 0 {
                    &mut altered.account_proof
                } else {
                    &mut altered.slot_proof
                };
                let mut bytes = list[node].to_vec();
                bytes[byte] ^= 0x10;
                list[node] = Bytes::from(bytes);
                let altered = EntryProof::Slot(Box::new(SlotProof {
                    place: Place::Ring,
                    storage: altered,
                }));
                let answer = host.execute_with(contract, vec![entry.clone()], None, altered);
                assert_refused(answer, ErrorCode::Proof);
            }
        }
    }
}
