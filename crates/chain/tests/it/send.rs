// SPDX-License-Identifier: Apache-2.0
//! Sending on a live node: stuck nonces, replacements, refusals, resumption.

use std::{sync::Arc, time::Duration};

use alloy::{
    network::TransactionBuilder,
    primitives::{Address, Bytes, U256},
    providers::{DynProvider, Provider, ext::AnvilApi},
    rpc::types::TransactionRequest,
};
use subrosa_chain::{
    Endpoints, Sender, connect,
    send::{Attempt, Call, Record, SendError, SenderConfig, unrecorded},
};
use tokio::sync::watch;

use crate::{
    anvil::Anvil,
    scene::{SOON, key, quick},
};

/// What was recorded, in order.
#[derive(Clone)]
struct Journal(Arc<watch::Sender<Vec<Attempt>>>);

impl Journal {
    fn new() -> Self {
        Self(Arc::new(watch::channel(Vec::new()).0))
    }

    fn record(&self) -> Record {
        let journal = self.0.clone();
        Arc::new(move |attempt| {
            journal.send_modify(|attempts| attempts.push(attempt));
            Box::pin(async { Ok(()) })
        })
    }

    fn attempts(&self) -> Vec<Attempt> {
        self.0.borrow().clone()
    }

    /// Waits until there are this many.
    async fn holds(&self, count: usize) -> Vec<Attempt> {
        let mut news = self.0.subscribe();
        let enough = news.wait_for(|attempts| attempts.len() >= count);
        let attempts = tokio::time::timeout(SOON, enough).await;
        attempts.expect("more attempts").unwrap().clone()
    }
}

async fn provider(anvil: &Anvil) -> DynProvider {
    connect(&Endpoints::parse(&anvil.http()).unwrap())
        .await
        .unwrap()
}

fn impatient() -> SenderConfig {
    SenderConfig {
        replace_after: Duration::from_millis(150),
        ..quick()
    }
}

fn transfer(wei: u64) -> Call {
    Call::new(Address::repeat_byte(0x77), Bytes::new()).with_value(U256::from(wei))
}

async fn received(provider: &DynProvider) -> u64 {
    let balance = provider
        .get_balance(Address::repeat_byte(0x77))
        .await
        .unwrap();
    balance.to()
}

/// Fee limit and tip of a recorded attempt.
fn fees(attempt: &Attempt) -> (u128, u128) {
    use alloy::{consensus::Transaction, eips::Decodable2718};
    let tx = alloy::consensus::TxEnvelope::decode_2718(&mut attempt.raw.as_ref()).unwrap();
    assert_eq!(*tx.tx_hash(), attempt.hash);
    assert_eq!(tx.nonce(), attempt.nonce);
    (tx.max_fee_per_gas(), tx.max_priority_fee_per_gas().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_recorded_before_they_are_sent_and_in_order() {
    let anvil = Anvil::start(&["--block-time", "0.2"]);
    let provider = provider(&anvil).await;
    let sender = Sender::new(provider.clone(), key(), quick()).await.unwrap();
    let journal = Journal::new();
    let mut pending = Vec::new();
    for wei in 1..=20 {
        pending.push(sender.send(transfer(wei), journal.record()).await.unwrap());
        assert_eq!(journal.attempts().len() as u64, wei);
    }
    for (nonce, pending) in (0..).zip(&mut pending) {
        assert_eq!(pending.nonce(), nonce);
        let receipt = pending.receipt(SOON).await.unwrap();
        assert_eq!(receipt.transaction_hash, pending.hash());
        assert_eq!(journal.attempts()[nonce as usize].hash, pending.hash());
    }
    assert_eq!(received(&provider).await, 210);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_sends_use_every_nonce_once() {
    let anvil = Anvil::start(&["--block-time", "0.2"]);
    let provider = provider(&anvil).await;
    let sender = Arc::new(Sender::new(provider.clone(), key(), quick()).await.unwrap());
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut pending = sender.send(transfer(1), unrecorded()).await.unwrap();
                pending.receipt(SOON).await.unwrap();
                pending.nonce()
            })
        })
        .collect();
    let mut nonces = Vec::new();
    for task in tasks {
        nonces.push(task.await.unwrap());
    }
    nonces.sort_unstable();
    assert_eq!(nonces, (0..16).collect::<Vec<u64>>());
    assert_eq!(received(&provider).await, 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_transaction_is_replaced_at_its_nonce() {
    let anvil = Anvil::start(&["--no-mining"]);
    let provider = provider(&anvil).await;
    let sender = Sender::new(provider.clone(), key(), impatient())
        .await
        .unwrap();
    let journal = Journal::new();
    let mut first = sender.send(transfer(1), journal.record()).await.unwrap();
    assert!(matches!(
        first.receipt(Duration::from_millis(10)).await,
        Err(SendError::Timeout { nonce: 0 })
    ));
    let attempts = journal.holds(4).await;
    for pair in attempts.windows(2) {
        assert_eq!((pair[0].nonce, pair[1].nonce), (0, 0));
        let ((max, tip), (more, higher_tip)) = (fees(&pair[0]), fees(&pair[1]));
        assert!(
            more * 8 >= max * 9 && higher_tip * 8 >= tip * 9,
            "{attempts:?}"
        );
    }
    // A later one waits its turn, unreplaced.
    let behind = Journal::new();
    let mut second = sender.send(transfer(10), behind.record()).await.unwrap();
    assert_eq!(second.nonce(), 1);
    let count = journal.attempts().len();
    journal.holds(count + 2).await;
    assert_eq!(behind.attempts().len(), 1);

    provider.anvil_set_auto_mine(true).await.unwrap();
    provider.anvil_mine(Some(1), None).await.unwrap();
    sender.wake();
    let receipt = first.receipt(SOON).await.unwrap();
    assert!(
        journal
            .attempts()
            .iter()
            .any(|attempt| attempt.hash == receipt.transaction_hash)
    );
    second.receipt(SOON).await.unwrap();
    let mut third = sender.send(transfer(100), unrecorded()).await.unwrap();
    assert_eq!(third.nonce(), 2);
    third.receipt(SOON).await.unwrap();
    assert_eq!(received(&provider).await, 111, "each exactly once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_fee_that_rises_is_caught_up_with() {
    let anvil = Anvil::start(&["--block-time", "0.2"]);
    let provider = provider(&anvil).await;
    let sender = Sender::new(provider.clone(), key(), impatient())
        .await
        .unwrap();
    provider.anvil_set_auto_mine(false).await.unwrap();
    let journal = Journal::new();
    let mut pending = sender.send(transfer(1), journal.record()).await.unwrap();
    let (max, _) = fees(&journal.attempts()[0]);
    provider
        .anvil_set_next_block_base_fee_per_gas(max * 3)
        .await
        .unwrap();
    let receipt = pending.receipt(SOON).await.unwrap();
    assert!(receipt.status());
    assert_eq!(received(&provider).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fee_limit_is_never_exceeded() {
    let anvil = Anvil::start(&["--no-mining"]);
    let provider = provider(&anvil).await;
    let limit = 4_000_000_000;
    let config = SenderConfig {
        max_fee_per_gas: limit,
        replace_after: Duration::from_millis(30),
        ..quick()
    };
    let sender = Sender::new(provider.clone(), key(), config).await.unwrap();
    let journal = Journal::new();
    let mut pending = sender.send(transfer(1), journal.record()).await.unwrap();
    journal.holds(3).await;
    // Long enough for many more replacements, if there were no limit.
    let _ = pending.receipt(Duration::from_millis(600)).await;
    let attempts = journal.attempts();
    assert!(
        attempts.iter().all(|attempt| fees(attempt).0 <= limit),
        "{attempts:?}"
    );
    assert!(fees(attempts.last().unwrap()).0 * 9 / 8 + 1 > limit);
    provider.anvil_mine(Some(1), None).await.unwrap();
    pending.receipt(SOON).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_pay_what_is_asked_waits_and_is_given_up_for_what_comes_after() {
    let anvil = Anvil::start(&["--no-mining"]);
    let provider = provider(&anvil).await;
    let config = SenderConfig {
        replace_after: Duration::from_millis(50),
        give_up_after: Duration::from_millis(600),
        ..quick()
    };
    let sender = Sender::new(provider.clone(), key(), config).await.unwrap();
    let (most, journal) = (2_100_000_000, Journal::new());
    let capped = transfer(1).with_max_fee(Some(most));
    let mut pending = sender.send(capped, journal.record()).await.unwrap();
    provider
        .anvil_set_next_block_base_fee_per_gas(6_000_000_000)
        .await
        .unwrap();
    provider.anvil_mine(Some(1), None).await.unwrap();
    let mut after = sender.send(transfer(5), unrecorded()).await.unwrap();
    assert_eq!(received(&provider).await, 0);
    // All that offer to pay are within the limit; the one that is not pays nobody.
    let given_up = async {
        loop {
            let attempts = journal.attempts();
            let last = attempts.last().unwrap().clone();
            if fees(&last).0 > most {
                break attempts;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let attempts = tokio::time::timeout(SOON, given_up).await.unwrap();
    let within = attempts.iter().filter(|attempt| fees(attempt).0 <= most);
    assert!(within.count() >= 1);
    provider.anvil_mine(Some(1), None).await.unwrap();
    let receipt = pending.receipt(SOON).await.unwrap();
    assert!(receipt.status());
    assert_eq!(receipt.to, Some(sender.address()));
    provider.anvil_mine(Some(1), None).await.unwrap();
    after.receipt(SOON).await.unwrap();
    assert_eq!(received(&provider).await, 5, "nothing waits behind it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_transaction_at_the_nonce_is_replaced_or_passed() {
    let anvil = Anvil::start(&["--no-mining"]);
    let provider = provider(&anvil).await;
    let sender = Sender::new(provider.clone(), key(), quick()).await.unwrap();
    let foreign = |nonce, fee: u128| {
        TransactionRequest::default()
            .with_from(sender.address())
            .with_to(Address::repeat_byte(0x66))
            .with_nonce(nonce)
            .with_gas_limit(21_000)
            .with_max_fee_per_gas(fee)
            .with_max_priority_fee_per_gas(fee)
    };
    // One in the pool that pays more is outbid.
    let theirs = foreign(0, 5_000_000_000);
    let _ = provider.send_transaction(theirs).await.unwrap();
    let mut pending = sender.send(transfer(1), unrecorded()).await.unwrap();
    assert_eq!(pending.nonce(), 0);
    provider.anvil_mine(Some(1), None).await.unwrap();
    pending.receipt(SOON).await.unwrap();
    // One that is mined behind the sender's back is passed.
    let _ = provider
        .send_transaction(foreign(1, 5_000_000_000))
        .await
        .unwrap();
    provider.anvil_mine(Some(1), None).await.unwrap();
    let mut pending = sender.send(transfer(1), unrecorded()).await.unwrap();
    assert_eq!(pending.nonce(), 2);
    provider.anvil_mine(Some(1), None).await.unwrap();
    pending.receipt(SOON).await.unwrap();
    // One that takes the nonce of a transaction in flight is noticed.
    let mut pending = sender.send(transfer(1), unrecorded()).await.unwrap();
    let _ = provider
        .send_transaction(foreign(3, 400_000_000_000))
        .await
        .unwrap();
    provider.anvil_mine(Some(1), None).await.unwrap();
    assert!(matches!(
        pending.receipt(SOON).await,
        Err(SendError::NonceTaken { nonce: 3 })
    ));
    let mut pending = sender.send(transfer(1), unrecorded()).await.unwrap();
    assert_eq!(pending.nonce(), 4);
    provider.anvil_mine(Some(1), None).await.unwrap();
    pending.receipt(SOON).await.unwrap();
    assert_eq!(received(&provider).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_takes_no_nonce() {
    let anvil = Anvil::start(&[]);
    let provider = provider(&anvil).await;
    let sender = Sender::new(provider.clone(), key(), quick()).await.unwrap();
    // A contract that always reverts: PUSH0 PUSH0 REVERT, deployed by anvil's cheat.
    let revert = Address::repeat_byte(0x55);
    let code = Bytes::from_static(&[0x5f, 0x5f, 0xfd]);
    provider.anvil_set_code(revert, code).await.unwrap();
    let reverting = sender
        .send(Call::new(revert, Bytes::new()), unrecorded())
        .await;
    assert!(
        matches!(
            reverting,
            Err(SendError::Reverted(_) | SendError::Refused(_))
        ),
        "{reverting:?}"
    );
    let too_much = transfer(0).with_value(U256::MAX >> 8).with_gas(21_000);
    let poor = sender.send(too_much, unrecorded()).await;
    assert!(matches!(poor, Err(SendError::Refused(_))), "{poor:?}");
    let failing: Record = Arc::new(|_| Box::pin(async { Err("disk full".into()) }));
    let unrecordable = sender.send(transfer(1), failing).await;
    assert!(matches!(unrecordable, Err(SendError::Record(_))));
    assert_eq!(
        received(&provider).await,
        0,
        "what cannot be recorded is not sent"
    );
    let mut pending = sender.send(transfer(1), unrecorded()).await.unwrap();
    assert_eq!(pending.nonce(), 0);
    pending.receipt(SOON).await.unwrap();
    // One that is known to revert only when it runs is mined and says so.
    let forced = Call::new(revert, Bytes::new()).with_gas(60_000);
    let mut pending = sender.send(forced, unrecorded()).await.unwrap();
    assert!(!pending.receipt(SOON).await.unwrap().status());
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_transactions_are_resumed_after_a_crash() {
    let anvil = Anvil::start(&["--no-mining"]);
    let provider = provider(&anvil).await;
    let journal = Journal::new();
    {
        let sender = Sender::new(provider.clone(), key(), quick()).await.unwrap();
        for wei in [1, 10, 100] {
            sender.send(transfer(wei), journal.record()).await.unwrap();
        }
        // The crash comes after the second was broadcast and the third only recorded.
        provider
            .anvil_drop_transaction(journal.attempts()[2].hash)
            .await
            .unwrap();
        provider.anvil_mine(Some(1), None).await.unwrap();
    }
    assert_eq!(received(&provider).await, 11);
    let attempts = journal.attempts();
    let sender = Sender::new(provider.clone(), key(), quick()).await.unwrap();
    let resume = async |nonce: usize| {
        let raw = [attempts[nonce].raw.clone()];
        sender.resume(nonce as u64, &raw, unrecorded(), false).await
    };
    assert!(resume(0).await.unwrap().is_none());
    assert!(resume(1).await.unwrap().is_none());
    let mut third = resume(2).await.unwrap().unwrap();
    let wrong = sender
        .resume(3, &[attempts[2].raw.clone()], unrecorded(), false)
        .await;
    assert!(matches!(wrong, Err(SendError::Unusable)));
    let empty = sender.resume(3, &[], unrecorded(), false).await;
    assert!(matches!(empty, Err(SendError::Unusable)));
    // New ones come after it.
    let mut fourth = sender.send(transfer(1000), unrecorded()).await.unwrap();
    assert_eq!(fourth.nonce(), 3);
    provider.anvil_set_auto_mine(true).await.unwrap();
    tokio::time::timeout(SOON, async {
        while received(&provider).await != 1111 {
            provider.anvil_mine(Some(1), None).await.unwrap();
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("both are mined");
    assert_eq!(
        third.receipt(SOON).await.unwrap().transaction_hash,
        attempts[2].hash
    );
    fourth.receipt(SOON).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_reorganisation_drops_is_sent_again() {
    let anvil = Anvil::start(&[]);
    let provider = provider(&anvil).await;
    let sender = Sender::new(provider.clone(), key(), impatient())
        .await
        .unwrap();
    for wei in [1, 10] {
        let mut pending = sender.send(transfer(wei), unrecorded()).await.unwrap();
        pending.receipt(SOON).await.unwrap();
    }
    let mut third = sender.send(transfer(100), unrecorded()).await.unwrap();
    third.receipt(SOON).await.unwrap();
    provider.anvil_rollback(Some(3)).await.unwrap();
    assert_eq!(received(&provider).await, 0);
    // Without being told, the sender goes on at nonce 3, which the chain does not know yet.
    let mut fourth = sender.send(transfer(1000), unrecorded()).await.unwrap();
    assert_eq!(fourth.nonce(), 3);
    fourth.receipt(SOON).await.unwrap();
    assert_eq!(received(&provider).await, 1111);
    // Told, it uses the nonce that is free.
    provider.anvil_rollback(Some(1)).await.unwrap();
    sender.resync().await.unwrap();
    let mut pending = sender.send(transfer(1), unrecorded()).await.unwrap();
    pending.receipt(SOON).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_send_leaves_no_gap() {
    let anvil = Anvil::start(&["--block-time", "0.2"]);
    let provider = provider(&anvil).await;
    let sender = Sender::new(provider.clone(), key(), quick()).await.unwrap();
    for patience in 0..20 {
        let send = sender.send(transfer(1), unrecorded());
        let _ = tokio::time::timeout(Duration::from_micros(100 * patience), send).await;
    }
    let mut last = sender.send(transfer(1), unrecorded()).await.unwrap();
    last.receipt(SOON).await.unwrap();
    assert_eq!(received(&provider).await, last.nonce() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_sender_ends_its_tasks() {
    let anvil = Anvil::start(&["--no-mining"]);
    let provider = provider(&anvil).await;
    let sender = Sender::new(provider.clone(), key(), impatient())
        .await
        .unwrap();
    let journal = Journal::new();
    let mut pending = sender.send(transfer(1), journal.record()).await.unwrap();
    journal.holds(2).await;
    drop(sender);
    assert!(matches!(
        pending.receipt(SOON).await,
        Err(SendError::Closed)
    ));
    let count = journal.attempts().len();
    // The journal's closure is gone with the task, so nothing can be recorded any more.
    assert_eq!(Arc::strong_count(&journal.0), 1);
    assert_eq!(journal.attempts().len(), count);
}
