// SPDX-License-Identifier: Apache-2.0
//! What is left after a power failure.

use alloy_primitives::{Address, B256, Bytes};
use subrosa_types::frame::BlobKind;

use super::{
    place::Unplug,
    sample::{block, contract, cursor, entry, executed, intent, slot_proof},
};
use crate::{AdmissionRecord, CodeOf};

/// Each durable write, alone after the one before it, is there after a power failure.
pub(super) async fn durable_writes_survive(place: &dyn Unplug) {
    let a = contract(0);
    let envelope = Bytes::from_static(b"envelope");
    let upgrade = CodeOf::Upgrade(B256::repeat_byte(1));
    let account = Address::repeat_byte(1);
    let admission = AdmissionRecord {
        admission: Bytes::from_static(b"admission"),
        signatures: Vec::new(),
    };
    let store = place.open().await;
    store.apply_block(block(10, &[(a, 0)])).await.unwrap();
    let result = executed(a, 0, 10, BlobKind::Snapshot);
    let blob = result.blob.clone();
    // The result takes its entry, which was written before it, along.
    store.commit_execution(a, vec![result]).await.unwrap();
    place.unplug();
    let store = place.open().await;
    assert_eq!(store.entry(a, 0).await.unwrap(), Some(entry(a, 0, 10)));
    assert_eq!(
        store.blobs_for_load(a, 0, 0, usize::MAX).await.unwrap(),
        std::slice::from_ref(&blob)
    );
    assert_eq!(store.last_result(a).await.unwrap().unwrap().seq, 0);

    let mut further = blob;
    further.seq = 5;
    store.put_blob(a, further.clone()).await.unwrap();
    place.unplug();
    let store = place.open().await;
    assert_eq!(
        store.blobs_for_load(a, 9, 0, usize::MAX).await.unwrap(),
        [further]
    );

    for code in [CodeOf::Deploy, upgrade] {
        let store = place.open().await;
        let put = store.put_code_envelope(a, code, envelope.clone());
        put.await.unwrap();
        place.unplug();
        let store = place.open().await;
        let kept = store.code_envelope(a, code).await.unwrap();
        assert_eq!(kept.as_ref(), Some(&envelope), "{code:?}");
    }

    let store = place.open().await;
    store.put_epoch(1, 2, envelope.clone()).await.unwrap();
    place.unplug();
    let store = place.open().await;
    assert_eq!(store.epochs().await.unwrap(), [(1, 2, envelope)]);

    store.put_intent(account, 7, intent(1)).await.unwrap();
    place.unplug();
    let store = place.open().await;
    assert_eq!(store.intents(account).await.unwrap(), [(7, intent(1))]);

    let put = store.put_admission(account, admission.clone());
    put.await.unwrap();
    place.unplug();
    let store = place.open().await;
    assert_eq!(store.admission(account).await.unwrap(), Some(admission));

    store.apply_block(block(11, &[(a, 1)])).await.unwrap();
    assert_eq!(store.rewind(cursor(10)).await.unwrap(), [a]);
    place.unplug();
    let store = place.open().await;
    assert_eq!(store.cursor().await.unwrap(), Some(cursor(10)));
    assert_eq!(store.entry(a, 1).await.unwrap(), None);
}

/// Whatever of the other writes is lost, it is the last of them, and each whole.
pub(super) async fn the_rest_is_lost_from_the_end(place: &dyn Unplug) {
    let a = contract(0);
    let store = place.open().await;
    store.apply_block(block(10, &[(a, 0)])).await.unwrap();
    let envelope = Bytes::from_static(b"envelope");
    let put = store.put_code_envelope(a, CodeOf::Deploy, envelope);
    put.await.unwrap();
    store.apply_block(block(11, &[(a, 1)])).await.unwrap();
    let proof = slot_proof();
    store.put_proof(a, 1, proof).await.unwrap();
    place.unplug();
    let store = place.open().await;
    let last = store.last_entry(a).await.unwrap();
    let reached = store.cursor().await.unwrap();
    if store.proof(a, 1).await.unwrap().is_some() || reached == Some(cursor(11)) {
        assert_eq!(reached, Some(cursor(11)));
        assert_eq!(last, Some(entry(a, 1, 11)));
    } else {
        assert_eq!(reached, Some(cursor(10)));
        assert_eq!(last, Some(entry(a, 0, 10)));
    }
    // And the store goes on from there.
    store.apply_block(block(11, &[(a, 1)])).await.unwrap();
    let last = store.last_entry(a).await.unwrap();
    assert_eq!(last, Some(entry(a, 1, 11)));
}
