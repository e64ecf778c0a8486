// SPDX-License-Identifier: Apache-2.0
//! An enclave that was away while hundreds of entries were appended, executed by others, and their slots in the ring
//! written over: it is shown the log from its tip backwards, and executes all of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use subrosa_node::Node;
use subrosa_simulation::{Client, Request, World};
use subrosa_types::{ContractId, frame::Request as Frame, slot::RING};

use crate::{
    guest,
    results::{fulfilled, succeeded},
};

/// Entries that are appended meanwhile: several times the ring.
const AWAY: u64 = 5 * RING + 7;

/// A world whose chain went on without the node and the enclave that start next: they have the disk of before.
struct Left {
    world: World,
    client: Client,
    contract: ContractId,
}

async fn left_behind(seed: u64) -> Left {
    let mut world = World::new(seed, guest::engines);
    let node = world.start().await.unwrap();
    assert!(world.until(|_| world.client().is_some()).await);
    let mut client = world.client().unwrap();
    let contract = world.deploy(&node, &mut client, &guest::vault(0)).await;
    assert!(world.settled(contract, 1).await);
    node.stop().await;
    world.machine.power_off();
    let before = world.disk.copy();

    // Another replica, with the same secrets.
    let node = world.start().await.unwrap();
    for block in 0..AWAY.div_ceil(16) {
        let count = (AWAY - block * 16).min(16);
        let clear = Request::default();
        let calls = (0..count).map(|_| (clear, guest::add(1).into()));
        let asked = world.chain.request_all(contract, calls.collect());
        let last = asked.unwrap().pop().unwrap();
        // What is pending when the ring has come round has a slot of its own, which stays.
        let settled = world.settled(contract, last + 1).await;
        assert!(settled, "{:?}", node.unreadiness());
    }
    node.stop().await;
    world.machine.power_off();
    world.disk = before;
    // Nobody has proofs of when the entries were appended any more.
    world.chain.prune(2);
    Left {
        world,
        client,
        contract,
    }
}

impl Left {
    /// Asks once more, and says what came of it: all before is in the answer.
    async fn answers(&mut self, node: &Node) {
        let contract = self.contract;
        let seq = self.world.call(&mut self.client, contract, &guest::add(1));
        assert_eq!(seq, 1 + AWAY);
        let settled = self.world.settled(contract, seq + 1).await;
        assert!(settled, "{:?}", node.unreadiness());
        let results = fulfilled(&self.world, contract).await;
        assert_eq!(results.last(), Some(&succeeded(seq, 1 + AWAY)));
        assert_eq!(results.len() as u64, seq + 1, "nothing is landed twice");
    }
}

#[tokio::test(start_paused = true)]
async fn an_enclave_that_was_away_for_several_rings_executes_all_of_them() {
    let mut left = left_behind(81).await;
    let anchored = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&anchored);
    left.world.machine.tamper(move |frame| {
        if matches!(frame, Frame::Anchor { .. }) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        frame
    });
    let node = left.world.start().await.unwrap();
    left.answers(&node).await;
    assert!(anchored.load(Ordering::Relaxed) > 1, "it needed anchors");
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn links_that_lead_elsewhere_are_refused_and_true_ones_taken_afterwards() {
    let mut left = left_behind(82).await;
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    // A host that would have another fee, another order, or another beginning.
    left.world.machine.tamper(move |mut frame| {
        if let Frame::Anchor { before, links, .. } = &mut frame {
            match count.fetch_add(1, Ordering::Relaxed) % 3 {
                0 => before.0[0] ^= 1,
                1 if links.len() > 1 => links.swap(0, 1),
                _ => {
                    links.pop();
                }
            }
        }
        frame
    });
    let node = left.world.start().await.unwrap();
    let contract = left.contract;
    let seq = left.world.call(&mut left.client, contract, &guest::add(1));
    let head = |world: &World| world.chain.contracts().head(contract).seq;
    for _ in 0..1_000 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(head(&left.world), seq, "nothing rests on wrong links");
    }
    assert!(refused.load(Ordering::Relaxed) > 3);
    node.stop().await;
    left.world.machine.power_off();

    left.world.machine.leave_alone();
    let node = left.world.start().await.unwrap();
    assert!(left.world.settled(contract, seq + 1).await);
    let results = fulfilled(&left.world, contract).await;
    assert_eq!(results.last(), Some(&succeeded(seq, 1 + AWAY)));
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_enclave_that_loses_power_while_it_catches_up_is_shown_the_log_again() {
    let mut left = left_behind(83).await;
    let (anchored, executed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (Arc::clone(&anchored), Arc::clone(&executed));
    let (machine, before) = (left.world.machine.clone(), Arc::new(AtomicUsize::new(0)));
    let kept = Arc::clone(&before);
    left.world.machine.tamper(move |frame| {
        let count = |counter: &AtomicUsize| counter.fetch_add(1, Ordering::Relaxed);
        match frame {
            Frame::Anchor { .. } => {
                count(&counts.0);
            }
            // In the middle of it.
            Frame::Execute { .. } if count(&counts.1) == 2 => {
                kept.store(counts.0.load(Ordering::Relaxed), Ordering::Relaxed);
                machine.power_off();
            }
            _ => {}
        }
        frame
    });
    let node = left.world.start().await.unwrap();
    while left.world.machine.boots() < 4 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    left.world.admit();
    left.answers(&node).await;
    let before = before.load(Ordering::Relaxed);
    assert!(before > 0);
    let after = anchored.load(Ordering::Relaxed);
    assert!(after > before, "what it kept was gone");
    node.stop().await;
}
