// SPDX-License-Identifier: Apache-2.0
//! What every implementation of [`Storage`] must do.
//!
//! A suite is a function from a way to open the same storage again and again; each check closes
//! and reopens it before it looks.

use alloy_primitives::{Address, B256, Bytes};
use subrosa_store::{AdmissionRecord, IntentKind, MAX_UPGRADES, ResultRecord, Storage, StoreError};
use subrosa_types::frame::{BlobKind, HeaderFrame, StorageProof};

use crate::sample::{block, commitment, contract, cursor, entry, executed, fulfillment, intent};

/// Runs every check, each on a storage of its own. `fresh` gives a way to open an empty one.
pub(crate) fn run<S: Storage, O: Fn() -> S>(fresh: impl Fn() -> O) {
    for check in [
        starts_empty,
        blocks_append_in_order,
        blocks_are_refused_whole,
        a_rewind_takes_back_what_came_after,
        results_are_stored_with_their_blobs,
        results_of_replaced_entries_are_refused,
        blobs_lead_from_the_newest_snapshot,
        missing_deltas_are_named,
        pruning_keeps_what_later_states_need,
        the_chain_head_follows_the_fulfillments,
        proofs_and_envelopes_come_back,
        upgrade_envelopes_are_kept_by_commitment_and_in_number,
        admissions_and_epochs_come_back,
        intents_are_kept_per_sender_until_settled,
        contracts_do_not_mix,
    ] {
        let open = fresh();
        check(&|| Box::new(open()));
    }
}

type Open<'a> = &'a dyn Fn() -> Box<dyn Storage + 'a>;

fn starts_empty(open: Open<'_>) {
    let store = open();
    assert_eq!(store.cursor().unwrap(), None);
    assert!(store.contracts().unwrap().is_empty());
    assert_eq!(store.entry(contract(0), 0).unwrap(), None);
    assert_eq!(store.entries(contract(0), 0, 10).unwrap(), []);
    assert_eq!(store.last_entry(contract(0)).unwrap(), None);
    assert_eq!(store.last_result(contract(0)).unwrap(), None);
    assert_eq!(store.chain_head(contract(0)).unwrap(), None);
    assert_eq!(store.blobs_for_load(contract(0), u64::MAX).unwrap(), []);
    assert_eq!(store.epochs().unwrap(), []);
    assert_eq!(store.intents(Address::ZERO).unwrap(), []);
    assert!(matches!(
        store.rewind(cursor(0)),
        Err(StoreError::Inconsistent(_))
    ));
}

fn blocks_append_in_order(open: Open<'_>) {
    let (a, b) = (contract(0), contract(1));
    let store = open();
    store
        .apply_block(&block(10, &[(a, 0), (b, 0), (a, 1)]))
        .unwrap();
    store.apply_block(&block(11, &[])).unwrap();
    store.apply_block(&block(12, &[(a, 2), (a, 3)])).unwrap();
    drop(store);
    let store = open();
    assert_eq!(store.cursor().unwrap(), Some(cursor(12)));
    assert_eq!(store.contracts().unwrap(), [a, b]);
    assert_eq!(store.entry(a, 1).unwrap(), Some(entry(a, 1, 10)));
    assert_eq!(store.last_entry(a).unwrap(), Some(entry(a, 3, 12)));
    assert_eq!(store.last_entry(b).unwrap(), Some(entry(b, 0, 10)));
    let all = [
        entry(a, 0, 10),
        entry(a, 1, 10),
        entry(a, 2, 12),
        entry(a, 3, 12),
    ];
    assert_eq!(store.entries(a, 0, usize::MAX).unwrap(), all);
    assert_eq!(store.entries(a, 1, 2).unwrap(), all[1..3]);
    assert_eq!(store.entries(a, 4, 2).unwrap(), []);
    assert_eq!(store.entries(a, 0, 0).unwrap(), []);
    // The same block once more changes nothing.
    store.apply_block(&block(12, &[(a, 2), (a, 3)])).unwrap();
    assert_eq!(store.entries(a, 0, usize::MAX).unwrap(), all);
}

fn blocks_are_refused_whole(open: Open<'_>) {
    let a = contract(0);
    let store = open();
    store.apply_block(&block(10, &[(a, 0)])).unwrap();
    let refused = |block| matches!(store.apply_block(&block), Err(StoreError::Inconsistent(_)));
    assert!(refused(block(9, &[])), "the cursor moves back");
    let mut later_entry = block(11, &[(a, 1), (a, 2)]);
    later_entry.entries[1].block_number = 12;
    assert!(refused(later_entry));
    let mut later_fulfillment = block(11, &[(a, 1)]);
    later_fulfillment.fulfillments = vec![(a, 0, fulfillment(0, 12))];
    assert!(refused(later_fulfillment));
    assert_eq!(store.cursor().unwrap(), Some(cursor(10)));
    assert_eq!(store.entry(a, 1).unwrap(), None);
}

fn a_rewind_takes_back_what_came_after(open: Open<'_>) {
    let (a, b, c) = (contract(0), contract(1), contract(2));
    let store = open();
    store.apply_block(&block(10, &[(a, 0), (c, 0)])).unwrap();
    let mut second = block(11, &[(a, 1), (b, 0)]);
    second.fulfillments = vec![(a, 0, fulfillment(0, 11)), (c, 0, fulfillment(0, 11))];
    store.apply_block(&second).unwrap();
    let mut third = block(12, &[(a, 2)]);
    third.fulfillments = vec![(a, 1, fulfillment(1, 12))];
    store.apply_block(&third).unwrap();
    let results = [
        executed(a, 0, 10, BlobKind::Snapshot),
        executed(a, 1, 11, BlobKind::Delta),
        executed(a, 2, 12, BlobKind::Delta),
    ];
    store.commit_execution(a, &results).unwrap();
    let mut snapshot = results[2].blob.clone();
    snapshot.kind = BlobKind::Snapshot;
    store.put_blob(a, &snapshot).unwrap();
    for seq in 0..3 {
        store.put_proof(a, seq, &StorageProof::default()).unwrap();
    }

    assert_eq!(store.rewind(cursor(11)).unwrap(), [a]);
    drop(store);
    let store = open();
    assert_eq!(store.cursor().unwrap(), Some(cursor(11)));
    assert_eq!(store.last_entry(a).unwrap(), Some(entry(a, 1, 11)));
    assert_eq!(store.last_result(a).unwrap().unwrap().seq, 1);
    assert_eq!(store.proof(a, 2).unwrap(), None);
    assert!(store.proof(a, 1).unwrap().is_some());
    let blobs = [results[0].blob.clone(), results[1].blob.clone()];
    assert_eq!(store.blobs_for_load(a, u64::MAX).unwrap(), blobs);
    assert_eq!(store.fulfillment(a, 1).unwrap(), None);
    assert_eq!(store.chain_head(a).unwrap().unwrap().seq, 1);

    assert_eq!(store.rewind(cursor(10)).unwrap(), [a, b, c]);
    assert_eq!(store.contracts().unwrap(), [a, c]);
    assert_eq!(store.entry(b, 0).unwrap(), None);
    assert_eq!(store.chain_head(a).unwrap(), None);
    assert_eq!(store.chain_head(c).unwrap(), None);
    assert!(store.rewind(cursor(10)).unwrap().is_empty());
    assert!(matches!(
        store.rewind(cursor(11)),
        Err(StoreError::Inconsistent(_))
    ));
    // The log goes on, differently.
    store.apply_block(&block(13, &[(a, 1)])).unwrap();
    assert_eq!(store.last_entry(a).unwrap(), Some(entry(a, 1, 13)));
    assert_eq!(store.result(a, 1).unwrap(), None);
    assert_eq!(store.proof(a, 1).unwrap(), None);
}

fn results_are_stored_with_their_blobs(open: Open<'_>) {
    let a = contract(0);
    let store = open();
    store
        .apply_block(&block(10, &[(a, 0), (a, 1), (a, 2)]))
        .unwrap();
    let first = executed(a, 0, 10, BlobKind::Snapshot);
    let second = executed(a, 1, 10, BlobKind::Delta);
    let third = executed(a, 2, 10, BlobKind::Delta);
    store.commit_execution(a, &[]).unwrap();
    store
        .commit_execution(a, std::slice::from_ref(&first))
        .unwrap();
    store
        .commit_execution(a, &[second.clone(), third.clone()])
        .unwrap();
    drop(store);
    let store = open();
    let records = [&first, &second, &third].map(ResultRecord::from);
    assert_eq!(store.results(a, 0, 10).unwrap(), records);
    assert_eq!(store.results(a, 1, 1).unwrap(), records[1..2]);
    assert_eq!(store.result(a, 2).unwrap().as_ref(), Some(&records[2]));
    assert_eq!(store.last_result(a).unwrap().as_ref(), Some(&records[2]));
    let blobs = store.blobs_for_load(a, 2).unwrap();
    let again: Vec<_> = records
        .into_iter()
        .zip(blobs)
        .map(|(record, blob)| record.with_blob(blob))
        .collect();
    assert_eq!(again, [first, second, third]);
}

fn results_of_replaced_entries_are_refused(open: Open<'_>) {
    let a = contract(0);
    let store = open();
    store.apply_block(&block(10, &[(a, 0)])).unwrap();
    let snapshot = |block| executed(a, 0, block, BlobKind::Snapshot);
    let unknown = |executed: &[_]| {
        matches!(
            store.commit_execution(a, executed),
            Err(StoreError::UnknownEntry { .. })
        )
    };
    let inconsistent = |executed: &[_]| {
        matches!(
            store.commit_execution(a, executed),
            Err(StoreError::Inconsistent(_))
        )
    };
    assert!(unknown(&[snapshot(11)]), "another block's entry 0");
    assert!(unknown(&[
        snapshot(10),
        executed(a, 1, 10, BlobKind::Delta)
    ]));
    let skipping = [snapshot(10), executed(a, 2, 10, BlobKind::Delta)];
    assert!(inconsistent(&skipping));
    let mut foreign = snapshot(10);
    foreign.blob.seq = 1;
    assert!(inconsistent(&[foreign]));
    assert_eq!(store.result(a, 0).unwrap(), None);
    assert_eq!(store.blobs_for_load(a, 9).unwrap(), []);
    assert!(matches!(
        store.put_proof(a, 1, &StorageProof::default()),
        Err(StoreError::UnknownEntry { seq: 1, .. })
    ));
    store.commit_execution(a, &[snapshot(10)]).unwrap();
}

/// Entries 0 to 9 with a snapshot at 0 and a further one at 5.
fn ten_entries(store: &dyn Storage) {
    let a = contract(0);
    let entries: Vec<_> = (0..10).map(|seq| (a, seq)).collect();
    store.apply_block(&block(10, &entries)).unwrap();
    let results: Vec<_> = (0..10)
        .map(|seq| {
            let kind = if seq == 0 {
                BlobKind::Snapshot
            } else {
                BlobKind::Delta
            };
            executed(a, seq, 10, kind)
        })
        .collect();
    store.commit_execution(a, &results).unwrap();
    let mut snapshot = results[5].blob.clone();
    snapshot.kind = BlobKind::Snapshot;
    store.put_blob(a, &snapshot).unwrap();
}

fn shape(store: &dyn Storage, up_to: u64) -> Vec<(u64, BlobKind)> {
    let blobs = store.blobs_for_load(contract(0), up_to).unwrap();
    blobs.iter().map(|blob| (blob.seq, blob.kind)).collect()
}

fn blobs_lead_from_the_newest_snapshot(open: Open<'_>) {
    use BlobKind::{Delta, Snapshot};
    ten_entries(&*open());
    let store = open();
    assert_eq!(shape(&*store, 0), [(0, Snapshot)]);
    assert_eq!(shape(&*store, 2), [(0, Snapshot), (1, Delta), (2, Delta)]);
    assert_eq!(shape(&*store, 4).len(), 5);
    assert_eq!(shape(&*store, 5), [(5, Snapshot)]);
    assert_eq!(shape(&*store, 6), [(5, Snapshot), (6, Delta)]);
    assert_eq!(shape(&*store, 9).len(), 5);
    assert_eq!(shape(&*store, u64::MAX).len(), 5);
}

fn missing_deltas_are_named(open: Open<'_>) {
    let a = contract(0);
    let store = open();
    let entries: Vec<_> = (0..4).map(|seq| (a, seq)).collect();
    store.apply_block(&block(10, &entries)).unwrap();
    store
        .put_blob(a, &executed(a, 0, 10, BlobKind::Snapshot).blob)
        .unwrap();
    store
        .put_blob(a, &executed(a, 1, 10, BlobKind::Delta).blob)
        .unwrap();
    store
        .put_blob(a, &executed(a, 3, 10, BlobKind::Delta).blob)
        .unwrap();
    assert_eq!(shape(&*store, 2).len(), 2);
    assert!(matches!(
        store.blobs_for_load(a, 3),
        Err(StoreError::MissingDelta { seq: 2, .. })
    ));
    // Deltas alone lead nowhere.
    let b = contract(1);
    store
        .put_blob(b, &executed(b, 1, 10, BlobKind::Delta).blob)
        .unwrap();
    assert_eq!(store.blobs_for_load(b, 9).unwrap(), []);
}

fn pruning_keeps_what_later_states_need(open: Open<'_>) {
    let store = open();
    ten_entries(&*store);
    let before: Vec<_> = (5..10).map(|seq| shape(&*store, seq)).collect();
    assert_eq!(store.prune_blobs(contract(0), 4).unwrap(), 0);
    assert_eq!(store.prune_blobs(contract(0), 7).unwrap(), 5);
    assert_eq!(store.prune_blobs(contract(0), 7).unwrap(), 0);
    drop(store);
    let store = open();
    let after: Vec<_> = (5..10).map(|seq| shape(&*store, seq)).collect();
    assert_eq!(before, after);
    assert_eq!(shape(&*store, 4), []);
    assert_eq!(store.results(contract(0), 0, 100).unwrap().len(), 10);
}

fn the_chain_head_follows_the_fulfillments(open: Open<'_>) {
    let a = contract(0);
    let store = open();
    let mut first = block(10, &[(a, 0)]);
    first.fulfillments = vec![(a, 0, fulfillment(0, 10)), (a, 1, fulfillment(1, 10))];
    store.apply_block(&first).unwrap();
    drop(store);
    let store = open();
    let head = store.chain_head(a).unwrap().unwrap();
    assert_eq!((head.seq, head.commitment), (2, commitment(2)));
    assert_eq!(store.fulfillment(a, 1).unwrap(), Some(fulfillment(1, 10)));
    assert_eq!(store.fulfillment(a, 2).unwrap(), None);
}

fn proofs_and_envelopes_come_back(open: Open<'_>) {
    let a = contract(0);
    let proof = StorageProof {
        header: HeaderFrame {
            trusted: vec![1; 600].into(),
            witness: Bytes::new(),
            ancestors: vec![vec![2; 600].into()],
        },
        account_proof: vec![vec![3; 532].into(); 8],
        slot_proof: vec![vec![4; 532].into(); 6],
    };
    let envelope = Bytes::from(vec![5; 100_000]);
    let store = open();
    store.apply_block(&block(10, &[(a, 0)])).unwrap();
    store.put_proof(a, 0, &proof).unwrap();
    store.put_deployment(a, &envelope).unwrap();
    drop(store);
    let store = open();
    assert_eq!(store.proof(a, 0).unwrap(), Some(proof));
    assert_eq!(store.deployment(a).unwrap(), Some(envelope));
    assert_eq!(store.deployment(contract(1)).unwrap(), None);
}

fn upgrade_envelopes_are_kept_by_commitment_and_in_number(open: Open<'_>) {
    let (a, b) = (contract(0), contract(1));
    let commitment = |n: usize| B256::with_last_byte(n as u8);
    let envelope = |n: usize| Bytes::from(vec![n as u8; 1_000]);
    let store = open();
    store.put_upgrade(b, commitment(0), &envelope(99)).unwrap();
    for n in 0..MAX_UPGRADES {
        store.put_upgrade(a, commitment(n), &envelope(n)).unwrap();
    }
    // Handed in again it is the newest, and takes no other's place.
    store.put_upgrade(a, commitment(0), &envelope(50)).unwrap();
    drop(store);
    let store = open();
    assert_eq!(store.upgrade(a, commitment(0)).unwrap(), Some(envelope(50)));
    for n in 1..MAX_UPGRADES {
        assert_eq!(store.upgrade(a, commitment(n)).unwrap(), Some(envelope(n)));
    }
    let next = commitment(MAX_UPGRADES);
    store.put_upgrade(a, next, &envelope(51)).unwrap();
    assert_eq!(store.upgrade(a, commitment(1)).unwrap(), None);
    assert_eq!(store.upgrade(a, commitment(2)).unwrap(), Some(envelope(2)));
    assert_eq!(store.upgrade(a, commitment(0)).unwrap(), Some(envelope(50)));
    assert_eq!(store.upgrade(a, next).unwrap(), Some(envelope(51)));
    assert_eq!(store.upgrade(b, commitment(0)).unwrap(), Some(envelope(99)));
    assert_eq!(store.upgrade(b, commitment(1)).unwrap(), None);
}

fn admissions_and_epochs_come_back(open: Open<'_>) {
    let (signer, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let admission = AdmissionRecord {
        admission: vec![1; 480].into(),
        signatures: vec![vec![2; 65].into(), vec![3; 65].into()],
    };
    let store = open();
    store.put_admission(signer, &admission).unwrap();
    for (group, epoch) in [(2, 1), (1, 300), (1, 2)] {
        store
            .put_epoch(group, epoch, &vec![epoch as u8; 90].into())
            .unwrap();
    }
    store
        .put_epoch(1, 2, &Bytes::from_static(b"again"))
        .unwrap();
    drop(store);
    let store = open();
    assert_eq!(store.admission(signer).unwrap(), Some(admission));
    assert_eq!(store.admission(other).unwrap(), None);
    let epochs = store.epochs().unwrap();
    let order: Vec<_> = epochs
        .iter()
        .map(|(group, epoch, _)| (*group, *epoch))
        .collect();
    assert_eq!(order, [(1, 2), (1, 300), (2, 1)]);
    assert_eq!(epochs[0].2, Bytes::from_static(b"again"));
}

fn intents_are_kept_per_sender_until_settled(open: Open<'_>) {
    let (ours, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let store = open();
    for nonce in [300, 7, 8] {
        store.put_intent(ours, nonce, &intent(1)).unwrap();
    }
    store.put_intent(other, 7, &intent(1)).unwrap();
    store.put_intent(ours, 8, &intent(2)).unwrap();
    drop(store);
    let store = open();
    let nonces = |store: &dyn Storage, sender| -> Vec<u64> {
        store
            .intents(sender)
            .unwrap()
            .iter()
            .map(|(nonce, _)| *nonce)
            .collect()
    };
    assert_eq!(nonces(&*store, ours), [7, 8, 300]);
    assert_eq!(store.intents(ours).unwrap()[1].1, intent(2));
    assert_eq!(store.intents(ours).unwrap()[1].1.kind, IntentKind::Fulfill);
    assert_eq!(store.settle_intents(ours, 9).unwrap(), 2);
    assert_eq!(store.settle_intents(ours, 9).unwrap(), 0);
    drop(store);
    let store = open();
    assert_eq!(nonces(&*store, ours), [300]);
    assert_eq!(nonces(&*store, other), [7]);
}

fn contracts_do_not_mix(open: Open<'_>) {
    let store = open();
    // Neighbours in key order.
    let ids = [0xfe, 0xff, 0x00].map(|last| {
        let mut id = B256::repeat_byte(0xff);
        id.0[31] = last;
        id
    });
    for (number, id) in (10..).zip(ids) {
        store
            .apply_block(&block(number, &[(id, 0), (id, 1)]))
            .unwrap();
    }
    for (number, id) in (10..).zip(ids) {
        let expected = [entry(id, 0, number), entry(id, 1, number)];
        assert_eq!(store.entries(id, 0, usize::MAX).unwrap(), expected);
        assert_eq!(store.last_entry(id).unwrap().as_ref(), Some(&expected[1]));
        assert_eq!(store.last_result(id).unwrap(), None);
    }
}
