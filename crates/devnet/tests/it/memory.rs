// SPDX-License-Identifier: Apache-2.0
//! More contracts than an enclave's memory holds, on a node that runs.

use std::collections::BTreeMap;

use alloy_primitives::{Bytes, U256, hex};
use futures::future::join_all;
use subrosa_chain::bindings::SubrosaOracle;
use subrosa_client::{
    Attested, Bytecode, CallRequest, ContractPolicy, ENGINE_EVM, QueryCall, Ticket,
};
use subrosa_devnet::{Devnet, Options};
use subrosa_types::{
    ContractId,
    result::{LoggedResult, Status},
};

use crate::scene::Scene;

/// Creation code of a counter that fills this many slots first: a call with any input counts, one
/// without says where it is.
fn ballasted_counter(slots: u16) -> Bytecode {
    const FILL: [u8; 13] = hex!("5b808055600190038060035750");
    const LEAVE: [u8; 9] = hex!("601b8060195f395ff3");
    const RUNTIME: [u8; 27] = hex!("36600c575f545f5260205ff35b5f54600101805f555f5260205ff3");
    let [high, low] = slots.to_be_bytes();
    let push = [0x61, high, low];
    Bytecode {
        engine: ENGINE_EVM,
        code: [&push[..], &FILL, &LEAVE, &RUNTIME].concat().into(),
        init: Bytes::new(),
    }
}

/// Appends a call to every contract, and waits for all of their answers.
async fn count(scene: &Scene, contracts: &[ContractId]) -> Vec<U256> {
    let connection = scene.connection().await;
    let mut tickets: Vec<Ticket> = Vec::new();
    for contract in contracts {
        let call = CallRequest::new(*contract, &[1]);
        let appended = connection.request_in_the_clear(&call, scene.account());
        tickets.push(appended.await.unwrap());
    }
    join_all(tickets.iter().map(|ticket| scene.output(ticket))).await
}

/// Asks every contract at once where it is.
async fn look(attested: &Attested, contracts: &[ContractId]) -> Vec<U256> {
    let answers = contracts.iter().map(async |contract| {
        let call = QueryCall::new(*contract, &[]);
        let answer = attested.query(&call, None).await.unwrap();
        assert_eq!(answer.status, Status::Succeeded);
        U256::from_be_slice(&answer.output)
    });
    join_all(answers).await
}

pub(crate) async fn metric(scene: &Scene, name: &str) -> f64 {
    let url = format!("{}/metrics", scene.network.admin_url());
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let (_, value) = lines.find(|(named, _)| *named == name).unwrap();
    value.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn more_contracts_than_memory_holds_are_all_served() {
    all_are_served(1_000).await;
}

/// Fewer than are loaded at a time, which would drop each other for ever.
#[tokio::test(flavor = "multi_thread")]
async fn where_memory_holds_one_contract_all_get_on() {
    all_are_served(4_000).await;
}

/// Contracts of this many slots; a thousand of them take about a quarter of the enclave's memory.
async fn all_are_served(slots: u16) {
    let options = Options {
        enclave_arguments: ["--memory-mib", "1"].map(Into::into).into(),
        ..Options::default()
    };
    let mut scene = Scene {
        network: Devnet::start(&options).await.unwrap(),
    };
    let mut contracts = Vec::new();
    for _ in 0..CONTRACTS {
        let policy = ContractPolicy {
            fuel_limit: 100_000_000,
            ..ContractPolicy::default()
        };
        contracts.push(scene.deploy(&ballasted_counter(slots), &policy).await);
    }
    for round in 1..=3 {
        let all = vec![U256::from(round); CONTRACTS];
        assert_eq!(count(&scene, &contracts).await, all);
        assert_eq!(look(&scene.attest().await, &contracts).await, all);
    }
    // What was not in memory was refused, and loaded.
    assert!(metric(&scene, "subrosa_enclave_refusals_total").await > 0.0);

    // A node that starts anew serves before anything is loaded, and loads what is asked for.
    scene.restart().await;
    let all = vec![U256::from(3); CONTRACTS];
    assert_eq!(look(&scene.attest().await, &contracts).await, all);
    let all = vec![U256::from(4); CONTRACTS];
    assert_eq!(count(&scene, &contracts).await, all);
    assert_eq!(metric(&scene, "subrosa_contracts_failed").await, 0.0);
    assert_eq!(
        metric(&scene, "subrosa_execute_stopped_contracts").await,
        0.0
    );

    for contract in contracts {
        let events = scene
            .events::<SubrosaOracle::EntryFulfilled>(Some(contract))
            .await;
        let mut fulfilled: BTreeMap<u64, usize> = BTreeMap::new();
        for (event, _) in events {
            let seq = LoggedResult::unpack(event.outcome).seq;
            *fulfilled.entry(seq).or_default() += 1;
        }
        let once: BTreeMap<u64, usize> = (0..=4).map(|seq| (seq, 1)).collect();
        assert_eq!(fulfilled, once);
    }
}

const CONTRACTS: usize = 8;
