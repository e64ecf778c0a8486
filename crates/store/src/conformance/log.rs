// SPDX-License-Identifier: Apache-2.0
//! What the chain says, and what it takes back.

use alloy_primitives::{Address, B256, Bytes};
use subrosa_types::frame::{BlobKind, HeaderFrame, SlotProof, StorageProof};

use super::{
    place::Place,
    sample::{block, commitment, contract, cursor, entry, executed, fulfillment, slot_proof},
};
use crate::StoreError;

pub(super) async fn starts_empty(place: &dyn Place) {
    let store = place.open().await;
    assert_eq!(store.cursor().await.unwrap(), None);
    assert!(store.contracts().await.unwrap().is_empty());
    assert_eq!(store.entry(contract(0), 0).await.unwrap(), None);
    assert_eq!(store.entries(contract(0), 0, 10).await.unwrap(), []);
    assert_eq!(store.last_entry(contract(0)).await.unwrap(), None);
    assert_eq!(store.last_result(contract(0)).await.unwrap(), None);
    assert_eq!(store.chain_head(contract(0)).await.unwrap(), None);
    assert_eq!(
        store
            .blobs_for_load(contract(0), u64::MAX, 0, usize::MAX)
            .await
            .unwrap(),
        []
    );
    assert_eq!(store.epochs().await.unwrap(), []);
    assert_eq!(store.intents(Address::ZERO).await.unwrap(), []);
    assert!(matches!(
        store.rewind(cursor(0)).await,
        Err(StoreError::Inconsistent(_))
    ));
}

pub(super) async fn blocks_append_in_order(place: &dyn Place) {
    let (a, b) = (contract(0), contract(1));
    let store = place.open().await;
    store
        .apply_block(block(10, &[(a, 0), (b, 0), (a, 1)]))
        .await
        .unwrap();
    store.apply_block(block(11, &[])).await.unwrap();
    store
        .apply_block(block(12, &[(a, 2), (a, 3)]))
        .await
        .unwrap();
    drop(store);
    let store = place.open().await;
    assert_eq!(store.cursor().await.unwrap(), Some(cursor(12)));
    assert_eq!(store.contracts().await.unwrap(), [a, b]);
    assert_eq!(store.entry(a, 1).await.unwrap(), Some(entry(a, 1, 10)));
    assert_eq!(store.last_entry(a).await.unwrap(), Some(entry(a, 3, 12)));
    assert_eq!(store.last_entry(b).await.unwrap(), Some(entry(b, 0, 10)));
    let all = [
        entry(a, 0, 10),
        entry(a, 1, 10),
        entry(a, 2, 12),
        entry(a, 3, 12),
    ];
    assert_eq!(store.entries(a, 0, usize::MAX).await.unwrap(), all);
    assert_eq!(store.entries(a, 1, 2).await.unwrap(), all[1..3]);
    assert_eq!(store.entries(a, 4, 2).await.unwrap(), []);
    assert_eq!(store.entries(a, 0, 0).await.unwrap(), []);
    // The same block once more changes nothing.
    store
        .apply_block(block(12, &[(a, 2), (a, 3)]))
        .await
        .unwrap();
    assert_eq!(store.entries(a, 0, usize::MAX).await.unwrap(), all);
}

pub(super) async fn blocks_are_refused_whole(place: &dyn Place) {
    let a = contract(0);
    let store = place.open().await;
    store.apply_block(block(10, &[(a, 0)])).await.unwrap();
    let moves_back = block(9, &[]);
    let mut later_entry = block(11, &[(a, 1), (a, 2)]);
    later_entry.entries[1].block_number = 12;
    let mut later_fulfillment = block(11, &[(a, 1)]);
    later_fulfillment.fulfillments = vec![(a, 0, fulfillment(0, 12))];
    for refused in [moves_back, later_entry, later_fulfillment] {
        assert!(matches!(
            store.apply_block(refused).await,
            Err(StoreError::Inconsistent(_))
        ));
    }
    assert_eq!(store.cursor().await.unwrap(), Some(cursor(10)));
    assert_eq!(store.entry(a, 1).await.unwrap(), None);
}

pub(super) async fn a_rewind_takes_back_what_came_after(place: &dyn Place) {
    let (a, b, c) = (contract(0), contract(1), contract(2));
    let store = place.open().await;
    store
        .apply_block(block(10, &[(a, 0), (c, 0)]))
        .await
        .unwrap();
    let mut second = block(11, &[(a, 1), (b, 0)]);
    second.fulfillments = vec![(a, 0, fulfillment(0, 11)), (c, 0, fulfillment(0, 11))];
    store.apply_block(second).await.unwrap();
    let mut third = block(12, &[(a, 2)]);
    third.fulfillments = vec![(a, 1, fulfillment(1, 12))];
    store.apply_block(third).await.unwrap();
    let results = [
        executed(a, 0, 10, BlobKind::Snapshot),
        executed(a, 1, 11, BlobKind::Delta),
        executed(a, 2, 12, BlobKind::Delta),
    ];
    store.commit_execution(a, results.to_vec()).await.unwrap();
    let mut snapshot = results[2].blob.clone();
    snapshot.kind = BlobKind::Snapshot;
    store.put_blob(a, snapshot).await.unwrap();
    for seq in 0..3 {
        store.put_proof(a, seq, slot_proof()).await.unwrap();
    }

    assert_eq!(store.rewind(cursor(11)).await.unwrap(), [a]);
    drop(store);
    let store = place.open().await;
    assert_eq!(store.cursor().await.unwrap(), Some(cursor(11)));
    assert_eq!(store.last_entry(a).await.unwrap(), Some(entry(a, 1, 11)));
    assert_eq!(store.last_result(a).await.unwrap().unwrap().seq, 1);
    assert_eq!(store.proof(a, 2).await.unwrap(), None);
    assert!(store.proof(a, 1).await.unwrap().is_some());
    let blobs = [results[0].blob.clone(), results[1].blob.clone()];
    assert_eq!(
        store
            .blobs_for_load(a, u64::MAX, 0, usize::MAX)
            .await
            .unwrap(),
        blobs
    );
    assert_eq!(store.fulfillment(a, 1).await.unwrap(), None);
    assert_eq!(store.chain_head(a).await.unwrap().unwrap().seq, 1);

    assert_eq!(store.rewind(cursor(10)).await.unwrap(), [a, b, c]);
    assert_eq!(store.contracts().await.unwrap(), [a, c]);
    assert_eq!(store.entry(b, 0).await.unwrap(), None);
    assert_eq!(store.chain_head(a).await.unwrap(), None);
    assert_eq!(store.chain_head(c).await.unwrap(), None);
    assert!(store.rewind(cursor(10)).await.unwrap().is_empty());
    assert!(matches!(
        store.rewind(cursor(11)).await,
        Err(StoreError::Inconsistent(_))
    ));
    // The log goes on, differently.
    store.apply_block(block(13, &[(a, 1)])).await.unwrap();
    assert_eq!(store.last_entry(a).await.unwrap(), Some(entry(a, 1, 13)));
    assert_eq!(store.result(a, 1).await.unwrap(), None);
    assert_eq!(store.proof(a, 1).await.unwrap(), None);
}

pub(super) async fn the_chain_head_follows_the_fulfillments(place: &dyn Place) {
    let a = contract(0);
    let store = place.open().await;
    let mut first = block(10, &[(a, 0)]);
    first.fulfillments = vec![(a, 0, fulfillment(0, 10)), (a, 1, fulfillment(1, 10))];
    store.apply_block(first).await.unwrap();
    drop(store);
    let store = place.open().await;
    let head = store.chain_head(a).await.unwrap().unwrap();
    assert_eq!((head.seq, head.commitment), (2, commitment(2)));
    assert_eq!(
        store.fulfillment(a, 1).await.unwrap(),
        Some(fulfillment(1, 10))
    );
    assert_eq!(store.fulfillment(a, 2).await.unwrap(), None);
}

pub(super) async fn contracts_do_not_mix(place: &dyn Place) {
    let store = place.open().await;
    // Neighbours in key order.
    let ids = [0xfe, 0xff, 0x00].map(|last| {
        let mut id = B256::repeat_byte(0xff);
        id.0[31] = last;
        id
    });
    for (number, id) in (10..).zip(ids) {
        store
            .apply_block(block(number, &[(id, 0), (id, 1)]))
            .await
            .unwrap();
    }
    for (number, id) in (10..).zip(ids) {
        let expected = [entry(id, 0, number), entry(id, 1, number)];
        assert_eq!(store.entries(id, 0, usize::MAX).await.unwrap(), expected);
        assert_eq!(
            store.last_entry(id).await.unwrap().as_ref(),
            Some(&expected[1])
        );
        assert_eq!(store.last_result(id).await.unwrap(), None);
    }
}

pub(super) async fn proofs_come_back(place: &dyn Place) {
    let a = contract(0);
    let storage = StorageProof {
        header: HeaderFrame {
            trusted: vec![1; 600].into(),
            witness: Bytes::new(),
            ancestors: vec![vec![2; 600].into()],
        },
        account_proof: vec![vec![3; 532].into(); 8],
        slot_proof: vec![vec![4; 532].into(); 6],
    };
    let proof = SlotProof {
        storage,
        ..slot_proof()
    };
    let store = place.open().await;
    store.apply_block(block(10, &[(a, 0)])).await.unwrap();
    store.put_proof(a, 0, proof.clone()).await.unwrap();
    drop(store);
    let store = place.open().await;
    assert_eq!(store.proof(a, 0).await.unwrap(), Some(proof));
}
