// SPDX-License-Identifier: Apache-2.0
//! Logs that cannot go on: which, why, and what lets them.

use std::{sync::Arc, time::Duration};

use subrosa_node::{Node, RpcError};
use subrosa_simulation::{Client, OWNER, World};
use subrosa_types::{
    ContractId,
    rpc::{DeployRequest, EntryRequest, RequestState, Stop, StopReason},
};
use subrosa_vm::{Engines, Runtimes, Vm, conformance::Faulty};
use subrosa_vm_evm::{ENGINE_EVM, EvmEngine};

use crate::guest;

/// The EVM, but it breaks at calls that add 666.
pub(crate) fn fragile() -> Engines {
    let sound = Arc::new(EvmEngine::default());
    let engine: Arc<dyn Vm> = Arc::new(Faulty::new(sound, guest::add(666)));
    Engines::new(Runtimes::shipped(), [(ENGINE_EVM, engine)]).unwrap()
}

/// A world with a node that serves, and a client of it.
pub(crate) async fn serving(seed: u64, engines: fn() -> Engines) -> (World, Node, Client) {
    let world = World::new(seed, engines);
    let node = world.start().await.unwrap();
    assert!(world.until(|_| world.client().is_some()).await);
    let client = world.client().unwrap();
    (world, node, client)
}

/// What keeps an entry from being executed, as a node says.
pub(crate) async fn stop_at(node: &Node, contract: ContractId, seq: u64) -> Option<Stop> {
    let request = EntryRequest { contract, seq };
    node.api().request(request).await.unwrap().stop
}

/// Waits until a node says that something keeps an entry from being executed.
pub(crate) async fn until_stopped(node: &Node, contract: ContractId, seq: u64) -> Stop {
    loop {
        if let Some(stop) = stop_at(node, contract, seq).await {
            return stop;
        }
        // Of simulated time.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How far an entry is.
pub(crate) async fn state_of(node: &Node, contract: ContractId, seq: u64) -> RequestState {
    let request = EntryRequest { contract, seq };
    node.api().request(request).await.unwrap().state
}

#[tokio::test(start_paused = true)]
async fn a_broken_engine_stops_its_log_alone_and_says_where() {
    let (world, node, mut client) = serving(41, fragile).await;
    let hurt = world.deploy(&node, &mut client, &guest::vault(1)).await;
    let other = world.deploy(&node, &mut client, &guest::vault(2)).await;
    for contract in [hurt, other] {
        assert!(world.settled(contract, 1).await);
    }
    let seq = world.call(&mut client, hurt, &guest::add(666));
    let behind = world.call(&mut client, hurt, &guest::add(1));
    let elsewhere = world.call(&mut client, other, &guest::add(1));
    assert!(world.settled(other, elsewhere + 1).await);
    let stop = until_stopped(&node, hurt, behind).await;
    assert_eq!((stop.seq, stop.reason), (seq, StopReason::Broken));
    assert!(!stop.message.contains("fault"), "{}", stop.message);
    assert_eq!(stop_at(&node, other, elsewhere).await, None);
    let stopped = "subrosa_execute_stopped_contracts 1";
    assert!(node.metrics().contains(stopped), "{}", node.metrics());
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn only_a_code_envelope_that_opens_takes_the_place_of_one() {
    let (world, node, mut client) = serving(42, guest::engines).await;
    let contract = world
        .chain
        .register(OWNER, Client::commitment(&guest::vault(40)));
    let mut hand_in = async |initial: u64| {
        let code = guest::vault(initial);
        let code_envelope = client.seal_code(contract, OWNER, &code, world.chain.timestamp());
        let request = DeployRequest {
            contract,
            code_envelope,
            seq: None,
            code_commitment: None,
        };
        node.api().deploy(request).await
    };
    // Nothing was kept: this one is, and refused once it is tried.
    let first = hand_in(41).await;
    assert!(
        matches!(first, Err(RpcError::CodeEnvelopeRefused(_))),
        "{first:?}"
    );
    let stop = stop_at(&node, contract, 0).await.unwrap();
    assert_eq!((stop.seq, stop.reason), (0, StopReason::Code));
    // Another wrong one does not even take its place.
    let second = hand_in(42).await;
    assert!(
        matches!(second, Err(RpcError::CodeEnvelopeRefused(_))),
        "{second:?}"
    );
    hand_in(40).await.unwrap();
    assert!(world.settled(contract, 1).await);
    let request = EntryRequest { contract, seq: 0 };
    let status = node.api().request(request).await.unwrap();
    assert_eq!(status.stop, None);
    assert_ne!(status.state, RequestState::Pending);
    node.stop().await;
}
