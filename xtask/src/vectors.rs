// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask vectors DIR`: genuine evidence through the command line, against the verdicts that
//! a manifest expects.
//!
//! `DIR/MANIFEST.json` holds `vectors`: for each its `id`, `tee`, `files` (`role`, `path`), the
//! time `now.unix` (null: nothing in it has dates) and what is `expected`: `result` (`accept`,
//! `reject`, `either`), `tcb_status`, `advisories`, `strict_policy` (`reject`: a second run under
//! the strict policy must reject). Verdicts come from `subrosa attest verify --json`, a process
//! for each.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use eyre::{Result, WrapErr, bail, eyre};
use serde_json::Value;

use crate::{demo, shell};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the evidence is, with MANIFEST.json, which lists the vectors.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Builds the command line and judges every vector; fails if one differs.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    demo::build()?;
    judge(&arguments.directory)
}

/// Judges every vector with the executable that is built already.
pub(crate) fn judge(directory: &Path) -> Result<()> {
    let path = directory.join("MANIFEST.json");
    let manifest =
        std::fs::read(&path).wrap_err_with(|| format!("cannot read {}", path.display()))?;
    let manifest: Value = serde_json::from_slice(&manifest)
        .wrap_err_with(|| format!("{} is not JSON", path.display()))?;
    let vectors = manifest["vectors"]
        .as_array()
        .ok_or_else(|| eyre!("{} lists no vectors", path.display()))?;
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for vector in vectors {
        let id = vector["id"].as_str().unwrap_or("unnamed");
        let tee = vector["tee"].as_str().unwrap_or("unknown");
        match Case::of(directory, vector).and_then(|case| case.map(|case| case.judge()).transpose())
        {
            Ok(Some(Ok(verdict))) => {
                passed += 1;
                println!("PASS    {tee:<14} {id:<32} {verdict}");
            }
            Ok(Some(Err(difference))) => {
                failed += 1;
                println!("FAIL    {tee:<14} {id:<32} {difference}");
            }
            Ok(None) => {
                skipped += 1;
                println!("NOT RUN {tee:<14} {id:<32} this kind is not supported");
            }
            Err(error) => {
                failed += 1;
                println!("FAIL    {tee:<14} {id:<32} {error:#}");
            }
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed > 0 {
        bail!("{failed} of {} vectors differ", vectors.len());
    }
    Ok(())
}

/// One vector, as arguments of `subrosa attest verify`.
struct Case<'a> {
    expected: &'a Value,
    arguments: Vec<String>,
}

impl<'a> Case<'a> {
    /// `None` for a kind of evidence that is not supported.
    fn of(directory: &Path, vector: &'a Value) -> Result<Option<Self>> {
        let tee = vector["tee"].as_str().unwrap_or_default();
        if !KINDS.contains(&tee) {
            return Ok(None);
        }
        let now = vector["now"]["unix"].as_u64().unwrap_or(0);
        let mut arguments = vec![format!("--now={now}")];
        let files = vector["files"]
            .as_array()
            .ok_or_else(|| eyre!("no files"))?;
        for file in files {
            let role = file["role"].as_str().unwrap_or_default();
            let option = option_of(role).ok_or_else(|| eyre!("unknown role {role:?}"))?;
            let path = file["path"].as_str().ok_or_else(|| eyre!("no path"))?;
            arguments.push(format!("{option}={}", directory.join(path).display()));
            // The path that is given is also the one that builds the chain.
            if role == "ark_der" {
                arguments.push(format!("--collateral={}", directory.join(path).display()));
            }
        }
        Ok(Some(Self {
            expected: &vector["expected"],
            arguments,
        }))
    }

    /// The verdict in words, or in what it differs from the expected one.
    fn judge(&self) -> Result<Result<String, String>> {
        let policy = format!("--policy={}", permissive_policy().display());
        let judged = self.verify(&[&policy])?;
        let rejected = judged.status() == "rejected";
        let mut differences = Vec::new();
        match self.expected["result"].as_str() {
            Some("accept") if rejected && self.expected["soft"] != Value::Bool(true) => {
                differences.push(format!(
                    "rejected, expected to be accepted: {}",
                    judged.reason()
                ));
            }
            Some("reject") if !rejected => {
                differences.push(format!("{}, expected to be rejected", judged.status()));
            }
            Some("accept" | "reject" | "either") => {}
            other => bail!("unknown result {other:?}"),
        }
        if !rejected {
            differences.extend(self.platform_differences(&judged));
            differences.extend(self.acceptance_differences(&policy, &judged)?);
        }
        let mut words = if rejected {
            format!("rejected: {}", judged.reason())
        } else {
            judged.summary()
        };
        if self.expected["strict_policy"].as_str() == Some("reject") {
            let strict = self.verify(&[])?;
            if strict.status() == "rejected" {
                words.push_str(&format!(
                    "; strict policy rejects: {}",
                    strict.failed_check()
                ));
            } else {
                differences.push(format!("the strict policy says {}", strict.status()));
            }
        }
        Ok(if differences.is_empty() {
            Ok(words)
        } else {
            Err(differences.join("; "))
        })
    }

    fn platform_differences(&self, judged: &Judged) -> Vec<String> {
        let subject = &judged.printed["verdict"]["subject"];
        let mut differences = Vec::new();
        if let Some(expected) = self.expected["tcb_status"].as_str()
            && subject["tcbStatus"].as_str() != Some(expected)
        {
            differences.push(format!(
                "TCB status {}, expected {expected}",
                subject["tcbStatus"]
            ));
        }
        if let Some(expected) = self.expected["advisories"].as_array()
            && sorted(expected)
                != subject["advisories"]
                    .as_array()
                    .map_or(vec![], |a| sorted(a))
        {
            differences.push(format!("advisories {}", subject["advisories"]));
        }
        differences
    }

    /// With what it says as what is expected, genuine evidence is accepted; with anything else it
    /// is rejected.
    fn acceptance_differences(&self, policy: &str, judged: &Judged) -> Result<Vec<String>> {
        let claims = &judged.printed["claims"];
        let measurement = claims["measurement"].as_str().unwrap_or_default();
        let report_data = claims["reportData"].as_str().unwrap_or_default();
        let stated = |measurement: &str, report_data: &str| {
            self.verify(&[
                policy,
                &format!("--expect-measurement={measurement}"),
                &format!("--expect-report-data={report_data}"),
            ])
        };
        let mut differences = Vec::new();
        let accepted = stated(measurement, report_data)?;
        // Evidence that binds nothing is anybody's, and never accepted.
        let expected = if report_data == "0x" {
            ("genuine-not-appraised", REFUSED)
        } else {
            ("accepted", ACCEPTED)
        };
        if (accepted.status(), accepted.code) != expected {
            differences.push(format!(
                "with its own measurement and report data: {}, exit code {}",
                accepted.status(),
                accepted.code
            ));
        }
        for (measurement, report_data) in [("0xff", report_data), (measurement, "0xff")] {
            let other = stated(measurement, report_data)?;
            if (other.status(), other.code) != ("rejected", REFUSED) {
                differences.push(format!("with other expectations: {}", other.status()));
            }
        }
        Ok(differences)
    }

    fn verify(&self, more: &[&str]) -> Result<Judged> {
        let output = Command::new(shell::debug_directory().join("subrosa"))
            .args(["--json", "--quiet", "attest", "verify"])
            .args(&self.arguments)
            .args(more)
            .stdin(Stdio::null())
            .output()
            .wrap_err("cannot start `subrosa`")?;
        let code = output.status.code().unwrap_or(-1);
        if !matches!(code, ACCEPTED | REFUSED) {
            let text = String::from_utf8_lossy(&output.stderr);
            bail!("could not tell (exit code {code}): {}", text.trim());
        }
        let printed =
            serde_json::from_slice(&output.stdout).wrap_err("`subrosa` printed no JSON")?;
        let judged = Judged { printed, code };
        if (judged.status() == "accepted") != (code == ACCEPTED) {
            bail!("verdict {} with exit code {code}", judged.status());
        }
        Ok(judged)
    }
}

/// What `subrosa attest verify` said.
struct Judged {
    printed: Value,
    code: i32,
}

impl Judged {
    fn status(&self) -> &str {
        self.printed["verdict"]["status"]
            .as_str()
            .unwrap_or("nothing")
    }

    fn failed(&self) -> Option<&Value> {
        let checks = self.printed["verdict"]["checks"].as_array()?;
        checks.iter().find(|check| check["outcome"] == "failed")
    }

    fn failed_check(&self) -> &str {
        self.failed()
            .and_then(|check| check["id"].as_str())
            .unwrap_or("nothing")
    }

    fn reason(&self) -> String {
        let found = self.failed().and_then(|check| check["found"].as_str());
        let line: String = found.unwrap_or_default().chars().take(90).collect();
        format!("{} ({line})", self.failed_check())
    }

    fn summary(&self) -> String {
        let subject = &self.printed["verdict"]["subject"];
        let status = subject["tcbStatus"].as_str().unwrap_or("no TCB status");
        let product = subject["product"].as_str().unwrap_or("unknown");
        format!("genuine: {product}, {status}")
    }
}

fn option_of(role: &str) -> Option<&'static str> {
    Some(match role {
        "quote" | "report" | "cose_sign1" | "evidence_json" => "--evidence",
        "collateral_json" | "vek_der" | "ask_der" | "crl_der" | "certificates_pem" => {
            "--collateral"
        }
        "root_ca_der" | "root_pem" | "ark_der" => "--root",
        _ => return None,
    })
}

fn sorted(values: &[Value]) -> Vec<&str> {
    let mut texts: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
    texts.sort_unstable();
    texts
}

fn permissive_policy() -> PathBuf {
    shell::root().join("fixtures/policies/vectors.toml")
}

/// Kinds that are supported; a vector of another kind is not run, and never counts as passed.
const KINDS: [&str; 6] = ["tdx", "sgx", "sgx-synthetic", "snp", "nitro", "azure-vtpm"];
const ACCEPTED: i32 = 0;
const REFUSED: i32 = 2;
