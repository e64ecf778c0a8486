// SPDX-License-Identifier: Apache-2.0
//! The contracts' invariants and fuzz tests at length, from a seed of their own in each run.

use std::{
    collections::BTreeMap,
    fs,
    process::Stdio,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use eyre::{Result, WrapErr, bail, ensure, eyre};
use serde::Deserialize;
use serde_json::{Value, json};

use super::tools;
use crate::{install, shell};

/// Calls after each of which every invariant is looked at.
const CALLS: u64 = 500_000;

/// Runs of every fuzz test, unless it has a limit of its own.
const RUNS: u64 = 100_000;

/// Where invariants are declared, and the contract whose campaign looks at all of a file's.
const INVARIANTS: [(&str, &str); 4] = [
    ("contracts/test/Invariants.t.sol", "CampaignTest"),
    ("contracts/test/RingInvariants.t.sol", "RingCampaignTest"),
    (
        "contracts/test/ThresholdInvariants.t.sol",
        "ThresholdCampaignTest",
    ),
    (
        "contracts/test/PrepaidInvariants.t.sol",
        "PrepaidCampaignTest",
    ),
];
const CAMPAIGNS: &str = "contracts/test/soak/Campaign.t.sol";
const CAMPAIGN_TEST: &str = "invariant_every_one_holds";

/// Tests with limits of their own (`forge-config` in front of each), and why.
const LIMITED: [(&str, &str); 2] = [
    ("P256Tests ", "each run verifies signatures in Solidity"),
    (
        "DcapTests ",
        "each run verifies a whole quote or its collateral",
    ),
];

/// Names the seed of a run to be had again.
const SEED: &str = "SUBROSA_SOAK_SEED";

/// Runs one campaign for all invariants, then all tests with many fuzz runs.
pub(super) fn run() -> Result<Value> {
    install::contracts()?;
    let seed = seed()?;
    println!("seed {seed}; {SEED}={seed} repeats this run");
    let invariants = invariants()?;

    let started = Instant::now();
    // All at once: forge runs as many beside each other as there are processors.
    let filter = [
        "--match-contract",
        "CampaignTest",
        "--match-test",
        CAMPAIGN_TEST,
    ];
    let campaigns = campaigns(forge(&filter, &seed, &[])?)?;
    let campaign_seconds = started.elapsed().as_secs();
    let mut looked_at = BTreeMap::new();
    for (name, contract) in invariants {
        let Some(&Kind::Invariant {
            runs,
            calls,
            reverts,
        }) = campaigns.get(&contract)
        else {
            bail!("forge ran no campaign of {contract}");
        };
        let counts = json!({"sequences": runs, "calls": calls, "reverts": reverts, "broken": 0});
        looked_at.insert(name, counts);
    }
    println!(
        "{} invariants, each after each of {CALLS} calls or more in one of {} campaigns, {campaign_seconds} s",
        looked_at.len(),
        campaigns.len()
    );

    let started = Instant::now();
    // Without a filter: with one, forge does not compile what some tests load by name. Its campaigns of
    // one invariant each are not what this is about.
    let short = [
        ("FOUNDRY_INVARIANT_RUNS", "1"),
        ("FOUNDRY_INVARIANT_DEPTH", "1"),
    ];
    let tests = forge(&[], &seed, &short)?;
    let mut fuzzed = BTreeMap::new();
    let mut limited = BTreeMap::new();
    for (name, kind) in tests {
        if let Kind::Fuzz { runs } = kind {
            if runs < RUNS {
                limited.insert(name.clone(), runs);
            }
            fuzzed.insert(name, runs);
        }
    }
    for name in limited.keys() {
        ensure!(
            LIMITED.iter().any(|(prefix, _)| name.starts_with(prefix)),
            "{name} made only {} runs, and no reason is stated",
            limited[name]
        );
    }
    let fuzz_seconds = started.elapsed().as_secs();
    println!(
        "{} fuzz tests, {} of them with {RUNS} runs or more, {fuzz_seconds} s",
        fuzzed.len(),
        fuzzed.len() - limited.len()
    );
    Ok(json!({
        "command": "cargo xtask soak contracts",
        "solc": tools::solc_version()?,
        "seed": seed,
        "invariants": looked_at,
        "fuzzRuns": fuzzed,
        "limited": BTreeMap::from(LIMITED),
        "seconds": {"invariants": campaign_seconds, "fuzz": fuzz_seconds},
    }))
}

/// The seed given, or one of this moment.
fn seed() -> Result<String> {
    match std::env::var(SEED) {
        Ok(seed) => Ok(seed),
        Err(_) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
            Ok(format!("{:#x}", now.as_nanos()))
        }
    }
}

/// The names of all invariants and the campaigns that must look at them.
fn invariants() -> Result<Vec<(String, String)>> {
    let read = |path: &str| {
        let path = shell::root().join(path);
        fs::read_to_string(&path).wrap_err_with(|| format!("cannot read {}", path.display()))
    };
    let text = read(CAMPAIGNS)?;
    let mut all = Vec::new();
    for (path, contract) in INVARIANTS {
        let names = declared(&read(path)?);
        ensure!(!names.is_empty(), "{path} declares no invariant");
        let campaign =
            body(&text, contract).ok_or_else(|| eyre!("{CAMPAIGNS} has no contract {contract}"))?;
        for name in names {
            ensure!(
                campaign.contains(&format!(" {name}();")),
                "{contract} leaves {name} out"
            );
            all.push((name, contract.to_owned()));
        }
    }
    Ok(all)
}

/// What stands between this contract's name and the next contract.
fn body<'a>(source: &'a str, contract: &str) -> Option<&'a str> {
    let (_, rest) = source.split_once(&format!("\ncontract {contract} "))?;
    Some(rest.split("\ncontract ").next().unwrap_or(rest))
}

/// What the campaigns came to, by contract, if each made as many calls as it must.
fn campaigns(tests: Vec<(String, Kind)>) -> Result<BTreeMap<String, Kind>> {
    let mut campaigns = BTreeMap::new();
    for (name, kind) in tests {
        let Kind::Invariant { calls, .. } = kind else {
            bail!("{name} is not an invariant");
        };
        ensure!(
            calls >= CALLS,
            "{name}: only {calls} calls were made; profile.soak.invariant has to make {CALLS}"
        );
        let contract = name.split(' ').next().unwrap_or_default().to_owned();
        campaigns.insert(contract, kind);
    }
    Ok(campaigns)
}

fn declared(source: &str) -> Vec<String> {
    let names = source.split("function invariant_").skip(1);
    names
        .filter_map(|rest| rest.split('(').next())
        .map(|name| format!("invariant_{name}"))
        .collect()
}

/// What kind of test it was and how often it ran.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Fuzz { runs: u64 },
    Invariant { runs: u64, calls: u64, reverts: u64 },
    Other,
}

impl Kind {
    fn read(kind: &Value) -> Result<Self> {
        let count = |counts: &Value, field: &str| {
            let count = counts[field].as_u64();
            count.ok_or_else(|| eyre!("forge reports no {field}: {kind}"))
        };
        if let Some(counts) = kind.get("Fuzz") {
            let runs = count(counts, "runs")?;
            return Ok(Self::Fuzz { runs });
        }
        let Some(counts) = kind.get("Invariant") else {
            return Ok(Self::Other);
        };
        Ok(Self::Invariant {
            runs: count(counts, "runs")?,
            calls: count(counts, "calls")?,
            reverts: count(counts, "reverts")?,
        })
    }
}

/// Runs tests under the profile of long runs: their names (`Contract test`) and kinds, if all passed.
fn forge(filter: &[&str], seed: &str, environment: &[(&str, &str)]) -> Result<Vec<(String, Kind)>> {
    let output = tools::forge()
        .args(["test", "--json", "--fuzz-seed", seed])
        .args(filter)
        .env("FOUNDRY_PROFILE", "soak")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .wrap_err("cannot start forge")?;
    let printed = String::from_utf8(output.stdout).wrap_err("forge printed no text")?;
    let tests = parse(&printed)?;
    // A failure says more about itself than the exit code does.
    ensure!(output.status.success(), "forge failed: {}", output.status);
    Ok(tests)
}

#[derive(Debug, Deserialize)]
struct Suite {
    test_results: BTreeMap<String, Test>,
}

#[derive(Debug, Deserialize)]
struct Test {
    status: String,
    reason: Option<String>,
    counterexample: Option<Value>,
    kind: Value,
}

fn parse(printed: &str) -> Result<Vec<(String, Kind)>> {
    // What forge says of compiling comes first.
    let json = printed
        .lines()
        .find(|line| line.starts_with('{'))
        .ok_or_else(|| eyre!("forge reported no tests:\n{printed}"))?;
    let suites: BTreeMap<String, Suite> =
        serde_json::from_str(json).wrap_err("forge's report is malformed")?;
    let mut tests = Vec::new();
    for (suite, Suite { test_results }) in suites {
        let contract = suite.rsplit(':').next().unwrap_or_default();
        for (signature, test) in test_results {
            let name = signature.split('(').next().unwrap_or_default();
            if test.status != "Success" {
                let reason = test.reason.unwrap_or_default();
                let example = test.counterexample.unwrap_or_default();
                bail!("{contract} {name}: {} {reason}\n{example:#}", test.status);
            }
            tests.push((format!("{contract} {name}"), Kind::read(&test.kind)?));
        }
    }
    Ok(tests)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"Compiling
{"test/A.t.sol:ATest":{"duration":"1s","test_results":{
"invariant_x()":{"status":"Success","reason":null,"counterexample":null,"kind":{"Invariant":{"runs":2,"calls":40,"reverts":0,"metrics":{}}}},
"test_u()":{"status":"Success","reason":null,"counterexample":null,"kind":{"Unit":{"gas":5}}},
"testFuzz_f(uint8)":{"status":"STATUS","reason":"why","counterexample":null,"kind":{"Fuzz":{"first_case":{},"runs":512,"mean_gas":1}}}}}}"#;

    #[test]
    fn a_report_says_what_ran_how_often() {
        let report = REPORT.replace("{\n", "{").replace(",\n", ",");
        let tests = parse(&report.replace("STATUS", "Success")).unwrap();
        let kind = |name: &str| tests.iter().find(|(n, _)| n == name).unwrap().1.clone();
        assert_eq!(kind("ATest testFuzz_f"), Kind::Fuzz { runs: 512 });
        let (runs, calls, reverts) = (2, 40, 0);
        assert_eq!(
            kind("ATest invariant_x"),
            Kind::Invariant {
                runs,
                calls,
                reverts
            }
        );
        assert!(matches!(kind("ATest test_u"), Kind::Other));

        let failure = parse(&report.replace("STATUS", "Failure")).unwrap_err();
        assert!(
            failure
                .to_string()
                .contains("ATest testFuzz_f: Failure why")
        );
        assert!(parse("error: no").is_err());
    }

    #[test]
    fn the_campaigns_look_at_every_invariant() {
        assert!(invariants().unwrap().len() >= 20);
    }

    #[test]
    fn every_file_of_invariants_has_a_campaign() {
        let tests = fs::read_dir(shell::root().join("contracts/test")).unwrap();
        for path in tests.map(|entry| entry.unwrap().path()) {
            let Ok(source) = fs::read_to_string(&path) else {
                continue;
            };
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let known = INVARIANTS.iter().any(|(file, _)| file.ends_with(&name));
            assert!(known || declared(&source).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_campaign_too_short_is_none() {
        let kind = |calls| Kind::Invariant {
            runs: 1,
            calls,
            reverts: 0,
        };
        let of = |calls| campaigns(vec![("A invariant_x".into(), kind(calls))]);
        assert!(of(CALLS).unwrap().contains_key("A"));
        assert!(of(CALLS - 1).is_err());
        assert!(campaigns(vec![("A test_x".into(), Kind::Other)]).is_err());
    }

    #[test]
    fn a_campaigns_body_ends_where_the_next_begins() {
        let source = "\ncontract A is B {\n x();\n}\ncontract C is D {\n y();\n}";
        assert!(body(source, "A").unwrap().contains(" x();"));
        assert!(!body(source, "A").unwrap().contains(" y();"));
        assert!(body(source, "D").is_none());
    }

    #[test]
    fn invariants_are_found_by_their_declarations() {
        let source = "invariant_a(); function invariant_b() public {} function test_c() {}";
        assert_eq!(declared(source), ["invariant_b"]);
    }
}
