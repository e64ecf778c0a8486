// SPDX-License-Identifier: Apache-2.0
//! Out of a runtime generation whose engine breaks, by the steps that operators are given in
//! `deploy/host/README.md`.

use std::sync::Arc;

use alloy_primitives::Address;
use subrosa_simulation::Revert;
use subrosa_types::{
    entry::RUNTIME_GENERATION,
    rpc::{RequestState, StopReason},
};
use subrosa_vm::{Engines, RUNTIME, Runtime, Runtimes};
use subrosa_vm_evm::{ENGINE_EVM, EvmEngine};

use crate::{
    guest,
    results::{changed, fulfilled, succeeded},
    stops::{fragile, serving, state_of, stop_at, until_stopped},
};

/// What takes over.
const SUCCESSOR: u16 = RUNTIME_GENERATION + 1;

/// A build without the fault, which has the successor alone.
fn mended() -> Engines {
    let successor = Runtime {
        generation: SUCCESSOR,
        ..RUNTIME
    };
    let runtimes = Runtimes::new([successor]).unwrap();
    Engines::new(
        runtimes,
        [(ENGINE_EVM, Arc::new(EvmEngine::default()) as _)],
    )
    .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_broken_generation_is_left_behind_without_losing_or_repeating_an_entry() {
    let (world, node, mut client) = serving(43, fragile).await;
    let hurt = world.deploy(&node, &mut client, &guest::vault(40)).await;
    let other = world.deploy(&node, &mut client, &guest::vault(2)).await;
    for contract in [hurt, other] {
        assert!(world.settled(contract, 1).await);
    }
    world.call(&mut client, hurt, &guest::add(1));
    let stuck = world.call(&mut client, hurt, &guest::add(666));
    let behind = world.call(&mut client, hurt, &guest::add(3));
    let stop = until_stopped(&node, hurt, behind).await;
    assert_eq!((stop.seq, stop.reason), (stuck, StopReason::Broken));
    let elsewhere = world.call(&mut client, other, &guest::add(10));
    assert!(world.settled(other, elsewhere + 1).await);

    // Nobody moves a log out of a generation that stands; once it is withdrawn, anybody does.
    let stranger = Address::repeat_byte(0x55);
    let early = world.chain.change_runtime(hurt, stranger);
    assert_eq!(early, Err(Revert::Runtime));
    world.chain.withdraw_runtime(RUNTIME_GENERATION, SUCCESSOR);
    let moved = world.chain.change_runtime(hurt, stranger).unwrap();
    let after = world.call(&mut client, hurt, &guest::add(4));
    // While there is only the broken build, what runs in it goes on.
    let elsewhere = world.call(&mut client, other, &guest::add(20));
    assert!(world.settled(other, elsewhere + 1).await);
    assert_eq!(world.chain.contracts().head(hurt).seq, stuck);

    let pending = world.call(&mut client, other, &guest::add(30));
    let other_moved = world.chain.change_runtime(other, stranger).unwrap();
    world.machine.install(mended);
    world.admit();
    let last = world.call(&mut client, other, &guest::add(40));
    assert!(
        world.settled(hurt, after + 1).await,
        "{:?}",
        node.unreadiness()
    );
    assert!(
        world.settled(other, last + 1).await,
        "{:?}",
        node.unreadiness()
    );
    assert_eq!(
        fulfilled(&world, hurt).await,
        [
            changed(0),
            succeeded(1, 41),
            succeeded(stuck, 707),
            succeeded(behind, 710),
            changed(moved),
            succeeded(after, 714),
        ]
    );
    assert_eq!(
        fulfilled(&world, other).await,
        [
            changed(0),
            succeeded(1, 12),
            succeeded(2, 32),
            succeeded(pending, 62),
            changed(other_moved),
            succeeded(last, 102),
        ]
    );
    assert_eq!(stop_at(&node, hurt, after).await, None);
    assert_eq!(state_of(&node, hurt, stuck).await, RequestState::Fulfilled);

    // What is deployed from now on is of the successor.
    let new = world.deploy(&node, &mut client, &guest::vault(7)).await;
    let seq = world.call(&mut client, new, &guest::add(1));
    assert!(world.settled(new, seq + 1).await);
    node.stop().await;
}

/// A log that was never moved waits, and its move is late but not too late.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_left_behind_says_what_it_waits_for_and_can_still_be_moved() {
    let (world, node, mut client) = serving(44, fragile).await;
    let contract = world.deploy(&node, &mut client, &guest::vault(1)).await;
    assert!(world.settled(contract, 1).await);
    world.machine.install(mended);
    world.admit();
    let seq = world.call(&mut client, contract, &guest::add(1));
    let stop = until_stopped(&node, contract, seq).await;
    assert_eq!((stop.seq, stop.reason), (seq, StopReason::Build));
    world.chain.withdraw_runtime(RUNTIME_GENERATION, SUCCESSOR);
    let stranger = Address::repeat_byte(0x55);
    let moved = world.chain.change_runtime(contract, stranger).unwrap();
    assert!(world.settled(contract, moved + 1).await);
    let expected = [changed(0), succeeded(seq, 2), changed(moved)];
    assert_eq!(fulfilled(&world, contract).await, expected);
    node.stop().await;
}
