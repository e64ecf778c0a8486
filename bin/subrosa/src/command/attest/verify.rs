// SPDX-License-Identifier: Apache-2.0
//! `subrosa attest verify`.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use alloy_primitives::Bytes;
use clap::Args;
use eyre::{Result, WrapErr, bail};
use serde::Serialize;
use subrosa_attestation::{
    Claims, Measurements, Policy, Root, Stated, bundle_of_files, inspect, unreadable,
};
use subrosa_evidence::{
    Check, CheckOutcome, DEVELOPMENT_ROOT_ID, EvidenceBundle, Verdict, VerdictStatus,
};

use crate::{
    command::policy,
    failure::EvidenceRefused,
    output::{self, Output},
};

/// Verifies evidence offline and says how every check went.
///
/// Exit code 0: accepted. 2: rejected, or genuine but not appraised, because no measurement or no
/// report data was expected. 1: could not tell.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The evidence: a DCAP quote, SEV-SNP report, Nitro document, Azure evidence (JSON) or an
    /// evidence bundle
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,

    /// What is needed beside it: Intel's collateral (JSON), certificates, revocation lists (PEM or
    /// DER). May be repeated
    #[arg(long, value_name = "FILE")]
    collateral: Vec<PathBuf>,

    /// As of when, Unix seconds [default: now]
    #[arg(long, value_name = "UNIX")]
    now: Option<u64>,

    /// The policy; `subrosa policy init` writes one [default: the strict policy]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// The only root to accept: a certificate, PEM or DER
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,

    /// The expected measurement, hexadecimal: as verdicts show it, or its id; for Nitro PCR0 alone
    #[arg(long, value_name = "HEX")]
    expect_measurement: Option<Bytes>,

    /// The expected report data, hexadecimal, not empty: for Nitro the user data, for a TPM the
    /// extra data
    #[arg(long, value_name = "HEX")]
    expect_report_data: Option<Bytes>,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Verified<'a> {
    verdict: &'a Verdict,
    /// Only if no check failed.
    claims: Option<&'a Claims>,
}

impl VerifyArgs {
    pub(crate) fn run(self, output: &Output) -> Result<()> {
        let (policy, measurements) = self.policy()?;
        let stated = Stated {
            measurements: match self.expect_measurement {
                Some(measurement) => Some(Measurements::Stated(measurement)),
                None => measurements,
            },
            report_data: self.expect_report_data,
        };
        let now = match self.now {
            Some(now) => now,
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .wrap_err("this machine's clock is before 1970; pass --now UNIX")?
                .as_secs(),
        };
        let evidence = read(&self.evidence)?;
        let beside = self
            .collateral
            .iter()
            .map(|path| read(path))
            .collect::<Result<Vec<_>>>()?;
        let (verdict, claims) = match bundle_of_files(&evidence, &beside) {
            Ok(bundle) => {
                let (verdict, claims) = inspect(&bundle, &policy, &stated, now);
                (verdict, claims.ok())
            }
            Err(error) => (unreadable(&policy, error), None),
        };
        let result = Verified {
            verdict: &verdict,
            claims: claims.as_deref(),
        };
        output.result(&result, |result| text(result.verdict))?;
        conclude(&verdict)
    }

    fn policy(&self) -> Result<(Policy, Option<Measurements>)> {
        let (mut accepted, measurements) = match &self.policy {
            Some(path) => {
                let file = policy::load(path)?;
                let measurements = file.measurements.is_some().then(|| file.measurements());
                (file.policy, measurements)
            }
            None => (Policy::strict(), None),
        };
        if let Some(path) = &self.root {
            let root = Root::from_certificate(&read(path)?)
                .wrap_err_with(|| format!("cannot pin {}", path.display()))?;
            accepted.roots.clear();
            accepted.allow_development &= root.id() == DEVELOPMENT_ROOT_ID;
            accepted.pin(root);
        }
        Ok((accepted, measurements))
    }
}

/// A verdict as a table, and below it what to know about it.
pub(crate) fn text(verdict: &Verdict) -> String {
    let rows = verdict.checks.iter().map(|check| {
        let (outcome, found) = row(check);
        [outcome.to_owned(), check.id.to_string(), found]
    });
    let mut facts = Vec::new();
    if let Some(subject) = &verdict.subject {
        facts.push(("tee", format!("{} ({})", subject.tee, subject.product)));
        facts.push(("measurement", subject.measurement.to_string()));
        facts.push(("measurement id", subject.measurement_id.to_string()));
        facts.push(("machine id", subject.machine_id.to_string()));
        if let Some(status) = subject.tcb_status {
            facts.push(("tcb status", status.to_string()));
        }
        if !subject.advisories.is_empty() {
            facts.push(("advisories", subject.advisories.join(", ")));
        }
        facts.push((
            "collateral",
            format!("in force until {}", subject.collateral_expires),
        ));
    }
    facts.push(("policy", verdict.policy.to_string()));
    for relaxation in &verdict.relaxations {
        facts.push(("laxer", relaxation.clone()));
    }
    if verdict.development {
        facts.push(("notice", output::DEVELOPMENT.to_owned()));
    }
    facts.push(("verdict", status(verdict.status).to_owned()));
    format!("{}\n\n{}", output::table(rows), output::pairs(&facts))
}

fn row(check: &Check) -> (&'static str, String) {
    match check.outcome {
        CheckOutcome::Passed => ("ok", check.found.clone()),
        CheckOutcome::NotAppraised => (
            "open",
            format!("found {}, nothing was expected", check.found),
        ),
        CheckOutcome::NotEvaluated => ("-", "not looked at".to_owned()),
        _ => (
            "FAILED",
            format!("expected {}, found {}", check.expected, check.found),
        ),
    }
}

fn status(status: VerdictStatus) -> &'static str {
    match status {
        VerdictStatus::Accepted => "accepted",
        VerdictStatus::GenuineNotAppraised => "genuine, not appraised",
        _ => "rejected",
    }
}

fn conclude(verdict: &Verdict) -> Result<()> {
    let first = |outcome| {
        let check = verdict.checks.iter().find(|check| check.outcome == outcome);
        check.map(|check| check.id.to_string()).unwrap_or_default()
    };
    match verdict.status {
        VerdictStatus::Accepted => Ok(()),
        VerdictStatus::GenuineNotAppraised => {
            let check = first(CheckOutcome::NotAppraised);
            bail!(EvidenceRefused::NotAppraised(check))
        }
        _ => bail!(EvidenceRefused::Rejected(first(CheckOutcome::Failed))),
    }
}

/// A file, if it is not larger than any bundle.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let at = || format!("cannot read {}", path.display());
    let limit = EvidenceBundle::MAX_BYTES;
    let mut bytes = Vec::new();
    File::open(path)
        .wrap_err_with(at)?
        .take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .wrap_err_with(at)?;
    if bytes.len() > limit {
        bail!(
            "{} is larger than {limit} bytes, the most that evidence can have",
            path.display()
        );
    }
    Ok(bytes)
}
