// SPDX-License-Identifier: Apache-2.0
//! Hostile guests and users at length: a large state through all that befalls one, strangers by the
//! hundred thousand, and what an unrelated contract's calls notice of whoever takes all it can get.

use std::time::Instant;

use eyre::{Result, WrapErr, bail, eyre};
use serde_json::{Value, json};

use crate::{demo, install, shell, test};

/// MiB of the state that loses power, is rolled back, moved and upgraded.
const STATE_MIB: u64 = 72;
/// Of the simulated world in which it is.
const SEED: u64 = 52;
/// What the p99 beside something hostile is held to, in p99s in quiet.
const MOST: f64 = 2.0;

/// Runs the simulated node in the profile of the tests, and the executable in a release build.
pub(super) fn run() -> Result<Value> {
    install::contracts()?;
    test::build()?;
    let started = Instant::now();
    let printed = shell::output(
        shell::cargo()
            .args(["test", "--workspace", "--locked", "--quiet"])
            .args(demo::FEATURES)
            .args(["--test", "it", "--", "--nocapture", "--exact", LARGE_TEST])
            .env("SUBROSA_HOSTILE_MIB", STATE_MIB.to_string()),
    )?;
    let line = said(&printed)
        .ok_or_else(|| eyre!("the test of a large state printed nothing:\n{printed}"))?;
    println!("{line}");
    let seconds = started.elapsed().as_secs();

    let release = ["build", "--release", "--locked", "--quiet"];
    shell::run(
        shell::cargo()
            .args(release)
            .args(["--bin", "subrosa-enclave"]),
    )?;
    let started = Instant::now();
    let printed = shell::output(
        shell::cargo()
            .args(["bench", "--locked", "--quiet"])
            .args(["--package", "subrosa-enclave-core", "--bench", "hostile"])
            .args(["--", "--json"]),
    )?;
    let report: Value =
        serde_json::from_str(&printed).wrap_err_with(|| format!("not a report: {printed}"))?;
    let holds = judge(&report)?;
    Ok(json!({
        "command": "cargo xtask soak hostile",
        "largeState": {
            "seed": SEED,
            "mebibytes": STATE_MIB,
            "seconds": seconds,
            "test": LARGE_TEST,
        },
        "heldBelow": MOST,
        "holds": holds,
        "secondsOfStrangersAndGates": started.elapsed().as_secs(),
        "report": report,
    }))
}

const LARGE_TEST: &str = "hostile::a_contract_that_grows_past_every_frame_goes_on";

/// Prints the gates of a report. Whether each that is held is below [`MOST`].
fn judge(report: &Value) -> Result<bool> {
    let gates = report["gates"].as_array();
    let gates = gates.filter(|gates| !gates.is_empty());
    let Some(gates) = gates else {
        bail!("a report without gates: {report}");
    };
    let mut holds = true;
    for gate in gates {
        let ratio = gate["ratio"]["value"].as_f64();
        let ratio = ratio.ok_or_else(|| eyre!("a gate without a ratio: {gate}"))?;
        let is_held = gate["held"] == true;
        let verdict = match (is_held, ratio < MOST) {
            (true, true) => "held",
            (true, false) => "NOT HELD",
            (false, _) => "not a gate",
        };
        holds &= !is_held || ratio < MOST;
        println!(
            "{}: p99 {} µs beside {} µs in quiet, ratio {ratio}: {verdict}",
            gate["name"], gate["loadedP99Us"]["value"], gate["quietP99Us"]["value"],
        );
    }
    Ok(holds)
}

/// What the test of a large state says at its end.
fn said(printed: &str) -> Option<&str> {
    let (_, line) = printed.split_once("hostile: ")?;
    line.lines().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(held: bool, ratio: f64) -> Value {
        json!({"gates": [
            {"name": "a", "held": true, "ratio": {"value": 1.2}},
            {"name": "b", "held": held, "ratio": {"value": ratio}},
        ]})
    }

    #[test]
    fn gates_that_are_held_decide() {
        assert!(judge(&report(true, 1.99)).unwrap());
        assert!(!judge(&report(true, 2.0)).unwrap());
        assert!(judge(&report(false, 900.0)).unwrap());
        assert!(judge(&json!({"gates": []})).is_err());
        assert!(judge(&json!({"gates": [{"name": "a"}]})).is_err());
    }

    #[test]
    fn the_line_of_a_large_state_is_found() {
        let printed = "test hostile::x ... hostile: 72 MiB of slots\nok\n";
        assert_eq!(said(printed), Some("72 MiB of slots"));
        assert_eq!(said("ok"), None);
    }
}
