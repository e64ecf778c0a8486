// SPDX-License-Identifier: Apache-2.0
//! Code and challenges that come through the chain: in whatever order, from whomever, and whatever befalls
//! chain and node meanwhile.

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolValue;
use subrosa_chain::mailbox::CodePart;
use subrosa_node::{ChainAccount, Node};
use subrosa_simulation::{Client, Code, OWNER, Revert, World, code_parts};
use subrosa_types::{ContractId, abi::PresentedAttestation};

use crate::guest;

const ASKER: Address = Address::repeat_byte(0xa5);
/// Far more than an answer costs.
const AMPLE: u64 = 1_000_000_000_000_000;

async fn serving(seed: u64) -> (World, Node, Client) {
    let world = World::new(seed, guest::engines);
    let node = world.start().await.unwrap();
    assert!(world.until(|_| world.client().is_some()).await);
    assert!(
        world
            .until(|chain| chain.contracts().current_epoch(1) == 1)
            .await
    );
    let client = world.client().unwrap();
    (world, node, client)
}

/// A registered contract and its envelope, which nobody has.
fn registered(world: &World, client: &mut Client, code: &Code) -> (ContractId, Bytes) {
    let contract = world.chain.register(OWNER, Client::commitment(code));
    let envelope = client.seal_code(contract, OWNER, code, world.chain.timestamp());
    (contract, envelope)
}

fn metric(node: &Node, name: &str) -> u64 {
    let metrics = node.metrics();
    let mut lines = metrics.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap().parse().unwrap()
}

/// Long enough for whatever a node does without being asked.
async fn a_while() {
    tokio::time::sleep(Duration::from_secs(30)).await;
}

fn ask(world: &World, number: u8, escrow: u64) -> B256 {
    let (signer, challenge) = (world.signer().unwrap(), B256::repeat_byte(number));
    let escrow = U256::from(escrow);
    world
        .chain
        .challenge(ASKER, signer, challenge, escrow)
        .unwrap()
}

async fn answered(world: &World, id: B256) -> bool {
    world
        .until(|chain| chain.contracts().answered(id).is_some())
        .await
}

#[tokio::test(start_paused = true)]
async fn published_code_is_deployed_whatever_the_order_of_its_parts() {
    let (world, node, mut client) = serving(201).await;
    let (contract, envelope) = registered(&world, &mut client, &guest::vault(40));
    let mut parts = code_parts(contract, &envelope, 300);
    assert!(parts.len() > 4);
    parts.reverse();
    for part in parts.iter().take(3).chain(&parts) {
        world.chain.publish(OWNER, part.clone()).unwrap();
    }
    assert!(world.settled(contract, 1).await, "{:?}", node.unreadiness());
    assert_eq!(metric(&node, "subrosa_mailbox_code_taken_total"), 1);
    let seq = world.call(&mut client, contract, &guest::add(2));
    assert!(world.settled(contract, seq + 1).await);
    // Again it is of no use, and does no harm.
    world
        .chain
        .publish_code(OWNER, contract, &envelope, 300)
        .unwrap();
    a_while().await;
    assert_eq!(metric(&node, "subrosa_mailbox_code_taken_total"), 1);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn hostile_parts_stand_in_nobody_s_way() {
    let (world, node, mut client) = serving(202).await;
    let (contract, envelope) = registered(&world, &mut client, &guest::vault(40));
    let (other, others) = registered(&world, &mut client, &guest::vault(1));
    let parts = code_parts(contract, &envelope, 400);
    let part = |envelope: B256, index, count, chunk: &[u8]| CodePart {
        contract,
        envelope,
        index,
        count,
        chunk: Bytes::copy_from_slice(chunk),
    };
    // Only the owner publishes.
    let stranger = world.chain.publish(ASKER, parts[0].clone());
    assert_eq!(stranger, Err(Revert::NotTheOwner));
    let hash = keccak256(&envelope);
    let garbage = keccak256(b"no envelope");
    for hostile in [
        // More parts than are ever put together.
        part(hash, 0, u16::MAX, b"x"),
        part(hash, 65_534, u16::MAX, b"x"),
        // Not what the hash says.
        part(hash, 0, 1, b"no envelope"),
        part(B256::ZERO, 0, 1, b"x"),
        // What its hash says, and no envelope.
        part(garbage, 0, 1, b"no envelope"),
        // Never finished.
        part(garbage, 1, 3, b"x"),
        part(hash, 0, 64, b"x"),
    ] {
        world.chain.publish(OWNER, hostile).unwrap();
        a_while().await;
    }
    for number in 0..200u64 {
        let unfinished = B256::left_padding_from(&number.to_be_bytes());
        world
            .chain
            .publish(OWNER, part(unfinished, 0, 2, b"x"))
            .unwrap();
    }
    world
        .chain
        .publish_code(OWNER, other, &others, 400)
        .unwrap();
    assert!(world.settled(other, 1).await, "{:?}", node.unreadiness());
    assert_eq!(world.chain.contracts().head(contract).seq, 0);
    // A part that was wrong is made good.
    let mut wrong = parts[1].clone();
    wrong.chunk = Bytes::from_static(b"wrong");
    world.chain.publish(OWNER, wrong).unwrap();
    for part in parts {
        world.chain.publish(OWNER, part).unwrap();
    }
    assert!(world.settled(contract, 1).await, "{:?}", node.unreadiness());
    assert!(metric(&node, "subrosa_mailbox_code_refused_total") >= 2);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn code_that_was_published_before_a_node_ran_is_found() {
    let (mut world, node, mut client) = serving(203).await;
    let code = guest::vault(40);
    let (first, envelope) = registered(&world, &mut client, &code);
    let parts = code_parts(first, &envelope, 400);
    let (begun, rest) = parts.split_at(2);
    for part in begun {
        world.chain.publish(OWNER, part.clone()).unwrap();
    }
    a_while().await;
    // Killed in between: the rest comes while nobody looks, and all of another's.
    drop(node);
    world.disk.cut_power();
    for part in rest {
        world.chain.publish(OWNER, part.clone()).unwrap();
    }
    let node = world.start().await.unwrap();
    assert!(world.settled(first, 1).await, "{:?}", node.unreadiness());

    // Followed, and not handed in: the node takes in no code for a while.
    node.stop().await;
    world.mailbox.code = false;
    let node = world.start().await.unwrap();
    let (second, envelope) = registered(&world, &mut client, &code);
    world
        .chain
        .publish_code(OWNER, second, &envelope, 400)
        .unwrap();
    a_while().await;
    assert_eq!(world.chain.contracts().head(second).seq, 0);
    node.stop().await;
    world.mailbox.code = true;
    let node = world.start().await.unwrap();
    assert!(world.settled(second, 1).await, "{:?}", node.unreadiness());
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn parts_that_a_reorganization_drops_are_waited_for_again() {
    let (world, node, mut client) = serving(204).await;
    let (contract, envelope) = registered(&world, &mut client, &guest::vault(40));
    let parts = code_parts(contract, &envelope, 400);
    let (last, others) = parts.split_last().unwrap();
    for part in others {
        world.chain.publish(OWNER, part.clone()).unwrap();
    }
    // Drops the one before the last.
    a_while().await;
    world.chain.reorganize(1);
    a_while().await;
    world.chain.publish(OWNER, last.clone()).unwrap();
    a_while().await;
    assert_eq!(world.chain.contracts().head(contract).seq, 0);
    let dropped = others.last().unwrap();
    world.chain.publish(OWNER, dropped.clone()).unwrap();
    assert!(world.settled(contract, 1).await, "{:?}", node.unreadiness());
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_challenge_that_pays_is_answered_once_and_its_payee_is_the_node_s_account() {
    let (world, node, _) = serving(205).await;
    let sent = world.chain.sent();
    let id = ask(&world, 1, AMPLE);
    assert!(answered(&world, id).await, "{:?}", node.unreadiness());
    let contracts = world.chain.contracts();
    let call = contracts.answered(id).unwrap();
    assert_eq!(call.payee, world.chain.address());
    assert_eq!(contracts.paid(world.chain.address()), U256::from(AMPLE));
    let presented = PresentedAttestation::abi_decode_validate(&call.statement).unwrap();
    assert_eq!(presented.statement.keyEpoch, 1);
    assert_eq!(presented.opening.record(), contracts.epoch_record(1, 1));
    a_while().await;
    assert_eq!(world.chain.sent() - sent, 1);
    assert_eq!(metric(&node, "subrosa_mailbox_answers_total"), 1);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn challenges_that_do_not_pay_or_are_others_are_not_answered() {
    let (world, node, _) = serving(206).await;
    let sent = world.chain.sent();
    let stranger = Address::repeat_byte(0x51);
    world.chain.admit(stranger, world.chain.timestamp() + 7_200);
    let foreign = world
        .chain
        .challenge(ASKER, stranger, B256::repeat_byte(1), U256::from(AMPLE));
    let poor = [ask(&world, 2, 0), ask(&world, 3, 1_000_000)];
    a_while().await;
    let contracts = world.chain.contracts();
    assert!(contracts.answered(foreign.unwrap()).is_none());
    assert!(poor.iter().all(|id| contracts.answered(*id).is_none()));
    assert_eq!(world.chain.sent(), sent);
    assert_eq!(metric(&node, "subrosa_mailbox_skipped_total"), 2);
    // Whoever pays is answered all the same, and where gas is dearer once it is cheaper.
    let id = ask(&world, 4, AMPLE);
    assert!(answered(&world, id).await);
    world.chain.price_gas(100_000_000_000);
    a_while().await;
    let id = ask(&world, 5, AMPLE);
    a_while().await;
    assert!(world.chain.contracts().answered(id).is_none());
    assert_eq!(metric(&node, "subrosa_mailbox_skipped_total"), 3);
    world.chain.price_gas(100_000_000);
    for _ in 0..20 {
        world.chain.mine();
    }
    assert!(answered(&world, id).await);
    assert_eq!(metric(&node, "subrosa_mailbox_skipped_total"), 3);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_host_killed_with_an_answer_in_the_pool_answers_once() {
    let (world, node, _) = serving(207).await;
    let sent = world.chain.sent();
    world.chain.hold(true);
    let id = ask(&world, 1, AMPLE);
    assert!(world.until(|chain| chain.pooled() == 1).await);
    drop(node);
    world.disk.cut_power();
    // Another is put while nobody looks.
    let second = ask(&world, 2, AMPLE);
    world.chain.hold(false);
    let node = world.start().await.unwrap();
    world.chain.mine();
    assert!(answered(&world, id).await, "{:?}", node.unreadiness());
    assert!(answered(&world, second).await, "{:?}", node.unreadiness());
    a_while().await;
    assert_eq!(world.chain.sent() - sent, 2);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_reorganization_takes_back_is_answered_again_if_it_is_asked_again() {
    let (world, node, _) = serving(208).await;
    let id = ask(&world, 1, AMPLE);
    assert!(answered(&world, id).await);
    a_while().await;
    // The answer goes, and is mined again by itself.
    let sent = world.chain.sent();
    world.chain.reorganize(1);
    for _ in 0..5 {
        world.chain.mine();
        a_while().await;
    }
    assert!(answered(&world, id).await);
    assert_eq!(world.chain.sent(), sent);
    // Challenge and answer go, and the challenge is put once more.
    world.chain.reorganize(20);
    a_while().await;
    world.admit();
    if world.chain.contracts().pending(id).is_none() {
        assert_eq!(ask(&world, 1, AMPLE), id);
    }
    for _ in 0..5 {
        world.chain.mine();
        a_while().await;
    }
    assert!(answered(&world, id).await, "{:?}", node.unreadiness());
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn so_many_are_answered_a_minute_and_those_that_pay_best_first() {
    let (mut world, node, _) = serving(209).await;
    node.stop().await;
    world.mailbox.answers_per_minute = 2;
    let node = world.start().await.unwrap();
    let first = ask(&world, 1, AMPLE);
    assert!(answered(&world, first).await, "{:?}", node.unreadiness());
    let before = tokio::time::Instant::now();
    world.chain.hold(true);
    let ids: Vec<B256> = (2..5)
        .map(|n| ask(&world, n, AMPLE * u64::from(n)))
        .collect();
    world.chain.hold(false);
    world.chain.mine();
    for id in &ids {
        assert!(answered(&world, *id).await, "{:?}", node.unreadiness());
    }
    assert!(
        before.elapsed() > Duration::from_secs(55),
        "{:?}",
        before.elapsed()
    );
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn of_several_nodes_each_answers_for_its_own_enclave() {
    let (first, node, mut client) = serving(210).await;
    let mut second = World::new(211, guest::engines);
    second.chain = first.chain.clone();
    let other = second.start().await.unwrap();
    // It has a secret of its own, and no part in the contracts of the first one's epoch.
    assert!(
        second
            .until(|chain| chain.contracts().current_epoch(1) == 2)
            .await
    );
    a_while().await;
    assert_ne!(first.signer(), second.signer());
    let sent = first.chain.sent();
    let ids = [ask(&first, 1, AMPLE), ask(&second, 2, AMPLE)];
    for id in ids {
        assert!(answered(&first, id).await, "{:?}", other.unreadiness());
    }
    a_while().await;
    assert_eq!(first.chain.sent() - sent, 2);
    let contracts = first.chain.contracts();
    for (id, signer) in ids.into_iter().zip([first.signer(), second.signer()]) {
        assert_eq!(Some(contracts.answered(id).unwrap().asked.signer), signer);
    }
    // Code that one of them can open is of no harm to the other.
    client = second.client().unwrap_or(client);
    let (contract, envelope) = registered(&second, &mut client, &guest::vault(1));
    let publish = |size| first.chain.publish_code(OWNER, contract, &envelope, size);
    publish(400).unwrap();
    assert!(
        second.settled(contract, 1).await,
        "{:?}",
        other.unreadiness()
    );
    node.stop().await;
    other.stop().await;
}
