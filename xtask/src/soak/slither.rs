// SPDX-License-Identifier: Apache-2.0
//! Static analysis of the contracts: every finding of high or medium impact is triaged, or fails.

use std::{collections::BTreeMap, fs, process::Stdio, time::Instant};

use eyre::{Result, WrapErr, bail, eyre};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::tools::{self, Tools};
use crate::{install, shell};

/// Findings that were looked at and found harmless.
const TRIAGE: &str = "contracts/slither-triage.json";

/// Analyses `contracts/src`.
pub(super) fn run() -> Result<Value> {
    install::contracts()?;
    let tools = Tools::install()?;
    let started = Instant::now();
    let report = analyse(&tools)?;
    let findings = report.results.detectors;

    let mut by_impact = BTreeMap::<&str, usize>::new();
    for finding in &findings {
        *by_impact.entry(&finding.impact).or_default() += 1;
    }
    let triage = shell::root().join(TRIAGE);
    let triage = fs::read_to_string(&triage)
        .wrap_err_with(|| format!("cannot read {}", triage.display()))?;
    let triage: Vec<Triaged> =
        serde_json::from_str(&triage).wrap_err_with(|| format!("{TRIAGE} is malformed"))?;
    let objections = compare(&findings, &triage);
    if !objections.is_empty() {
        bail!("{TRIAGE} and slither differ:\n{}", objections.join("\n"));
    }
    let seconds = started.elapsed().as_secs();
    println!("{by_impact:?}, all high and medium ones triaged, {seconds} s");
    Ok(json!({
        "command": "cargo xtask soak slither",
        "slither": Tools::version("slither-analyzer")?,
        "solc": tools::solc_version()?,
        "seconds": seconds,
        "findings": by_impact,
        "untriaged": 0,
        "triaged": triage,
    }))
}

#[derive(Debug, Deserialize)]
struct Report {
    success: bool,
    error: Option<String>,
    results: Results,
}

#[derive(Debug, Deserialize)]
struct Results {
    #[serde(default)]
    detectors: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
struct Finding {
    check: String,
    impact: String,
    description: String,
    elements: Vec<Element>,
}

#[derive(Debug, Deserialize)]
struct Element {
    name: String,
    #[serde(default)]
    type_specific_fields: Fields,
}

#[derive(Debug, Default, Deserialize)]
struct Fields {
    parent: Option<Box<Element>>,
}

/// Findings of one check that are harmless for one reason.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Triaged {
    check: String,
    reason: String,
    /// How many there are, by contract, function and variable.
    places: BTreeMap<String, usize>,
}

impl Finding {
    /// Where it is: `Contract.function`, or with a variable's name after it.
    fn place(&self) -> String {
        let mut names = Vec::new();
        let mut element = self.elements.first();
        while let Some(Element {
            name,
            type_specific_fields,
        }) = element
        {
            names.push(name.as_str());
            element = type_specific_fields.parent.as_deref();
        }
        // The outermost is the file, for what is declared in none.
        names.retain(|name| !name.ends_with(".sol"));
        names.reverse();
        names.join(".")
    }
}

/// Compiles everything once and has it analysed.
fn analyse(tools: &Tools) -> Result<Report> {
    let build = tools::scratch("slither")?;
    // Old build information would be analysed as well.
    fs::remove_dir_all(&build).wrap_err_with(|| format!("cannot empty {}", build.display()))?;
    shell::run(
        tools::forge()
            .args(["build", "--build-info", "--force"])
            .arg("--out")
            .arg(build.join("out"))
            .arg("--cache-path")
            .arg(build.join("cache"))
            .env("FOUNDRY_PROFILE", "slither"),
    )?;
    let path = build.join("report.json");
    shell::run(
        tools
            .command("slither")?
            .args([".", "--ignore-compile", "--foundry-build-info-directory"])
            .arg(build.join("out/build-info"))
            .args(["--filter-paths", "node_modules", "--disable-color"])
            .args(["--fail-none", "--json"])
            .arg(&path)
            .env("FOUNDRY_PROFILE", "slither")
            // Every finding goes there too; the report has them all.
            .stderr(Stdio::null()),
    )?;
    let report =
        fs::read_to_string(&path).wrap_err_with(|| format!("cannot read {}", path.display()))?;
    let report: Report = serde_json::from_str(&report).wrap_err("slither's report is malformed")?;
    if !report.success {
        let error = report.error.unwrap_or_default();
        return Err(eyre!("slither failed: {error}"));
    }
    Ok(report)
}

/// What is in one list and not in the other, of high and medium impact.
fn compare(findings: &[Finding], triage: &[Triaged]) -> Vec<String> {
    let mut expected = BTreeMap::<(&str, &str), usize>::new();
    for triaged in triage {
        for (place, count) in &triaged.places {
            *expected.entry((&triaged.check, place)).or_default() += count;
        }
    }
    let mut found = BTreeMap::<(String, String), Vec<&Finding>>::new();
    for finding in findings {
        if matches!(finding.impact.as_str(), "High" | "Medium") {
            let key = (finding.check.clone(), finding.place());
            found.entry(key).or_default().push(finding);
        }
    }
    let mut objections = Vec::new();
    for ((check, place), findings) in &found {
        let count = expected
            .remove(&(check.as_str(), place.as_str()))
            .unwrap_or(0);
        if count != findings.len() {
            let impact = &findings[0].impact;
            objections.push(format!(
                "{place}: {check} ({impact}) {} times, {count} triaged",
                findings.len()
            ));
            objections.extend(findings.iter().map(|finding| finding.description.clone()));
        }
    }
    let stale = expected.into_iter().filter(|(_, count)| *count != 0);
    objections.extend(stale.map(|((check, place), count)| {
        format!("{place}: {check} triaged {count} times and not found")
    }));
    objections
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Vec<Finding> {
        serde_json::from_value(json!([
            {
                "check": "unused-return", "impact": "Medium", "description": "x",
                "elements": [{"name": "f", "type_specific_fields": {"parent": {
                    "name": "C", "type_specific_fields": {}
                }}}]
            },
            {
                "check": "timestamp", "impact": "Low", "description": "y",
                "elements": [{"name": "g"}]
            }
        ]))
        .unwrap()
    }

    fn triage(place: &str, count: usize) -> Vec<Triaged> {
        vec![Triaged {
            check: "unused-return".into(),
            reason: "because".into(),
            places: BTreeMap::from([(place.into(), count)]),
        }]
    }

    #[test]
    fn a_triaged_finding_passes_and_a_low_one_needs_no_triage() {
        assert!(compare(&findings(), &triage("C.f", 1)).is_empty());
    }

    #[test]
    fn an_untriaged_finding_is_an_objection() {
        let objections = compare(&findings(), &[]);
        assert_eq!(
            objections,
            ["C.f: unused-return (Medium) 1 times, 0 triaged", "x"]
        );
    }

    #[test]
    fn triage_of_what_is_no_longer_found_is_an_objection() {
        assert_eq!(compare(&findings(), &triage("C.f", 2)).len(), 2);
        let objections = compare(&findings(), &triage("C.h", 1));
        assert!(objections[2].contains("C.h: unused-return triaged 1 times and not found"));
    }

    #[test]
    fn the_committed_triage_gives_a_reason_for_everything() {
        let path = shell::root().join(TRIAGE);
        let triage: Vec<Triaged> =
            serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for triaged in triage {
            assert!(triaged.reason.len() > 20, "{}", triaged.check);
            assert!(!triaged.places.is_empty());
        }
    }
}
