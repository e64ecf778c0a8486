// SPDX-License-Identifier: Apache-2.0
//! Requests from the chain to the enclave and back, and what crashes make of them.

use subrosa_node::{ChainView, Node};
use subrosa_simulation::{Client, World};
use subrosa_types::{ContractId, result::Status};

use crate::{
    guest,
    results::{fulfilled, succeeded},
};

/// A world with a node that serves, and a contract deployed on it.
async fn serving(seed: u64) -> (World, Node, Client, ContractId) {
    let world = World::new(seed, guest::engines);
    let node = world.start().await.unwrap();
    assert!(
        world
            .until(|chain| chain.contracts().current_epoch(1) == 1)
            .await
    );
    let mut client = client(&world).await;
    let contract = world.deploy(&node, &mut client, &guest::vault(40)).await;
    assert!(world.settled(contract, 1).await, "{:?}", node.unreadiness());
    (world, node, client, contract)
}

async fn client(world: &World) -> Client {
    assert!(world.until(|_| world.client().is_some()).await);
    world.client().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_sealed_request_is_executed_and_its_result_taken_by_the_chain() {
    let (world, node, mut client, contract) = serving(1).await;
    let seq = world.call(&mut client, contract, &guest::add(2));
    assert!(world.settled(contract, seq + 1).await);
    assert_eq!(fulfilled(&world, contract).await[1..], [succeeded(1, 42)]);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_reverts_holds_nothing_up() {
    let (world, node, mut client, contract) = serving(2).await;
    world.call(&mut client, contract, &guest::refuse());
    world.call(&mut client, contract, &guest::add(2));
    assert!(world.settled(contract, 3).await);
    let results = fulfilled(&world, contract).await;
    assert_eq!(results[1], (1, Status::Failed as u8, Vec::new()));
    assert_eq!(results[2], succeeded(2, 42));
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_enclave_that_loses_power_goes_on_where_it_was() {
    let (world, node, mut client, contract) = serving(3).await;
    world.call(&mut client, contract, &guest::add(1));
    assert!(world.settled(contract, 2).await);
    world.machine.power_off();
    world.call(&mut client, contract, &guest::add(1));
    world.admit();
    assert!(world.settled(contract, 3).await, "{:?}", node.unreadiness());
    assert_eq!(
        fulfilled(&world, contract).await[1..],
        [succeeded(1, 41), succeeded(2, 42)]
    );
    assert_eq!(world.machine.boots(), 2);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_host_killed_with_a_transaction_in_the_pool_sends_nothing_twice() {
    let (world, node, mut client, contract) = serving(4).await;
    let before = world.chain.sent();
    world.chain.hold(true);
    world.call(&mut client, contract, &guest::add(2));
    assert!(world.until(|chain| chain.pooled() == 1).await);
    drop(node);
    world.disk.cut_power();
    world.chain.hold(false);
    let node = world.start().await.unwrap();
    world.chain.mine();
    assert!(world.settled(contract, 2).await, "{:?}", node.unreadiness());
    let after = world.call(&mut client, contract, &guest::add(1));
    assert!(world.settled(contract, after + 1).await);
    assert_eq!(world.chain.sent() - before, 2);
    assert_eq!(
        fulfilled(&world, contract).await[1..],
        [succeeded(1, 42), succeeded(2, 43)]
    );
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn entries_that_a_reorganization_took_back_were_never_there() {
    let (world, node, mut client, contract) = serving(5).await;
    world.chain.hold(true);
    world.call(&mut client, contract, &guest::add(100));
    assert!(world.until(|chain| chain.pooled() == 1).await);
    world.chain.reorganize(1);
    world.chain.hold(false);
    let seq = world.call(&mut client, contract, &guest::add(2));
    assert_eq!(seq, 1);
    assert!(world.settled(contract, 2).await, "{:?}", node.unreadiness());
    assert_eq!(fulfilled(&world, contract).await[1..], [succeeded(1, 42)]);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_seed_is_a_run() {
    let mut tips = Vec::new();
    for _ in 0..2 {
        let (world, node, mut client, contract) = serving(6).await;
        world.call(&mut client, contract, &guest::add(2));
        assert!(world.settled(contract, 2).await);
        tips.push(world.chain.tip().await.unwrap());
        node.stop().await;
    }
    assert_eq!(tips[0], tips[1]);
}
