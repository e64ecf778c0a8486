// SPDX-License-Identifier: Apache-2.0
//! Results, and the blobs that lead to their states.

use subrosa_types::frame::BlobKind;

use super::{
    place::Place,
    sample::{block, contract, executed, slot_proof},
};
use crate::{ResultRecord, Storage, StoreError};

pub(super) async fn results_are_stored_with_their_blobs(place: &dyn Place) {
    let a = contract(0);
    let store = place.open().await;
    store
        .apply_block(block(10, &[(a, 0), (a, 1), (a, 2)]))
        .await
        .unwrap();
    let first = executed(a, 0, 10, BlobKind::Snapshot);
    let second = executed(a, 1, 10, BlobKind::Delta);
    let third = executed(a, 2, 10, BlobKind::Delta);
    store.commit_execution(a, Vec::new()).await.unwrap();
    store
        .commit_execution(a, vec![first.clone()])
        .await
        .unwrap();
    store
        .commit_execution(a, vec![second.clone(), third.clone()])
        .await
        .unwrap();
    drop(store);
    let store = place.open().await;
    let records = [&first, &second, &third].map(ResultRecord::from);
    assert_eq!(store.results(a, 0, 10).await.unwrap(), records);
    assert_eq!(store.results(a, 1, 1).await.unwrap(), records[1..2]);
    assert_eq!(
        store.result(a, 2).await.unwrap().as_ref(),
        Some(&records[2])
    );
    assert_eq!(
        store.last_result(a).await.unwrap().as_ref(),
        Some(&records[2])
    );
    let blobs = store.blobs_for_load(a, 2, 0, usize::MAX).await.unwrap();
    let again: Vec<_> = records
        .into_iter()
        .zip(blobs)
        .map(|(record, blob)| record.with_blob(blob))
        .collect();
    assert_eq!(again, [first, second, third]);
}

pub(super) async fn results_of_replaced_entries_are_refused(place: &dyn Place) {
    let a = contract(0);
    let store = place.open().await;
    store.apply_block(block(10, &[(a, 0)])).await.unwrap();
    let snapshot = |block| executed(a, 0, block, BlobKind::Snapshot);
    let unknown = [
        vec![snapshot(11)],
        vec![snapshot(10), executed(a, 1, 10, BlobKind::Delta)],
    ];
    for executed in unknown {
        assert!(matches!(
            store.commit_execution(a, executed).await,
            Err(StoreError::UnknownEntry { .. })
        ));
    }
    let mut foreign = snapshot(10);
    foreign.blob.seq = 1;
    let inconsistent = [
        vec![snapshot(10), executed(a, 2, 10, BlobKind::Delta)],
        vec![foreign],
    ];
    for executed in inconsistent {
        assert!(matches!(
            store.commit_execution(a, executed).await,
            Err(StoreError::Inconsistent(_))
        ));
    }
    assert_eq!(store.result(a, 0).await.unwrap(), None);
    assert_eq!(store.blobs_for_load(a, 9, 0, usize::MAX).await.unwrap(), []);
    assert!(matches!(
        store.put_proof(a, 1, slot_proof()).await,
        Err(StoreError::UnknownEntry { seq: 1, .. })
    ));
    store.commit_execution(a, vec![snapshot(10)]).await.unwrap();
}

/// Entries 0 to 9 with a snapshot at 0 and a further one at 5.
async fn ten_entries(store: &dyn Storage) {
    let a = contract(0);
    let entries: Vec<_> = (0..10).map(|seq| (a, seq)).collect();
    store.apply_block(block(10, &entries)).await.unwrap();
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
    let mut snapshot = results[5].blob.clone();
    store.commit_execution(a, results).await.unwrap();
    snapshot.kind = BlobKind::Snapshot;
    store.put_blob(a, snapshot).await.unwrap();
}

async fn shape(store: &dyn Storage, up_to: u64) -> Vec<(u64, BlobKind)> {
    let blobs = store
        .blobs_for_load(contract(0), up_to, 0, usize::MAX)
        .await
        .unwrap();
    blobs.iter().map(|blob| (blob.seq, blob.kind)).collect()
}

async fn shapes(store: &dyn Storage) -> Vec<Vec<(u64, BlobKind)>> {
    let mut shapes = Vec::new();
    for seq in 5..10 {
        shapes.push(shape(store, seq).await);
    }
    shapes
}

pub(super) async fn blobs_lead_from_the_newest_snapshot(place: &dyn Place) {
    use BlobKind::{Delta, Snapshot};
    ten_entries(&*place.open().await).await;
    let store = place.open().await;
    assert_eq!(shape(&*store, 0).await, [(0, Snapshot)]);
    assert_eq!(
        shape(&*store, 2).await,
        [(0, Snapshot), (1, Delta), (2, Delta)]
    );
    assert_eq!(shape(&*store, 4).await.len(), 5);
    assert_eq!(shape(&*store, 5).await, [(5, Snapshot)]);
    assert_eq!(shape(&*store, 6).await, [(5, Snapshot), (6, Delta)]);
    assert_eq!(shape(&*store, 9).await.len(), 5);
    assert_eq!(shape(&*store, u64::MAX).await.len(), 5);
}

pub(super) async fn a_snapshot_counts_once_its_last_part_is_there(place: &dyn Place) {
    use BlobKind::{Delta, Snapshot};
    let a = contract(0);
    let store = place.open().await;
    ten_entries(&*store).await;
    let part = |part| {
        let mut blob = executed(a, 8, 10, Snapshot).blob;
        (blob.part, blob.parts) = (part, 3);
        blob
    };
    let before = shape(&*store, 9).await;
    for number in 0..2 {
        store.put_blob(a, part(number)).await.unwrap();
        assert_eq!(shape(&*store, 9).await, before);
    }
    store.put_blob(a, part(2)).await.unwrap();
    let complete = [(8, Snapshot), (8, Snapshot), (8, Snapshot), (9, Delta)];
    assert_eq!(shape(&*store, 9).await, complete);
    assert_eq!(shape(&*store, 7).await.len(), 3);
    // A page at a time.
    let all = store.blobs_for_load(a, 9, 0, usize::MAX).await.unwrap();
    let mut paged = Vec::new();
    loop {
        let page = store
            .blobs_for_load(a, 9, paged.len(), 1_000)
            .await
            .unwrap();
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
    // Parts that are missing in between are of no use.
    let mut lone = part(2);
    lone.seq = 9;
    store.put_blob(a, lone).await.unwrap();
    assert_eq!(shape(&*store, 9).await, complete);
}

pub(super) async fn missing_deltas_are_named(place: &dyn Place) {
    let a = contract(0);
    let store = place.open().await;
    let entries: Vec<_> = (0..4).map(|seq| (a, seq)).collect();
    store.apply_block(block(10, &entries)).await.unwrap();
    store
        .put_blob(a, executed(a, 0, 10, BlobKind::Snapshot).blob)
        .await
        .unwrap();
    store
        .put_blob(a, executed(a, 1, 10, BlobKind::Delta).blob)
        .await
        .unwrap();
    store
        .put_blob(a, executed(a, 3, 10, BlobKind::Delta).blob)
        .await
        .unwrap();
    assert_eq!(shape(&*store, 2).await.len(), 2);
    assert!(matches!(
        store.blobs_for_load(a, 3, 0, usize::MAX).await,
        Err(StoreError::MissingDelta { seq: 2, .. })
    ));
    // Deltas alone lead nowhere.
    let b = contract(1);
    store
        .put_blob(b, executed(b, 1, 10, BlobKind::Delta).blob)
        .await
        .unwrap();
    assert_eq!(store.blobs_for_load(b, 9, 0, usize::MAX).await.unwrap(), []);
}

pub(super) async fn pruning_keeps_what_later_states_need(place: &dyn Place) {
    let store = place.open().await;
    ten_entries(&*store).await;
    let before = shapes(&*store).await;
    assert_eq!(store.prune_blobs(contract(0), 4).await.unwrap(), 0);
    assert_eq!(store.prune_blobs(contract(0), 7).await.unwrap(), 5);
    assert_eq!(store.prune_blobs(contract(0), 7).await.unwrap(), 0);
    drop(store);
    let store = place.open().await;
    let after = shapes(&*store).await;
    assert_eq!(before, after);
    assert_eq!(shape(&*store, 4).await, []);
    assert_eq!(store.results(contract(0), 0, 100).await.unwrap().len(), 10);
}
