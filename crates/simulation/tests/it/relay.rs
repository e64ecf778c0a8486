// SPDX-License-Identifier: Apache-2.0
//! Several transactions in flight, and what befalls them: nothing is lost, nothing is fulfilled
//! twice.

use std::collections::BTreeMap;

use subrosa_chain::{Event, follow::OracleEvent};
use subrosa_node::{ChainFeed, ChainView, Node, StartingPoint};
use subrosa_simulation::{Client, World};
use subrosa_types::ContractId;

use crate::guest;

/// A node with contracts, whose transactions wait in the pool.
struct Scene {
    world: World,
    node: Option<Node>,
    client: Client,
    contracts: Vec<ContractId>,
    /// Entries of each contract.
    entries: BTreeMap<ContractId, u64>,
    /// Transactions that were mined before.
    before: usize,
    /// Number of the block before anything happens.
    floor: u64,
}

impl Scene {
    async fn start(seed: u64, contracts: usize) -> Self {
        let world = World::new(seed, guest::engines);
        let node = world.start().await.unwrap();
        assert!(world.until(|_| world.client().is_some()).await);
        let mut scene = Self {
            client: world.client().unwrap(),
            node: Some(node),
            world,
            contracts: Vec::new(),
            entries: BTreeMap::new(),
            before: 0,
            floor: 0,
        };
        for _ in 0..contracts {
            let node = scene.node.as_ref().unwrap();
            let vault = guest::vault(40);
            let contract = scene.world.deploy(node, &mut scene.client, &vault).await;
            scene.contracts.push(contract);
            scene.entries.insert(contract, 1);
            assert!(scene.world.settled(contract, 1).await);
        }
        scene.before = scene.world.chain.sent();
        scene.floor = scene.world.chain.tip().await.unwrap().number;
        scene.world.chain.hold(true);
        scene
    }

    /// Asks a contract.
    fn call(&mut self, index: usize) {
        let contract = self.contracts[index % self.contracts.len()];
        let seq = self.world.call(&mut self.client, contract, &guest::add(1));
        self.entries.insert(contract, seq + 1);
    }

    /// Asks a contract, and waits until one more transaction is in the pool for it.
    async fn call_into_pool(&mut self, index: usize) {
        let pooled = self.world.chain.pooled();
        self.call(index);
        assert!(self.world.until(|chain| chain.pooled() == pooled + 1).await);
    }

    /// Kills the host and starts another one.
    async fn kill(&mut self) {
        drop(self.node.take());
        self.world.disk.cut_power();
        self.world.admit();
        self.node = Some(self.world.start().await.unwrap());
    }

    /// Mines until every entry is executed on chain.
    async fn settle(&mut self) {
        self.world.chain.fail_next(0);
        self.world.chain.hold(false);
        self.world.chain.mine();
        for (contract, entries) in self.entries.clone() {
            let settled = self.world.until(|chain| {
                let is_settled = chain.contracts().head(contract).seq >= entries;
                if !is_settled && chain.pooled() > 0 {
                    chain.mine();
                }
                is_settled
            });
            let settled = settled.await;
            let head = self.world.chain.contracts().head(contract);
            let unready = self.node.as_ref().unwrap().unreadiness();
            assert!(settled, "{head:?} of {entries} entries, {unready:?}");
        }
    }

    /// Every event of the oracle on the chain.
    async fn events(&self) -> Vec<OracleEvent> {
        let chain = &self.world.chain;
        let mut events = chain.follow(StartingPoint::default()).await.unwrap();
        let Event::Blocks { logs, .. } = events.next().await.unwrap() else {
            panic!("a chain begins with blocks");
        };
        logs.into_iter().map(|log| log.event).collect()
    }

    /// How many times items were passed over.
    async fn skips(&self) -> usize {
        let events = self.events().await;
        let skips = events
            .iter()
            .filter(|event| matches!(event, OracleEvent::ItemsSkipped { .. }));
        skips.count()
    }

    /// Settles, and asserts that every entry on the chain is fulfilled exactly once, in order.
    async fn exactly_once(&mut self) {
        self.settle().await;
        let mut fulfilled: BTreeMap<ContractId, Vec<u64>> = BTreeMap::new();
        for event in self.events().await {
            if let OracleEvent::EntryFulfilled {
                contract, outcome, ..
            } = event
            {
                let seq = outcome.seq;
                fulfilled.entry(contract).or_default().push(seq);
            }
        }
        for (contract, entries) in &self.entries {
            let expected: Vec<u64> = (0..*entries).collect();
            assert_eq!(fulfilled.get(contract), Some(&expected));
        }
    }

    /// Transactions mined since the start.
    fn sent(&self) -> usize {
        self.world.chain.sent() - self.before
    }
}

#[tokio::test(start_paused = true)]
async fn each_transaction_continues_what_the_one_before_it_will_leave() {
    let mut scene = Scene::start(21, 1).await;
    for _ in 0..3 {
        scene.call_into_pool(0).await;
    }
    scene.world.chain.mine();
    assert_eq!(scene.sent(), 3);
    scene.exactly_once().await;
    assert_eq!((scene.sent(), scene.skips().await), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn results_that_come_together_share_a_transaction_while_one_is_in_flight() {
    let mut scene = Scene::start(22, 2).await;
    scene.call_into_pool(0).await;
    for index in 0..20 {
        scene.call(index);
    }
    assert!(scene.world.until(|chain| chain.pooled() == 2).await);
    scene.exactly_once().await;
    assert_eq!((scene.sent(), scene.skips().await), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn no_more_is_in_flight_than_the_window_holds() {
    let mut scene = Scene::start(23, 1).await;
    for _ in 0..8 {
        scene.call_into_pool(0).await;
    }
    for _ in 0..5 {
        scene.call(0);
    }
    // Longer than any result waits for company.
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(scene.world.chain.pooled(), 8);
    scene.exactly_once().await;
    assert_eq!((scene.sent(), scene.skips().await), (9, 0));
}

#[tokio::test(start_paused = true)]
async fn what_follows_from_a_reverted_transaction_is_sent_again() {
    let mut scene = Scene::start(24, 2).await;
    for index in [0, 0, 0, 1] {
        scene.call_into_pool(index).await;
    }
    scene.world.chain.fail_next(1);
    scene.world.chain.mine();
    scene.exactly_once().await;
    // The second and third continued the first; the fourth has nothing to do with it.
    assert_eq!((scene.sent(), scene.skips().await), (5, 2));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_transaction_keeps_its_place() {
    let mut scene = Scene::start(25, 1).await;
    for _ in 0..3 {
        scene.call_into_pool(0).await;
    }
    assert!(scene.world.chain.evict());
    scene.world.chain.mine();
    assert_eq!(scene.sent(), 0, "nothing is mined past a gap");
    scene.exactly_once().await;
    assert_eq!((scene.sent(), scene.skips().await), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_nonce_that_another_transaction_took_is_a_broken_promise() {
    let mut scene = Scene::start(26, 1).await;
    for _ in 0..3 {
        scene.call_into_pool(0).await;
    }
    assert!(scene.world.chain.usurp());
    scene.exactly_once().await;
    assert_eq!((scene.sent(), scene.skips().await), (4, 2));
}

#[tokio::test(start_paused = true)]
async fn somebody_who_was_faster_breaks_nothing_that_still_continues() {
    let mut scene = Scene::start(27, 1).await;
    scene.call_into_pool(0).await;
    for _ in 0..6 {
        scene.call(0);
    }
    assert!(scene.world.until(|chain| chain.pooled() == 2).await);
    scene.call_into_pool(0).await;
    for overtaken in [1, 2] {
        assert!(scene.world.chain.overtake(overtaken));
    }
    scene.exactly_once().await;
    assert_eq!(scene.sent(), 3, "everything that was in flight still fits");
}

#[tokio::test(start_paused = true)]
async fn a_reorganization_sends_nothing_again_that_still_fits() {
    let mut scene = Scene::start(28, 1).await;
    for _ in 0..3 {
        scene.call_into_pool(0).await;
    }
    scene.world.chain.mine();
    assert!(scene.world.settled(scene.contracts[0], 4).await);
    // The block goes, and its transactions come back in the next.
    scene.world.chain.reorganize(1);
    scene.exactly_once().await;
    assert_eq!((scene.sent(), scene.skips().await), (3, 0));
    scene.call(0);
    scene.exactly_once().await;
}

#[tokio::test(start_paused = true)]
async fn entries_that_went_away_under_transactions_in_flight_were_never_there() {
    let mut scene = Scene::start(29, 1).await;
    scene.call_into_pool(0).await;
    scene.call_into_pool(0).await;
    // Both entries go; what is in flight for them is of no use.
    scene.world.chain.reorganize(2);
    scene.entries.insert(scene.contracts[0], 1);
    scene.call(0);
    scene.exactly_once().await;
}

#[tokio::test(start_paused = true)]
async fn a_host_killed_with_several_in_flight_goes_on_with_them() {
    let mut scene = Scene::start(30, 2).await;
    for index in [0, 1, 0] {
        scene.call_into_pool(index).await;
    }
    scene.kill().await;
    scene.call(1);
    scene.exactly_once().await;
    assert_eq!((scene.sent(), scene.skips().await), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_saw_to_the_end_is_still_noted() {
    let mut scene = Scene::start(31, 1).await;
    scene.call_into_pool(0).await;
    scene.world.chain.close(true);
    // Long enough for the node to hear of it.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    scene.kill().await;
    scene.world.chain.close(false);
    scene.exactly_once().await;
    assert_eq!((scene.sent(), scene.skips().await), (1, 0));
}

/// A linear congruential generator (Knuth, MMIX): what happens is a function of the seed.
struct Schedule(u64);

impl Schedule {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_befalls_transactions_every_entry_is_fulfilled_exactly_once() {
    let seeds = std::env::var("SUBROSA_RELAY_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    let first = std::env::var("SUBROSA_RELAY_SEED").map_or(0, |seed| seed.parse().unwrap());
    for seed in first..first + seeds {
        let mut scene = Scene::start(100 + seed, 2).await;
        let mut schedule = Schedule(seed);
        for _ in 0..STEPS {
            match schedule.next(16) {
                0..=6 => scene.call(schedule.next(2)),
                7 => scene.world.chain.fail_next(schedule.next(3)),
                8 => drop(scene.world.chain.evict()),
                9 => drop(scene.world.chain.usurp()),
                10 => drop(scene.world.chain.overtake(1 + schedule.next(2))),
                11 => scene.kill().await,
                12 => {
                    scene.reorganize(1 + schedule.next(3)).await;
                }
                _ => scene.world.chain.mine(),
            }
            let pause = [0, 1, 20, 60, 2_000][schedule.next(5)];
            tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
        }
        println!("seed {seed}: {} transactions", scene.sent());
        scene.exactly_once().await;
        scene.node.take().unwrap().stop().await;
    }
}

impl Scene {
    /// Takes up to `depth` blocks back, and counts the entries that remain.
    async fn reorganize(&mut self, depth: usize) {
        let tip = self.world.chain.tip().await.unwrap().number;
        let since = usize::try_from(tip - self.floor).unwrap();
        self.world.chain.reorganize(depth.min(since));
        for (contract, entries) in &mut self.entries {
            let contracts = self.world.chain.contracts();
            *entries = contracts.entries(*contract);
        }
    }
}

const SEEDS: u64 = 24;
const STEPS: usize = 40;
