// SPDX-License-Identifier: Apache-2.0
//! A stateless contract: its entries in any order, each once, each on the state that its
//! constructor left.

use std::collections::BTreeMap;

use alloy::providers::Provider;
use alloy_primitives::{B256, U256};
use subrosa_chain::bindings::SubrosaOracle;
use subrosa_client::ContractPolicy;
use subrosa_devnet::Service;
use subrosa_types::result::{Head, HeadWord, LoggedResult};

use crate::scene::{Recorder, Scene, Terms, add, vault};

const REQUESTS: u64 = 6;
const FEE: u64 = 10_000_000_000_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_a_stateless_contract_are_fulfilled_once_each_and_refunded_when_late() {
    let mut scene = Scene::start().await;
    let policy = ContractPolicy {
        stateless: true,
        minimum_deadline: 1,
        ..ContractPolicy::default()
    };
    let contract = scene.deploy(&vault(100), &policy).await;
    let recorder = scene.deploy_recorder().await;
    for amount in 1..=REQUESTS {
        recorder.ask(contract, add(amount), Terms::default()).await;
    }
    recorder.answered(REQUESTS as usize).await;
    assert_answers(&recorder, REQUESTS).await;
    let head = scene.oracle().head(contract).call().await.unwrap();
    assert_eq!(HeadWord::unpack(head).head, Head::default());

    // Nobody serves, and a deadline passes.
    scene.network.kill(Service::Node).unwrap();
    let late = Terms {
        deadline: 20,
        fee: FEE,
    };
    recorder.ask(contract, add(REQUESTS + 1), late).await;
    let entry = last_entry(&scene, contract).await;
    let oracle = scene.oracle();
    let early = oracle.refund(entry.clone()).call().await;
    assert!(early.is_err(), "refunded before the deadline");
    scene.warp(60).await;
    let provider = scene.network.provider();
    let before = provider.get_balance(recorder.address).await.unwrap();
    let sent = oracle.refund(entry.clone()).send().await.unwrap();
    assert!(sent.get_receipt().await.unwrap().status());
    let after = provider.get_balance(recorder.address).await.unwrap();
    // The callback's part; there is no charge, and the rest pays for landing it.
    let callback: U256 = (entry.payment >> 160) & U256::from((1_u64 << 48) - 1);
    assert!(!callback.is_zero());
    assert_eq!(after - before, callback * U256::from(1_000_000_000_u64));
    let again = oracle.refund(entry.clone()).call().await;
    assert!(again.is_err(), "refunded twice");

    // It is executed all the same, and so is what comes after it, also by another enclave.
    scene.network.restart(Service::Enclave).await.unwrap();
    scene.network.restart(Service::Node).await.unwrap();
    let next = REQUESTS + 2;
    recorder.ask(contract, add(next), Terms::default()).await;
    recorder.answered(next as usize - 1).await;

    // A late answer's callback is made at its caller's cost.
    let events = scene.events::<SubrosaOracle::EntryOutstanding>(Some(contract));
    let (event, _) = events.await.into_iter().next_back().unwrap();
    assert_eq!((event.seq, event.flags), (U256::from(REQUESTS + 1), 1));
    let output = B256::from(U256::from(100 + REQUESTS + 1));
    let retry = oracle.retryCallback(entry, event.outstanding, output.into());
    let receipt = retry.send().await.unwrap().get_receipt().await.unwrap();
    assert!(receipt.status());
    recorder.answered(next as usize).await;
    assert_answers(&recorder, next).await;

    let mut fulfilled: BTreeMap<u64, usize> = BTreeMap::new();
    for (event, _) in scene
        .events::<SubrosaOracle::EntryFulfilled>(Some(contract))
        .await
    {
        let seq = LoggedResult::unpack(event.outcome).seq;
        *fulfilled.entry(seq).or_default() += 1;
    }
    let once: BTreeMap<_, _> = (0..=next).map(|seq| (seq, 1)).collect();
    assert_eq!(fulfilled, once);
    scene.network.ensure_running().unwrap();
}

/// Every request was answered once, each as if it were the first.
async fn assert_answers(recorder: &Recorder, count: u64) {
    let mut answers = recorder.answers().await;
    answers.sort_by_key(|answer| answer.seq);
    assert_eq!(answers.len() as u64, count);
    for (answer, seq) in answers.iter().zip(1..) {
        assert_eq!((answer.seq, answer.status), (U256::from(seq), 1));
        let value = B256::from(U256::from(100 + seq));
        assert_eq!(answer.output.as_ref(), value.as_slice());
    }
}

/// The last entry of a contract's log, as the oracle wants it back.
async fn last_entry(scene: &Scene, contract: B256) -> SubrosaOracle::Entry {
    let events = scene
        .events::<SubrosaOracle::EntryAppended>(Some(contract))
        .await;
    let (event, _) = events.into_iter().next_back().unwrap();
    SubrosaOracle::Entry {
        contractId: contract,
        previousDigest: B256::ZERO,
        context: event.context,
        inputHash: alloy_primitives::keccak256(&event.input),
        execution: event.execution,
        settlement: event.settlement,
        payment: event.payment,
        refundTo: event.refundTo,
    }
}
