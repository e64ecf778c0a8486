// SPDX-License-Identifier: Apache-2.0
//! Guests that take all they can get, against a running node: others go on, and what grew survives.

use alloy_primitives::{B256, U256, hex};
use subrosa_node::Node;
use subrosa_simulation::{Client, Code, OWNER, Request, World};
use subrosa_types::{ContractId, result::Status};
use subrosa_vm_evm::ENGINE_EVM;

use crate::guest;

const GREEDY: Request = Request {
    requester: OWNER,
    context: B256::ZERO,
    fuel_limit: 100_000_000,
    sealed: false,
};

async fn serving(seed: u64) -> (World, Node, Client) {
    let world = World::new(seed, guest::engines);
    let node = world.start().await.unwrap();
    assert!(world.until(|_| world.client().is_some()).await);
    let client = world.client().unwrap();
    (world, node, client)
}

/// Code that leaves `runtime`.
fn code(runtime: &[u8]) -> Code {
    let length = u8::try_from(runtime.len()).unwrap();
    let copy = [0x60, length, 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3];
    Code {
        engine: ENGINE_EVM,
        code: [copy.as_slice(), runtime].concat().into(),
        init: Default::default(),
    }
}

/// Writes as many new slots as its input's first word says.
fn filler() -> Code {
    code(&hex!("5f355f54015f545b6001018080558082116007575f5500"))
}

/// Calls `ecrecover` for ever: JUMPDEST; STATICCALL(gas, 1, 0, 128, 0, 32); POP; JUMP 0.
fn recoverer() -> Code {
    code(&hex!("5b60205f60805f60015afa505f56"))
}

async fn deploy(world: &World, node: &Node, client: &mut Client, code: &Code) -> ContractId {
    let contract = world.deploy(node, client, code).await;
    assert!(world.settled(contract, 1).await, "{:?}", node.unreadiness());
    contract
}

fn slots(count: u64) -> Vec<u8> {
    U256::from(count).to_be_bytes_vec()
}

/// Snapshots that a node has stored.
fn snapshots(node: &Node) -> u64 {
    let metrics = node.metrics();
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix("subrosa_execute_snapshots_total "));
    line.unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_burns_all_fuel_in_precompiled_contracts_holds_up_only_itself() {
    let (world, node, mut client) = serving(51).await;
    let hostile = deploy(&world, &node, &mut client, &recoverer()).await;
    let other = deploy(&world, &node, &mut client, &guest::vault(1)).await;
    for _ in 0..72 {
        world
            .chain
            .request(hostile, GREEDY, Default::default())
            .unwrap();
    }
    let seq = world.call(&mut client, other, &guest::add(1));
    assert!(world.settled(other, seq + 1).await);
    assert!(world.settled(hostile, 73).await);
    node.stop().await;
}

/// Past a part of a snapshot, past what a frame once held: through a loss of power, a reorganization, and
/// a host that begins anew.
#[tokio::test(start_paused = true)]
async fn a_contract_that_grows_past_every_frame_goes_on() {
    let (world, node, mut client) = serving(52).await;
    let large = deploy(&world, &node, &mut client, &filler()).await;
    let grow = |count: u64| {
        let input = slots(count).into();
        world.chain.request(large, GREEDY, input).unwrap()
    };
    for _ in 0..48 {
        let seq = grow(4_200);
        assert!(world.settled(large, seq + 1).await);
    }
    assert!(snapshots(&node) > 0);
    // The enclave's memory is gone; its state comes back in parts.
    world.machine.power_off();
    world.admit();
    let mut last = grow(10);
    assert!(
        world.settled(large, last + 1).await,
        "{:?}",
        node.unreadiness()
    );
    // Two blocks are taken back, with the entries and fulfillments in them.
    world.chain.reorganize(2);
    last = grow(11);
    assert!(
        world.settled(large, last + 1).await,
        "{:?}",
        node.unreadiness()
    );
    node.stop().await;
    world.machine.power_off();
    world.admit();
    let node = world.start().await.unwrap();
    let after = grow(12);
    assert!(
        world.settled(large, after + 1).await,
        "{:?}",
        node.unreadiness()
    );
    let status = node
        .api()
        .request(subrosa_types::rpc::EntryRequest {
            contract: large,
            seq: after,
        })
        .await
        .unwrap();
    assert_eq!(status.status, Some(Status::Succeeded));
    node.stop().await;
}
