// SPDX-License-Identifier: Apache-2.0
//! SIGKILL of enclave, host or both at named points, under load: every request is fulfilled exactly
//! once.

use subrosa_devnet::{Devnet, Options, Service};

use crate::{failpoints::Failpoints, workload::Workload};

/// Kills per run, each with at least [`OUTSTANDING`] requests outstanding.
const KILLS: usize = 10;
const OUTSTANDING: u64 = 20;

#[derive(Clone, Copy, Debug)]
enum Victim {
    Host,
    Enclave,
    Both,
}

/// Where the host is held when somebody dies. The first six are where something is half done; a
/// kill there that loses or repeats anything would show.
const POINTS: [&str; 8] = [
    "after_execute_before_persist",
    "after_send_before_receipt",
    "after_persist_before_sign",
    "after_intent_before_broadcast",
    "after_receipt_before_persist",
    "after_sign_before_send",
    "after_entries_persisted",
    "after_execute_before_persist",
];

/// A linear congruential generator (Knuth, MMIX): the schedule is a function of the seed.
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

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_fulfilled_exactly_once_whoever_is_killed() {
    let seed = std::env::var("SUBROSA_KILL_SEED").map_or(7, |seed| seed.parse().unwrap());
    let kills = std::env::var("SUBROSA_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    println!("seed {seed}, {kills} kills");
    let failpoints = Failpoints::listen();
    let options = Options {
        block_time: Some(0.2),
        environment: vec![failpoints.environment()],
        ..Options::default()
    };
    let mut network = failpoints.pass(Devnet::start(&options)).await.unwrap();
    let mut workload = failpoints.pass(Workload::deploy(&network)).await;
    let mut schedule = Schedule(seed);

    for kill in 0..kills {
        // The first kills take every point once; the rest are drawn.
        let point = POINTS[if kill < POINTS.len() {
            kill
        } else {
            schedule.next(POINTS.len())
        }];
        let victim = [Victim::Host, Victim::Enclave, Victim::Both][schedule.next(3)];
        // Some are underway already, in whatever state, when the burst that is hit arrives.
        let underway = schedule.next(OUTSTANDING as usize) as u64;
        failpoints.pass(workload.request(underway)).await;
        let (reached, _) = tokio::join!(
            tokio::task::spawn_blocking({
                let failpoints = failpoints.clone();
                move || failpoints.wait_for(point)
            }),
            workload.request(OUTSTANDING),
        );
        let reached = reached.unwrap();
        let missing = OUTSTANDING.saturating_sub(workload.outstanding().await);
        workload.request(missing).await;
        let outstanding = workload.outstanding().await;
        assert!(outstanding >= OUTSTANDING, "{outstanding} outstanding");
        println!(
            "kill {kill}: {victim:?} at {}, {outstanding} outstanding",
            reached.name
        );

        match victim {
            Victim::Host => {
                network.kill(Service::Node).unwrap();
            }
            Victim::Enclave => {
                network.kill(Service::Enclave).unwrap();
                reached.go_on();
                failpoints
                    .pass(network.restart(Service::Enclave))
                    .await
                    .unwrap();
            }
            Victim::Both => {
                network.kill(Service::Node).unwrap();
                network.kill(Service::Enclave).unwrap();
                failpoints
                    .pass(network.restart(Service::Enclave))
                    .await
                    .unwrap();
            }
        }
        if !matches!(victim, Victim::Enclave) {
            network.spawn(Service::Node).unwrap();
        }
        failpoints.pass(network.ready(Service::Node)).await.unwrap();
        if kill % 3 == 2 {
            failpoints.pass(workload.settled()).await;
        }
    }
    failpoints.pass(workload.settled()).await;
    assert!(workload.sent() >= 100, "{} requests", workload.sent());
    workload.assert_exactly_once().await;
    network.ensure_running().unwrap();
    println!("{} requests fulfilled exactly once", workload.sent());
}
