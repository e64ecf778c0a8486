// SPDX-License-Identifier: Apache-2.0
//! Loading by need: what cannot be loaded is nobody else's trouble.

use subrosa_node::{Node, RpcError};
use subrosa_simulation::{Client, World};
use subrosa_store::BlobStore;
use subrosa_types::{
    ContractId,
    frame::StateBlob,
    rpc::{ContractRequest, EntryRequest, StopReason},
};

use crate::guest;

async fn start(world: &World) -> (Node, Client) {
    let node = world.start().await.unwrap();
    assert!(world.until(|_| world.client().is_some()).await);
    (node, world.client().unwrap())
}

/// The first blob of a contract, as it is stored.
async fn first_blob(world: &World, contract: ContractId) -> StateBlob {
    let storage = world.storage();
    let blobs = storage.blobs_for_load(contract, 0, 0, 1).await.unwrap();
    blobs[0].clone()
}

async fn store(world: &World, contract: ContractId, blob: StateBlob) {
    world.storage().put_blob(contract, blob).await.unwrap();
}

async fn stop_reason(node: &Node, contract: ContractId, seq: u64) -> Option<StopReason> {
    let request = EntryRequest { contract, seq };
    let status = node.api().request(request).await.unwrap();
    status.stop.map(|stop| stop.reason)
}

/// Waits, in simulated time, until metrics say so.
async fn until_metrics_say(node: &Node, line: &str) {
    while !node.metrics().lines().any(|found| found == line) {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_serves_before_anything_is_loaded_and_loads_what_is_asked_for() {
    let world = World::new(51, guest::engines);
    let (node, mut client) = start(&world).await;
    let asked = world.deploy(&node, &mut client, &guest::vault(1)).await;
    let idle = world.deploy(&node, &mut client, &guest::vault(2)).await;
    for contract in [asked, idle] {
        assert!(world.settled(contract, 1).await);
    }
    world.machine.power_off();
    world.admit();
    let statement = async |contract| {
        let nonce = Default::default();
        let request = ContractRequest { contract, nonce };
        node.api().contract(request).await
    };
    while let Err(error) = statement(asked).await {
        assert!(matches!(error, RpcError::NotReady), "{error}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(node.unreadiness(), None);
    until_metrics_say(&node, "subrosa_contracts_loaded 1").await;
    let seq = world.call(&mut client, idle, &guest::add(1));
    assert!(world.settled(idle, seq + 1).await);
    until_metrics_say(&node, "subrosa_contracts_loaded 2").await;
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_contract_that_cannot_be_loaded_holds_up_neither_logs_nor_results_of_others() {
    let world = World::new(52, guest::engines);
    let (node, mut client) = start(&world).await;
    let hurt = world.deploy(&node, &mut client, &guest::vault(1)).await;
    let other = world.deploy(&node, &mut client, &guest::vault(2)).await;
    for contract in [hurt, other] {
        assert!(world.settled(contract, 1).await);
    }
    // A result that is stored, and does not get onto the chain.
    world.chain.fail_next(usize::MAX);
    let unsent = world.call(&mut client, hurt, &guest::add(1));
    until_metrics_say(&node, "subrosa_relay_outstanding 1").await;
    node.stop().await;
    world.machine.power_off();
    world.chain.fail_next(0);

    let whole = first_blob(&world, hurt).await;
    let mut damaged = whole.clone();
    damaged.sealed = vec![7; whole.sealed.len()].into();
    store(&world, hurt, damaged).await;

    let (node, mut client) = start(&world).await;
    let waiting = world.call(&mut client, hurt, &guest::add(1));
    let seq = world.call(&mut client, other, &guest::add(1));
    assert!(world.settled(other, seq + 1).await);
    until_metrics_say(&node, "subrosa_contracts_failed 1").await;
    assert_eq!(node.unreadiness(), None);
    assert_eq!(
        stop_reason(&node, hurt, waiting).await,
        Some(StopReason::State)
    );
    assert_eq!(stop_reason(&node, other, seq).await, None);
    until_metrics_say(&node, "subrosa_execute_stopped_contracts 1").await;
    assert_eq!(world.chain.contracts().head(hurt).seq, unsent);
    node.stop().await;

    world.machine.power_off();
    store(&world, hurt, whole).await;
    let (node, _) = start(&world).await;
    assert!(world.settled(hurt, waiting + 1).await);
    assert_eq!(stop_reason(&node, hurt, waiting).await, None);
    node.stop().await;
}
