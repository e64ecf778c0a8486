// SPDX-License-Identifier: Apache-2.0
//! Guests that take all they can get, against a running node: others go on, and what grew survives.

use alloy_primitives::{Address, B256, Bytes, U256, hex};
use alloy_sol_types::SolValue;
use subrosa_crypto::Signer;
use subrosa_node::Node;
use subrosa_simulation::{Client, Code, OWNER, Request, World};
use subrosa_types::{ContractId, result::Status, rpc::QueryRequest};
use subrosa_vm_evm::ENGINE_EVM;

use crate::{
    guest,
    results::{changed, fulfilled, succeeded},
};

const GREEDY: Request = Request {
    requester: OWNER,
    context: B256::ZERO,
    fuel_limit: 100_000_000,
    sealed: false,
    opens_session: false,
    output_limit: 64 << 10,
    landing: 1_000_000,
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

/// Writes its input's second word to as many slots as its first says, the same ones every time.
fn writer() -> Code {
    code(&hex!("5f355b60203581556001900380600257"))
}

/// What a filler is upgraded to: says how many slots it filled.
fn counter() -> Code {
    code(&hex!("5f545f5260205ff3"))
}

/// Calls `ecrecover` with its input for ever: CALLDATACOPY(0, 0, size);
/// JUMPDEST; STATICCALL(gas, 1, 0, 128, 128, 32); POP; JUMP 4.
fn recoverer() -> Code {
    code(&hex!("365f5f375b6020608060805f60015afa50600456"))
}

/// A signature that `ecrecover` finds the signer of.
fn signature() -> Vec<u8> {
    let hash = B256::repeat_byte(0x42);
    let signature = Signer::from_seed(&[3; 32]).unwrap().sign(hash);
    let v = U256::from(27 + u8::from(signature.v()));
    let words = [U256::from_be_bytes(hash.0), v, signature.r(), signature.s()];
    words.iter().flat_map(U256::to_be_bytes_vec).collect()
}

async fn deploy(world: &World, node: &Node, client: &mut Client, code: &Code) -> ContractId {
    let contract = world.deploy(node, client, code).await;
    assert!(world.settled(contract, 1).await, "{:?}", node.unreadiness());
    contract
}

fn slots(count: u64) -> Vec<u8> {
    U256::from(count).to_be_bytes_vec()
}

fn write(words: u64, value: u64) -> Bytes {
    (U256::from(words), U256::from(value))
        .abi_encode_params()
        .into()
}

/// A call by a user of a consumer, in an envelope.
fn sealed(requester: Address, user: u64) -> Request {
    let mut context = B256::ZERO;
    context[12..20].copy_from_slice(&user.to_be_bytes());
    Request {
        requester,
        context,
        sealed: true,
        ..Request::default()
    }
}

/// Slots that a call of a filler writes, and what one takes of the encoding.
const SLOTS: u64 = 4_200;
const SLOT_BYTES: u64 = 89;

/// 256 KiB of them.
const WORDS: u64 = (256 << 10) / 32;

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
    let burners = 72;
    for _ in 0..burners {
        let input = signature().into();
        world.chain.request(hostile, GREEDY, input).unwrap();
    }
    let seq = world.call(&mut client, other, &guest::add(1));
    assert!(world.settled(other, seq + 1).await);
    assert!(world.settled(hostile, burners + 1).await);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_writes_as_much_as_it_can_holds_up_only_itself() {
    let (world, node, mut client) = serving(53).await;
    let hostile = deploy(&world, &node, &mut client, &writer()).await;
    let other = deploy(&world, &node, &mut client, &guest::vault(1)).await;
    // Slots that are new are dearer than all of them in one call.
    for words in [WORDS / 2, WORDS] {
        let input = write(words, 1);
        world.chain.request(hostile, GREEDY, input).unwrap();
    }
    for round in 0..64 {
        let input = write(WORDS, 2 + round);
        world.chain.request(hostile, GREEDY, input).unwrap();
    }
    let seq = world.call(&mut client, other, &guest::add(1));
    assert!(world.settled(other, seq + 1).await);
    assert!(world.settled(hostile, 67).await, "{:?}", node.unreadiness());
    let results = fulfilled(&world, hostile).await;
    let ends: Vec<_> = results
        .iter()
        .map(|(seq, status, _)| (*seq, *status))
        .collect();
    let expected: Vec<_> = (0..67).map(|seq| (seq, Status::Succeeded as u8)).collect();
    assert_eq!(ends, expected);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn queries_that_burn_all_fuel_hold_up_no_request() {
    let (world, node, mut client) = serving(54).await;
    let hostile = deploy(&world, &node, &mut client, &recoverer()).await;
    let other = deploy(&world, &node, &mut client, &guest::vault(1)).await;
    let now = world.chain.timestamp();
    let flood: Vec<_> = (0..32)
        .map(|_| client.seal_query(hostile, &signature(), now))
        .map(|envelope| {
            let api = node.api().clone();
            tokio::spawn(async move {
                let contract = hostile;
                api.query(QueryRequest { contract, envelope }).await
            })
        })
        .collect();
    // While they are under way.
    for _ in 0..8 {
        let seq = world.call(&mut client, other, &guest::add(1));
        assert!(world.settled(other, seq + 1).await);
    }
    for query in flood {
        // Which is an answer: sealed, that it failed.
        query.await.unwrap().unwrap();
    }
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn strangers_by_the_thousand_take_nothing_from_others() {
    let (world, node, mut client) = serving(55).await;
    let contract = deploy(&world, &node, &mut client, &guest::vault(0)).await;
    let consumer = Address::repeat_byte(0xc5);
    let users = [
        sealed(Address::repeat_byte(0x0d), 1),
        // Behind the consumer that the strangers use.
        sealed(consumer, 1),
    ];
    let mut known = Vec::new();
    for user in users {
        let opening = Request {
            opens_session: true,
            ..user
        };
        let now = world.chain.timestamp();
        let (envelope, secret) = client.seal_opening(contract, opening, &guest::add(1), now);
        let opened = world.chain.request(contract, opening, envelope).unwrap();
        let envelope = client.seal_call(contract, user, &guest::add(1), now);
        world
            .chain
            .request(contract, user, envelope.clone())
            .unwrap();
        known.push((user, opened, secret, envelope));
    }
    // A thousand of one stranger, and a session each of a thousand others.
    for block in 0..20_u64 {
        let now = world.chain.timestamp();
        let requests = (0..100).map(|index| {
            let number = block * 100 + index;
            let request = Request {
                opens_session: number >= 1_000,
                ..sealed(consumer, 2 + number.saturating_sub(1_000))
            };
            let (envelope, _) = client.seal_opening(contract, request, &guest::add(1), now);
            (request, envelope)
        });
        let requests = requests.collect();
        world.chain.request_all(contract, requests).unwrap();
    }
    let mut expected = Vec::new();
    for (user, opened, secret, replayed) in known {
        let now = world.chain.timestamp();
        let session = (opened, &secret);
        let add = guest::add(1);
        let again = client.seal_in_session(contract, user, session, &add, now);
        let fresh = client.seal_call(contract, user, &add, now);
        for (envelope, status) in [
            (again, Status::Succeeded),
            (fresh, Status::Succeeded),
            (replayed, Status::Rejected),
        ] {
            let seq = world.chain.request(contract, user, envelope).unwrap();
            expected.push((seq, status as u8));
        }
    }
    let (last, _) = expected[expected.len() - 1];
    assert!(
        world.settled(contract, last + 1).await,
        "{:?}",
        node.unreadiness()
    );
    let results = fulfilled(&world, contract).await;
    let ends: Vec<_> = results
        .iter()
        .map(|(seq, status, _)| (*seq, *status))
        .collect();
    assert_eq!(ends[ends.len() - expected.len()..], expected);
    let succeeded = |end: &&(u64, u8)| end.1 == Status::Succeeded as u8;
    assert_eq!(ends.iter().filter(succeeded).count(), ends.len() - 2);
    node.stop().await;
}

/// Past a part of a snapshot, past what a frame once held: through a loss of power, a reorganization, a
/// host that begins anew, another epoch's keys and other code. `SUBROSA_HOSTILE_MIB` is how large.
#[tokio::test(start_paused = true)]
async fn a_contract_that_grows_past_every_frame_goes_on() {
    let mebibytes = std::env::var("SUBROSA_HOSTILE_MIB").map_or(17, |mib| mib.parse().unwrap());
    let (world, node, mut client) = serving(52).await;
    let large = deploy(&world, &node, &mut client, &filler()).await;
    let grow = |count: u64| {
        let input = slots(count).into();
        world.chain.request(large, GREEDY, input).unwrap()
    };
    let calls = (mebibytes << 20) / (SLOTS * SLOT_BYTES) + 1;
    for _ in 0..calls {
        let seq = grow(SLOTS);
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
    // Which opens another epoch: the current one's secret is somebody else's.
    world.open_foreign_epoch();
    world.admit();
    let node = world.start().await.unwrap();
    last = grow(12);
    assert!(
        world.settled(large, last + 1).await,
        "{:?}",
        node.unreadiness()
    );
    assert!(
        world
            .until(|chain| chain.contracts().current_epoch(1) == 3)
            .await
    );
    let moved = world.chain.advance_epoch(large, OWNER).unwrap();
    assert!(
        world.settled(large, moved + 1).await,
        "{:?}",
        node.unreadiness()
    );
    let mut client = world.client().unwrap();
    let upgraded = world.upgrade(&node, &mut client, large, &counter()).await;
    let asked = grow(0);
    assert!(
        world.settled(large, asked + 1).await,
        "{:?}",
        node.unreadiness()
    );
    let results = fulfilled(&world, large).await;
    let written = calls * SLOTS + 11 + 12;
    assert_eq!(results[results.len() - 1], succeeded(asked, written));
    assert_eq!(results[results.len() - 2], changed(upgraded));
    println!(
        "hostile: {} MiB of {written} slots lost power, were rolled back, moved and upgraded",
        (written * SLOT_BYTES) >> 20
    );
    node.stop().await;
}
