// SPDX-License-Identifier: Apache-2.0
//! SIGKILL of enclave, host or both under load, by seed.

use std::time::Instant;

use eyre::{Result, eyre};
use serde_json::{Value, json};

use crate::{demo, install, shell, test};

/// Schedules of kills, by seed, and kills in each.
const SEEDS: std::ops::Range<u64> = 100..105;
const KILLS: u64 = 40;

/// Kills many times; every request has to be fulfilled exactly once.
pub(super) fn run() -> Result<Value> {
    install::contracts()?;
    test::build()?;
    let mut runs = Vec::new();
    for seed in SEEDS {
        let started = Instant::now();
        let printed = shell::output(
            shell::cargo()
                .args(["test", "--workspace", "--locked", "--quiet"])
                .args(demo::FEATURES)
                .args(["--test", "it", "--", "--nocapture", "--exact", KILL_TEST])
                .env("SUBROSA_KILL_SEED", seed.to_string())
                .env("SUBROSA_KILLS", KILLS.to_string()),
        )?;
        let requests = fulfilled(&printed)
            .ok_or_else(|| eyre!("the kill test printed no count:\n{printed}"))?;
        let seconds = started.elapsed().as_secs();
        println!(
            "seed {seed}: {KILLS} kills, {requests} requests fulfilled exactly once, {seconds} s"
        );
        runs.push(json!({
            "seed": seed,
            "kills": KILLS,
            "requestsFulfilledExactlyOnce": requests,
            "seconds": seconds,
        }));
    }
    Ok(json!({"command": "cargo xtask soak kills", "kills": runs}))
}

const KILL_TEST: &str = "kills::every_request_is_fulfilled_exactly_once_whoever_is_killed";

/// The count in the kill test's last line of output.
fn fulfilled(printed: &str) -> Option<u64> {
    let line = printed
        .lines()
        .find(|line| line.ends_with("requests fulfilled exactly once"))?;
    line.split_whitespace().next()?.parse().ok()
}
