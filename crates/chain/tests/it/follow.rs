// SPDX-License-Identifier: Apache-2.0
//! Following the log of a live oracle through reorganisations and broken connections.

use std::time::{Duration, Instant};

use alloy::{primitives::B256, providers::ext::AnvilApi};
use subrosa_chain::{
    Endpoints, Event, Follower,
    follow::{BlockRef, FollowerConfig, OracleEvent},
};

use crate::{
    proxy::Proxy,
    scene::{SOON, Scene},
};

/// A follower and the picture of the log that its events paint.
struct Reader {
    follower: Follower,
    /// Inputs of the contract's calls with their blocks.
    inputs: Vec<(u64, Vec<u8>)>,
    last: Option<BlockRef>,
    reorgs: Vec<BlockRef>,
}

impl Reader {
    async fn new(scene: &Scene, endpoints: Endpoints) -> Self {
        let deployment = scene.deployment;
        let mut config = FollowerConfig::new(endpoints, deployment.oracle, deployment.block);
        config.poll_interval = Duration::from_millis(50);
        Self::with(config).await
    }

    async fn with(config: FollowerConfig) -> Self {
        Self {
            follower: Follower::start(config).await.unwrap(),
            inputs: Vec::new(),
            last: None,
            reorgs: Vec::new(),
        }
    }

    async fn step(&mut self) {
        let event = tokio::time::timeout(SOON, self.follower.next()).await;
        match event.expect("an event").unwrap() {
            Event::Blocks { last, logs, .. } => {
                assert!(self.last.is_none_or(|before| before.number < last.number));
                for log in logs {
                    assert!(
                        self.last
                            .is_none_or(|before| before.number < log.block_number)
                    );
                    if let OracleEvent::EntryAppended(entry) = log.event {
                        self.inputs.push((log.block_number, entry.input.to_vec()));
                    }
                }
                self.last = Some(last);
            }
            Event::Reorg { to } => {
                self.inputs.retain(|(block, _)| *block <= to.number);
                self.last = Some(to);
                self.reorgs.push(to);
            }
        }
    }

    /// Follows until the contract's calls are these.
    async fn until(&mut self, calls: &[&[u8]]) {
        while self.calls() != calls {
            self.step().await;
        }
    }

    /// Inputs after entry 0.
    fn calls(&self) -> Vec<&[u8]> {
        self.inputs
            .iter()
            .skip(1)
            .map(|(_, input)| input.as_slice())
            .collect()
    }

    /// Lets the follower look for blocks until it is (or is not) subscribed.
    async fn until_subscribed(&mut self, subscribed: bool) {
        let deadline = Instant::now() + SOON;
        while self.follower.is_subscribed() != subscribed {
            assert!(Instant::now() < deadline);
            let _ = tokio::time::timeout(Duration::from_millis(10), self.step()).await;
        }
    }
}

fn both(scene: &Scene) -> Endpoints {
    Endpoints {
        ws: Some(scene.anvil.ws()),
        http: Some(scene.anvil.http()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_endpoint_shows_the_same_log() {
    let scene = Scene::new().await;
    scene.request(b"one").await;
    let dead = Some("ws://127.0.0.1:9".to_owned());
    for (endpoints, subscribed) in [
        (both(&scene), true),
        (
            Endpoints {
                http: None,
                ..both(&scene)
            },
            true,
        ),
        (
            Endpoints {
                ws: None,
                ..both(&scene)
            },
            false,
        ),
        (
            Endpoints {
                ws: dead,
                ..both(&scene)
            },
            false,
        ),
    ] {
        let mut reader = Reader::new(&scene, endpoints.clone()).await;
        reader.until(&[b"one"]).await;
        if subscribed {
            reader.until_subscribed(true).await;
        }
        let before = reader.calls().len();
        scene.mine(3).await;
        scene.request(b"two").await;
        while reader.calls().len() == before {
            reader.step().await;
        }
        assert_eq!(reader.calls()[1], b"two");
        assert_eq!(reader.follower.is_subscribed(), subscribed, "{endpoints:?}");
        assert!(reader.reorgs.is_empty());
        // Back to one request for the next kind.
        scene.provider.anvil_rollback(Some(4)).await.unwrap();
        scene.mine(5).await;
        scene.sender.resync().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_filled_in_bounded_ranges() {
    let scene = Scene::new().await;
    scene.request(b"one").await;
    scene.mine(40).await;
    scene.request(b"two").await;
    scene.mine(3).await;
    let mut config = FollowerConfig::new(
        both(&scene),
        scene.deployment.oracle,
        scene.deployment.block,
    );
    config.max_range = 7;
    let mut reader = Reader::with(config.clone()).await;
    let mut ranges = 0;
    while reader.calls().len() < 2 {
        let before = reader
            .last
            .map_or(scene.deployment.block - 1, |last| last.number);
        reader.step().await;
        assert!(reader.last.unwrap().number - before <= 7);
        ranges += 1;
    }
    assert!(ranges > 6);
    // A follower that continues elsewhere sees only the rest.
    let known = reader.last.unwrap();
    config.known = vec![(known.number, known.hash)];
    scene.request(b"three").await;
    let mut later = Reader::with(config).await;
    while later.inputs.is_empty() {
        later.step().await;
    }
    assert_eq!(later.inputs[0].1, b"three");
}

#[tokio::test(flavor = "multi_thread")]
async fn reorganisations_of_every_depth_are_followed() {
    let scene = Scene::new().await;
    for (round, depth) in [1u64, 2, 3, 8, 33, 64].into_iter().enumerate() {
        for endpoints in [
            both(&scene),
            Endpoints {
                ws: None,
                ..both(&scene)
            },
        ] {
            let mut reader = Reader::new(&scene, endpoints).await;
            while reader.last.map(|last| last.number) != Some(height(&scene).await) {
                reader.step().await;
            }
            let kept: Vec<Vec<u8>> = reader.calls().iter().map(|call| call.to_vec()).collect();
            let fork = height(&scene).await;
            scene.mine(depth - 1).await;
            scene.request(b"dropped").await;
            while reader.calls().len() == kept.len() {
                reader.step().await;
            }
            scene.provider.anvil_rollback(Some(depth)).await.unwrap();
            assert_eq!(height(&scene).await, fork);
            scene.sender.resync().await.unwrap();
            scene.foreign_request(b"kept").await;
            // Until it is longer than what it replaces, the new chain may go unnoticed.
            scene.mine(depth + 1).await;
            let mut expected = kept.clone();
            expected.push(b"kept".to_vec());
            let expected: Vec<&[u8]> = expected.iter().map(Vec::as_slice).collect();
            reader.until(&expected).await;
            assert!(!reader.reorgs.is_empty(), "round {round}");
            for to in &reader.reorgs {
                assert!(to.number <= fork, "went back to {} not {fork}", to.number);
            }
        }
    }
}

async fn height(scene: &Scene) -> u64 {
    use alloy::providers::Provider;
    scene.provider.get_block_number().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_while_nobody_looked_is_found() {
    let scene = Scene::new().await;
    let mut reader = Reader::new(&scene, both(&scene)).await;
    scene.request(b"one").await;
    reader.until(&[b"one"]).await;
    let one = reader.last.unwrap();
    scene.request(b"two").await;
    reader.until(&[b"one", b"two"]).await;
    let two = reader.last.unwrap();
    drop(reader);
    scene.provider.anvil_rollback(Some(1)).await.unwrap();
    scene.sender.resync().await.unwrap();
    scene.foreign_request(b"other").await;
    scene.mine(2).await;

    let deployment = scene.deployment;
    let mut config = FollowerConfig::new(both(&scene), deployment.oracle, deployment.block);
    config.known = vec![(one.number, one.hash), (two.number, two.hash)];
    let mut reader = Reader::with(config.clone()).await;
    while reader.inputs.is_empty() {
        reader.step().await;
    }
    assert_eq!(reader.reorgs.len(), 1);
    assert_eq!(reader.reorgs[0].hash, one.hash);
    assert_eq!(reader.inputs[0].1, b"other");

    // With nothing to go back to, from the beginning.
    config.known = vec![(two.number, B256::repeat_byte(1))];
    let mut reader = Reader::with(config).await;
    reader.until(&[b"one", b"other"]).await;
    assert_eq!(reader.reorgs[0].number, deployment.block - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_websocket_is_bridged_by_polling_and_opened_again() {
    let scene = Scene::new().await;
    let proxy = Proxy::start(scene.anvil.port()).await;
    let endpoints = Endpoints {
        ws: Some(proxy.ws()),
        http: Some(scene.anvil.http()),
    };
    let mut reader = Reader::new(&scene, endpoints).await;
    reader.until_subscribed(true).await;
    scene.request(b"one").await;
    reader.until(&[b"one"]).await;
    proxy.cut();
    reader.until_subscribed(false).await;
    scene.request(b"two").await;
    reader.until(&[b"one", b"two"]).await;
    assert!(!reader.follower.is_subscribed());
    proxy.restore();
    reader.until_subscribed(true).await;
    scene.request(b"three").await;
    reader.until(&[b"one", b"two", b"three"]).await;
    assert!(reader.reorgs.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_alone_survives_a_break() {
    let scene = Scene::new().await;
    let proxy = Proxy::start(scene.anvil.port()).await;
    let endpoints = Endpoints {
        ws: Some(proxy.ws()),
        http: None,
    };
    let mut reader = Reader::new(&scene, endpoints).await;
    reader.until_subscribed(true).await;
    proxy.cut();
    reader.until_subscribed(false).await;
    scene.request(b"meanwhile").await;
    proxy.restore();
    reader.until(&[b"meanwhile"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_wait_loses_nothing() {
    let scene = Scene::new().await;
    let mut reader = Reader::new(&scene, both(&scene)).await;
    reader.until_subscribed(true).await;
    for _ in 0..5 {
        scene.request(b"again").await;
    }
    let deadline = Instant::now() + SOON;
    while reader.calls().len() < 5 {
        assert!(Instant::now() < deadline);
        let _ = tokio::time::timeout(Duration::from_micros(300), reader.step()).await;
        tokio::task::yield_now().await;
        if reader.calls().len() < 5 {
            // Grow the patience: a wait that is always dropped can never finish.
            let _ = tokio::time::timeout(Duration::from_millis(5), reader.step()).await;
        }
    }
    assert_eq!(reader.calls(), [b"again"; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_arrives_within_milliseconds() {
    let scene = Scene::new().await;
    let mut reader = Reader::new(&scene, both(&scene)).await;
    reader.until_subscribed(true).await;
    let mut waits = Vec::new();
    for round in 0..20 {
        while reader.last.map(|last| last.number) != Some(height(&scene).await) {
            reader.step().await;
        }
        let call = scene.request_call(b"quick").await;
        let to = scene.deployment.oracle;
        let call =
            subrosa_chain::send::Call::new(to, alloy::sol_types::SolCall::abi_encode(&call).into());
        // Automine: the block is mined when the transaction is accepted.
        let pending = scene.sender.send(call, subrosa_chain::send::unrecorded());
        let mut pending = pending.await.unwrap();
        let began = Instant::now();
        while reader.calls().len() <= round {
            reader.step().await;
        }
        waits.push(began.elapsed());
        pending.receipt(SOON).await.unwrap();
    }
    waits.sort();
    let median = waits[waits.len() / 2];
    // Far below the poll interval's 50 ms even on a busy machine; a few ms on an idle one.
    assert!(median < Duration::from_millis(40), "{waits:?}");
}
