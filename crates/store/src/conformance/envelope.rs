// SPDX-License-Identifier: Apache-2.0
//! What is encrypted to enclaves or sealed by them beside the state: code envelopes, epochs.

use alloy_primitives::{B256, Bytes};

use super::{place::Place, sample::contract};
use crate::{CodeOf, MAX_RECORD_BYTES, MAX_UPGRADE_ENVELOPES, StoreError};

pub(super) async fn code_envelopes_come_back(place: &dyn Place) {
    let a = contract(0);
    let envelope = Bytes::from(vec![5; 100_000]);
    let store = place.open().await;
    store
        .put_code_envelope(a, CodeOf::Deploy, envelope.clone())
        .await
        .unwrap();
    drop(store);
    let store = place.open().await;
    assert_eq!(
        store.code_envelope(a, CodeOf::Deploy).await.unwrap(),
        Some(envelope)
    );
    assert_eq!(
        store
            .code_envelope(contract(1), CodeOf::Deploy)
            .await
            .unwrap(),
        None
    );
    // That of entry 0 is none of an upgrade's, whatever it commits to.
    let upgrade = CodeOf::Upgrade(B256::ZERO);
    assert_eq!(store.code_envelope(a, upgrade).await.unwrap(), None);
}

pub(super) async fn what_is_too_large_is_refused(place: &dyn Place) {
    let a = contract(0);
    let store = place.open().await;
    let small = Bytes::from_static(b"small");
    let put = store.put_code_envelope(a, CodeOf::Deploy, small.clone());
    put.await.unwrap();
    let large = Bytes::from(vec![0; MAX_RECORD_BYTES]);
    let refused = store.put_code_envelope(a, CodeOf::Deploy, large).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })));
    let kept = store.code_envelope(a, CodeOf::Deploy).await.unwrap();
    assert_eq!(kept, Some(small));
}

pub(super) async fn upgrade_envelopes_are_kept_by_commitment_and_in_number(place: &dyn Place) {
    let (a, b) = (contract(0), contract(1));
    let commitment = |n: usize| B256::with_last_byte(n as u8);
    let envelope = |n: usize| Bytes::from(vec![n as u8; 1_000]);
    let store = place.open().await;
    store
        .put_code_envelope(b, CodeOf::Upgrade(commitment(0)), envelope(99))
        .await
        .unwrap();
    for n in 0..MAX_UPGRADE_ENVELOPES {
        store
            .put_code_envelope(a, CodeOf::Upgrade(commitment(n)), envelope(n))
            .await
            .unwrap();
    }
    // Handed in again it is the newest, and takes no other's place.
    store
        .put_code_envelope(a, CodeOf::Upgrade(commitment(0)), envelope(50))
        .await
        .unwrap();
    drop(store);
    let store = place.open().await;
    assert_eq!(
        store
            .code_envelope(a, CodeOf::Upgrade(commitment(0)))
            .await
            .unwrap(),
        Some(envelope(50))
    );
    for n in 1..MAX_UPGRADE_ENVELOPES {
        assert_eq!(
            store
                .code_envelope(a, CodeOf::Upgrade(commitment(n)))
                .await
                .unwrap(),
            Some(envelope(n))
        );
    }
    let next = commitment(MAX_UPGRADE_ENVELOPES);
    store
        .put_code_envelope(a, CodeOf::Upgrade(next), envelope(51))
        .await
        .unwrap();
    assert_eq!(
        store
            .code_envelope(a, CodeOf::Upgrade(commitment(1)))
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        store
            .code_envelope(a, CodeOf::Upgrade(commitment(2)))
            .await
            .unwrap(),
        Some(envelope(2))
    );
    assert_eq!(
        store
            .code_envelope(a, CodeOf::Upgrade(commitment(0)))
            .await
            .unwrap(),
        Some(envelope(50))
    );
    assert_eq!(
        store.code_envelope(a, CodeOf::Upgrade(next)).await.unwrap(),
        Some(envelope(51))
    );
    assert_eq!(
        store
            .code_envelope(b, CodeOf::Upgrade(commitment(0)))
            .await
            .unwrap(),
        Some(envelope(99))
    );
    assert_eq!(
        store
            .code_envelope(b, CodeOf::Upgrade(commitment(1)))
            .await
            .unwrap(),
        None
    );
}

pub(super) async fn epochs_come_back_in_order(place: &dyn Place) {
    let store = place.open().await;
    for (group, epoch) in [(2, 1), (1, 300), (1, 2)] {
        store
            .put_epoch(group, epoch, vec![epoch as u8; 90].into())
            .await
            .unwrap();
    }
    store
        .put_epoch(1, 2, Bytes::from_static(b"again"))
        .await
        .unwrap();
    drop(store);
    let store = place.open().await;
    let epochs = store.epochs().await.unwrap();
    let order: Vec<_> = epochs
        .iter()
        .map(|(group, epoch, _)| (*group, *epoch))
        .collect();
    assert_eq!(order, [(1, 2), (1, 300), (2, 1)]);
    assert_eq!(epochs[0].2, Bytes::from_static(b"again"));
}
