// SPDX-License-Identifier: Apache-2.0
//! Transactions that were noted down, and admissions.

use alloy_primitives::Address;

use super::{place::Place, sample::intent};
use crate::{AdmissionRecord, IntentKind, Storage};

pub(super) async fn admissions_come_back(place: &dyn Place) {
    let (signer, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let admission = AdmissionRecord {
        admission: vec![1; 480].into(),
        signatures: vec![vec![2; 65].into(), vec![3; 65].into()],
    };
    let store = place.open().await;
    store
        .put_admission(signer, admission.clone())
        .await
        .unwrap();
    drop(store);
    let store = place.open().await;
    assert_eq!(store.admission(signer).await.unwrap(), Some(admission));
    assert_eq!(store.admission(other).await.unwrap(), None);
}

pub(super) async fn intents_are_kept_per_sender_until_settled(place: &dyn Place) {
    let (ours, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let store = place.open().await;
    for nonce in [300, 7, 8] {
        store.put_intent(ours, nonce, intent(1)).await.unwrap();
    }
    store.put_intent(other, 7, intent(1)).await.unwrap();
    store.put_intent(ours, 8, intent(2)).await.unwrap();
    drop(store);
    let store = place.open().await;
    assert_eq!(nonces(&*store, ours).await, [7, 8, 300]);
    assert_eq!(store.intents(ours).await.unwrap()[1].1, intent(2));
    assert_eq!(
        store.intents(ours).await.unwrap()[1].1.kind,
        IntentKind::Fulfill
    );
    assert_eq!(store.settle_intents(ours, 9).await.unwrap(), 2);
    assert_eq!(store.settle_intents(ours, 9).await.unwrap(), 0);
    drop(store);
    let store = place.open().await;
    assert_eq!(nonces(&*store, ours).await, [300]);
    assert_eq!(nonces(&*store, other).await, [7]);
}

async fn nonces(store: &dyn Storage, sender: Address) -> Vec<u64> {
    let intents = store.intents(sender).await.unwrap();
    intents.iter().map(|(nonce, _)| *nonce).collect()
}
