// SPDX-License-Identifier: Apache-2.0
//! Evidence and policies in files.

use std::path::{Path, PathBuf};

use serde_json::Value;
use subrosa_evidence::EvidencePart;
use subrosa_tee::Tee;
use tempfile::TempDir;

use crate::run::{Run, subrosa};

/// 2026-06-01T00:00:00Z, within the validity of software evidence.
const NOW: &str = "--now=1780272000";

/// What this test process's software TEE says of it, in the files that people have.
struct Files {
    directory: TempDir,
    measurement: String,
    report_data: String,
}

impl Files {
    fn new() -> Self {
        let tee = Tee::software(None).unwrap();
        let bundle = tee.quote(&[0x5b; 64]).unwrap();
        let files = Self {
            directory: TempDir::new().unwrap(),
            measurement: hex(&tee.measurement()),
            report_data: hex(&[0x5b; 64]),
        };
        files.write("quote.bin", bundle.quote());
        files.write(
            "collateral.json",
            bundle.part(EvidencePart::Collateral).unwrap(),
        );
        files.write("bundle", &bundle.encode());
        files.write("policy.toml", b"version = 1\ndevelopment = true\n");
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn verify(&self, options: &[&str]) -> Run {
        let mut arguments = vec!["attest".to_owned(), "verify".to_owned(), NOW.to_owned()];
        for option in options {
            // Files are named as they are in the directory.
            let argument = match option.split_once('=') {
                Some((name @ ("--evidence" | "--collateral" | "--policy"), file)) => {
                    format!("{name}={}", self.path(file).display())
                }
                _ => (*option).to_owned(),
            };
            arguments.push(argument);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        subrosa(&arguments)
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{digits}")
}

#[test]
fn evidence_is_accepted_only_with_everything_expected_of_it() {
    let files = Files::new();
    let measurement = format!("--expect-measurement={}", files.measurement);
    let report_data = format!("--expect-report-data={}", files.report_data);
    let quote = ["--evidence=quote.bin", "--collateral=collateral.json"];
    for evidence in [&quote[..], &["--evidence=bundle"]] {
        let with = |more: &[&str]| files.verify(&[evidence, more].concat());
        let accepted = with(&["--policy=policy.toml", &measurement, &report_data]);
        assert_eq!(accepted.code, 0, "{}{}", accepted.stdout, accepted.stderr);
        assert!(
            accepted.stdout.ends_with("verdict         accepted\n"),
            "{}",
            accepted.stdout
        );
        assert!(accepted.stdout.contains("development: protects nothing"));
        for missing in [&measurement, &report_data] {
            let open = with(&["--policy=policy.toml", missing]);
            assert_eq!(open.code, 2);
            assert!(
                open.stdout
                    .ends_with("verdict         genuine, not appraised\n")
            );
            assert!(
                open.stderr.contains("--expect-measurement"),
                "{}",
                open.stderr
            );
        }
        let strict = with(&[&measurement, &report_data]);
        assert_eq!(strict.code, 2);
        assert!(
            strict.stderr.contains("evidence rejected: root"),
            "{}",
            strict.stderr
        );
        let other = with(&[
            "--policy=policy.toml",
            &measurement,
            "--expect-report-data=0x5b",
        ]);
        assert_eq!(other.code, 2);
        assert!(other.stderr.contains("evidence rejected: report-data"));
    }
}

#[test]
fn the_verdict_is_one_object() {
    let files = Files::new();
    let run = files.verify(&["--evidence=bundle", "--policy=policy.toml", "--json"]);
    assert_eq!(run.code, 2);
    let printed: Value = serde_json::from_str(&run.stdout).unwrap();
    let verdict = &printed["verdict"];
    assert_eq!(verdict["status"], "genuine-not-appraised");
    assert_eq!(verdict["development"], true);
    assert_eq!(verdict["subject"]["measurement"], files.measurement);
    assert_eq!(verdict["subject"]["tcbStatus"], "UpToDate");
    let relaxations = verdict["relaxations"].as_array().unwrap();
    assert!(relaxations[0].as_str().unwrap().starts_with("root: "));
    for check in verdict["checks"].as_array().unwrap() {
        for field in ["id", "outcome", "expected", "found"] {
            assert!(check[field].is_string(), "{check}");
        }
    }
    assert_eq!(printed["claims"]["reportData"], files.report_data);
}

#[test]
fn what_is_no_evidence_is_rejected_and_what_cannot_be_read_is_not_told() {
    let files = Files::new();
    files.write("garbage", b"garbage");
    for (options, code, message) in [
        (
            &["--evidence=garbage"][..],
            2,
            "evidence rejected: evidence.format",
        ),
        (
            &["--evidence=quote.bin"],
            2,
            "evidence rejected: evidence.format",
        ),
        (
            &["--evidence=bundle", "--collateral=garbage"],
            2,
            "evidence.format",
        ),
        (&["--evidence=missing"], 1, "cannot read"),
        (
            &["--evidence=bundle", "--policy=garbage"],
            1,
            "cannot use policy",
        ),
        (&["--evidence=bundle", "--root=/dev/null"], 1, "cannot pin"),
        (
            &["--evidence=bundle", "--expect-report-data=x"],
            1,
            "invalid value",
        ),
    ] {
        let run = files.verify(options);
        assert_eq!(run.code, code, "{options:?}: {}", run.stderr);
        assert!(run.stderr.contains(message), "{options:?}: {}", run.stderr);
    }
}

#[test]
fn a_policy_is_written_once_and_checked() {
    let files = Files::new();
    let path = files.path("strict.toml");
    let path = path.to_str().unwrap();
    subrosa(&["policy", "init", path]).quiet_success();
    let again = subrosa(&["policy", "init", path]);
    assert_eq!(again.code, 1, "{}", again.stderr);
    let checked = subrosa(&["policy", "check", path]).quiet_success();
    assert!(checked.contains("in nothing: this is strict"), "{checked}");
    let printed = subrosa(&["policy", "init"]).quiet_success();
    assert_eq!(printed, std::fs::read_to_string(Path::new(path)).unwrap());
    let lax = files.path("policy.toml");
    let lax = subrosa(&["policy", "check", lax.to_str().unwrap(), "--json"]).quiet_success();
    let lax: Value = serde_json::from_str(&lax).unwrap();
    assert_eq!(lax["relaxations"].as_array().unwrap().len(), 1);
}

#[test]
fn a_root_is_the_only_root() {
    let files = Files::new();
    let root = subrosa_attestation::root_certificate(subrosa_evidence::INTEL_SGX_ROOT_ID);
    files.write("root.der", root.unwrap());
    let root = format!("--root={}", files.path("root.der").display());
    let run = files.verify(&["--evidence=bundle", "--policy=policy.toml", &root]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("evidence rejected: root"),
        "{}",
        run.stderr
    );
}
