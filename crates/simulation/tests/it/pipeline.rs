// SPDX-License-Identifier: Apache-2.0
//! Several frames of one log under way at a time, and what becomes of those behind one that ends early.

use alloy_primitives::hex;
use subrosa_simulation::{Code, Request, World};
use subrosa_types::{
    result::Status,
    rpc::{EntryRequest, RequestState},
};
use subrosa_vm_evm::ENGINE_EVM;

use crate::guest;

/// Calls `ecrecover` for ever: JUMPDEST; STATICCALL(gas, 1, 0, 128, 0, 32); POP; JUMP 0.
fn recoverer() -> Code {
    Code {
        engine: ENGINE_EVM,
        code: hex!("600e80600b6000396000f35b60205f60805f60015afa505f56").into(),
        init: Default::default(),
    }
}

/// Calls that use up all their fuel: `fuel` says how much the call of each seq has.
async fn a_backlog_is_executed(seed: u64, fuel: impl Fn(u64) -> u64) {
    let world = World::new(seed, guest::engines);
    let node = world.start().await.unwrap();
    assert!(world.until(|_| world.client().is_some()).await);
    let mut client = world.client().unwrap();
    let contract = world.deploy(&node, &mut client, &recoverer()).await;
    assert!(world.settled(contract, 1).await);
    node.stop().await;
    world.machine.power_off();
    for seq in 1..=BACKLOG {
        let request = Request {
            fuel_limit: fuel(seq),
            ..Request::default()
        };
        let requested = world.chain.request(contract, request, Default::default());
        assert_eq!(requested.unwrap(), seq);
    }
    let node = world.start().await.unwrap();
    assert!(world.settled(contract, BACKLOG + 1).await);
    assert_eq!(world.machine.most_executing(), 2);
    for seq in 1..=BACKLOG {
        let request = EntryRequest { contract, seq };
        let status = node.api().request(request).await.unwrap();
        assert_eq!(status.status, Some(Status::Failed));
        assert_ne!(status.state, RequestState::Pending);
    }
    let metrics = node.metrics();
    let executed = format!("subrosa_execute_entries_total {BACKLOG}");
    assert!(metrics.lines().any(|line| line == executed), "{metrics}");
    let retries = "subrosa_execute_retries_total 0";
    assert!(metrics.lines().any(|line| line == retries), "{metrics}");
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn two_frames_of_a_log_are_under_way_at_a_time() {
    a_backlog_is_executed(61, |_| 100_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_behind_one_that_ended_at_its_budget_is_planned_anew() {
    let greedy = [40, 63, 64, 150];
    let fuel = |seq| {
        if greedy.contains(&seq) {
            100_000_000
        } else {
            100_000
        }
    };
    a_backlog_is_executed(62, fuel).await;
}

const BACKLOG: u64 = 300;
