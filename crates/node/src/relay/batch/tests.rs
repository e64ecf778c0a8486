// SPDX-License-Identifier: Apache-2.0

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use proptest::prelude::*;
use subrosa_types::{batch::CompactSignature, entry::LARGEST_CALLBACK_GAS};

use super::*;
use crate::gas::{LARGEST_RESULT_GAS, MAX_DATA_BYTES};

const LIMITS: Limits = Limits {
    items: 32,
    gas: 16_000_000,
    bytes: 120_000,
};

fn candidate(contract: ContractId, seq: u64, epoch: u32, callback: u32, data: usize) -> Candidate {
    let commitment = |seq: u64| {
        if seq == 0 {
            return B256::ZERO;
        }
        let mut word =
            alloy_primitives::keccak256([contract.as_slice(), &seq.to_be_bytes()].concat());
        word.0[26..].fill(0);
        word
    };
    let settlement = Settlement {
        requester: Address::repeat_byte(1),
        callback_gas_limit: callback,
        flags: 0,
        deadline: 0,
    };
    let payment = Payment {
        landing: 1,
        callback: 0,
        charge: 0,
        key_group: 1,
        key_epoch: epoch,
        seq,
    };
    Candidate {
        entry: Entry {
            contractId: contract,
            previousDigest: if seq == 0 {
                B256::ZERO
            } else {
                B256::repeat_byte(seq as u8)
            },
            context: B256::ZERO,
            inputHash: B256::ZERO,
            execution: U256::ZERO,
            settlement: settlement.pack(),
            payment: payment.pack(),
            refundTo: Address::ZERO,
        },
        previous_commitment: commitment(seq),
        result: ResultWord {
            commitment: commitment(seq + 1),
            status: 1,
            fuel_bucket: 20,
            has_logs: false,
            output_length: data as u32,
        },
        data: vec![7; data].into(),
    }
}

fn queue(contract: u8, from: u64, count: u64) -> Queue {
    let contract = B256::repeat_byte(contract);
    Queue {
        contract,
        stateless: false,
        candidates: (from..from + count)
            .map(|seq| candidate(contract, seq, 1, 0, 32))
            .collect(),
    }
}

#[test]
fn the_largest_result_fits_the_least_gas_alone_and_not_one_unit_less() {
    let largest = candidate(
        B256::ZERO,
        0,
        1,
        LARGEST_CALLBACK_GAS,
        MAX_DATA_BYTES as usize,
    );
    let queues = [Queue {
        contract: B256::ZERO,
        stateless: false,
        candidates: vec![largest],
    }];
    let limits = |gas| Limits { gas, ..LIMITS };
    let batch = select(&queues, 0, limits(LARGEST_RESULT_GAS));
    assert_eq!((batch.len(), batch.gas), (1, LARGEST_RESULT_GAS));
    assert!(select(&queues, 0, limits(LARGEST_RESULT_GAS - 1)).is_empty());
}

#[test]
fn nothing_outstanding_makes_no_batch() {
    assert!(select(&[], 5, LIMITS).is_empty());
    assert!(select(&[queue(1, 4, 0)], 0, LIMITS).is_empty());
}

#[test]
fn a_backlog_does_not_crowd_out_another_contract() {
    let batch = select(&[queue(1, 0, 500), queue(2, 9, 3)], 0, LIMITS);
    let counts: Vec<_> = batch.groups.iter().map(|group| group.items.len()).collect();
    assert_eq!(counts, [29, 3]);
}

#[test]
fn a_transaction_is_full_when_something_was_left_out_for_lack_of_room() {
    let queues = [queue(1, 0, 3), queue(2, 0, 1)];
    let room = |items, gas, bytes| select(&queues, 0, Limits { items, gas, bytes });
    let all = room(32, 16_000_000, 120_000);
    assert_eq!((all.len(), all.full), (4, false));
    for batch in [
        room(3, 16_000_000, 120_000),
        room(32, all.gas - 1, 120_000),
        room(32, 16_000_000, 2_400),
    ] {
        assert!(batch.full && batch.len() == 3, "{batch:?}");
    }
    let mut other = queue(3, 0, 2);
    other.candidates[1] = candidate(other.contract, 1, 2, 0, 32);
    let batch = select(&[other], 0, LIMITS);
    assert!(!batch.full, "another epoch's results take no room");
}

#[test]
fn what_is_sent_is_no_longer_than_it_was_thought_to_be() {
    for (contracts, each, data) in [(1, 200, 0), (40, 1, 32), (3, 20, 1_000), (1, 1, 34_816)] {
        let queues: Vec<_> = (0..contracts)
            .map(|contract| {
                let contract = B256::repeat_byte(contract);
                Queue {
                    contract,
                    stateless: false,
                    candidates: (0..each)
                        .map(|seq| candidate(contract, seq, 1, 0, data))
                        .collect(),
                }
            })
            .collect();
        let limits = Limits {
            items: 1_024,
            ..LIMITS
        };
        let batch = select(&queues, 0, limits);
        let signed = Signed {
            group: 1,
            epoch: 1,
            signature: CompactSignature {
                r: B256::ZERO,
                vs: B256::ZERO,
            },
        };
        let length = batch.packed(&signed, Address::ZERO).unwrap().len();
        assert!(length + 300 <= limits.bytes, "{length} bytes");
    }
}

#[test]
fn an_item_that_no_transaction_holds_blocks_only_its_own_contract() {
    let mut heavy = queue(1, 0, 2);
    heavy.candidates[0] = candidate(heavy.contract, 0, 1, 40_000_000, 0);
    let batch = select(&[heavy, queue(2, 0, 2)], 0, LIMITS);
    assert_eq!(batch.groups.len(), 1);
    assert_eq!(batch.groups[0].contract, B256::repeat_byte(2));
}

#[test]
fn the_start_word_is_the_head_the_group_continues() {
    let batch = select(&[queue(1, 5, 2)], 0, LIMITS);
    let group = batch.groups[0].packed();
    assert_eq!(group.start.seq, 5);
    assert_eq!(
        group.start.commitment,
        batch.groups[0].items[0].previous_commitment
    );
    assert_eq!(group.previous_digest, B256::repeat_byte(5));
}

prop_compose! {
    fn a_queue(contract: u8)(
        stateless in any::<bool>(),
        from in 0u64..100,
        items in proptest::collection::vec((1u32..3, 0u32..3_000_000, 0usize..2_000), 0..60),
    ) -> Queue {
        let contract = B256::repeat_byte(contract);
        let candidates = items
            .iter()
            .zip(from..)
            .map(|((epoch, callback, data), seq)| candidate(contract, seq, *epoch, *callback, *data))
            .collect();
        Queue { contract, stateless, candidates }
    }
}

proptest! {
    #[test]
    fn batches_keep_every_promise(
        queues in (a_queue(1), a_queue(2), a_queue(3)).prop_map(|(a, b, c)| [a, b, c]),
        turn in any::<usize>(),
        items in 1usize..33,
    ) {
        let limits = Limits { items, ..LIMITS };
        let batch = select(&queues, turn, limits);
        prop_assert!(batch.len() <= items);
        prop_assert!(batch.gas <= limits.gas);
        let outstanding = queues.iter().any(|queue| !queue.candidates.is_empty());
        prop_assert_eq!(batch.is_empty(), !outstanding, "every candidate here fits alone");

        let mut epochs: Vec<_> =
            batch.groups.iter().flat_map(|g| &g.items).map(Candidate::keys).collect();
        epochs.dedup();
        prop_assert!(epochs.len() <= 1, "one signature, one key epoch");

        // Groups of a contract, one after the other, are the front of its queue.
        let mut taken: BTreeMap<ContractId, Vec<Candidate>> = BTreeMap::new();
        for group in &batch.groups {
            prop_assert!(!group.items.is_empty());
            taken.entry(group.contract).or_default().extend(group.items.clone());
        }
        for queue in &queues {
            let items = taken.remove(&queue.contract).unwrap_or_default();
            prop_assert_eq!(&items[..], &queue.candidates[..items.len()]);
            if queue.stateless {
                let sizes = batch.groups.iter().filter(|g| g.contract == queue.contract);
                prop_assert!(sizes.clone().all(|group| group.items.len() == 1));
            }
        }

        // What is signed is what is sent, in order.
        let refs = batch.results();
        let seqs: Vec<_> =
            batch.groups.iter().flat_map(|g| &g.items).map(|item| item.entry.seq()).collect();
        prop_assert_eq!(refs.iter().map(|result| result.seq).collect::<Vec<_>>(), seqs);
    }

    #[test]
    fn batch_after_batch_everything_is_sent_exactly_once(
        queues in (a_queue(1), a_queue(2), a_queue(3)).prop_map(|(a, b, c)| [a, b, c]),
    ) {
        let mut left = queues.clone();
        let mut sent: BTreeMap<ContractId, Vec<u64>> = BTreeMap::new();
        let mut head: BTreeMap<ContractId, Head> = BTreeMap::new();
        for turn in 0.. {
            let batch = select(&left, turn, LIMITS);
            if batch.is_empty() {
                break;
            }
            for group in &batch.groups {
                let queue = left.iter_mut().find(|q| q.contract == group.contract).unwrap();
                let packed = group.packed();
                if let Some(head) = head.get(&group.contract).filter(|_| !queue.stateless) {
                    prop_assert_eq!(packed.start, *head, "each group continues the last");
                }
                for item in queue.candidates.drain(..group.items.len()) {
                    sent.entry(group.contract).or_default().push(item.entry.seq());
                    let next = Head {
                        seq: item.entry.seq() + 1,
                        commitment: item.result.commitment,
                    };
                    head.insert(group.contract, next);
                }
            }
        }
        for queue in &queues {
            let expected: Vec<_> = queue.candidates.iter().map(|c| c.entry.seq()).collect();
            prop_assert_eq!(sent.remove(&queue.contract).unwrap_or_default(), expected);
        }
    }
}
