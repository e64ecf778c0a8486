// SPDX-License-Identifier: Apache-2.0
//! `subrosa policy`.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use alloy_primitives::B256;
use clap::{Args, Subcommand};
use eyre::{Result, WrapErr, bail};
use serde::Serialize;
use subrosa_attestation::{MAX_POLICY_BYTES, PolicyFile};

use crate::output::{self, Output};

/// Writes or checks a policy: which hardware is trusted, and in which state.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Write the strict policy, every field explained, to be edited
    Init {
        /// Where to [default: standard output]; never overwritten
        file: Option<PathBuf>,
    },
    /// Check a policy file, and say in what it is laxer than the strict policy
    Check {
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    file: PathBuf,
    policy: B256,
    measurements: Option<usize>,
    relaxations: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Written {
    file: PathBuf,
}

impl PolicyArgs {
    pub(crate) fn run(self, output: &Output) -> Result<()> {
        match self.command {
            PolicyCommand::Init { file: None } => {
                output.result(&PolicyFile::DEFAULT, |text| (*text).to_owned())
            }
            PolicyCommand::Init { file: Some(file) } => {
                write_new(&file)?;
                output.result(&Written { file }, |written| {
                    format!("wrote {}", written.file.display())
                })
            }
            PolicyCommand::Check { file } => {
                let checked = Checked::of(file)?;
                output.result(&checked, Checked::text)
            }
        }
    }
}

/// Reads a policy file.
pub(crate) fn load(path: &Path) -> Result<PolicyFile> {
    let at = || format!("cannot use policy {}", path.display());
    let size = fs::metadata(path).wrap_err_with(at)?.len();
    if size > MAX_POLICY_BYTES as u64 {
        bail!(
            "{}: it has {size} bytes, more than {MAX_POLICY_BYTES}",
            at()
        );
    }
    let text = fs::read_to_string(path).wrap_err_with(at)?;
    PolicyFile::parse(&text).wrap_err_with(at)
}

fn write_new(path: &Path) -> Result<()> {
    let at = || format!("cannot write {}", path.display());
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .wrap_err_with(at)?;
    file.write_all(PolicyFile::DEFAULT.as_bytes())
        .wrap_err_with(at)
}

impl Checked {
    fn of(file: PathBuf) -> Result<Self> {
        let parsed = load(&file)?;
        Ok(Self {
            file,
            policy: parsed.policy.hash(),
            measurements: parsed
                .measurements
                .as_ref()
                .map(std::collections::BTreeSet::len),
            relaxations: parsed.policy.relaxations(),
        })
    }

    fn text(&self) -> String {
        let mut facts = vec![
            ("policy", self.policy.to_string()),
            (
                "measurements",
                match self.measurements {
                    Some(count) => format!("{count} listed"),
                    None => "none listed: no verdict is an acceptance by itself".to_owned(),
                },
            ),
        ];
        if self.relaxations.is_empty() {
            facts.push(("laxer", "in nothing: this is strict".to_owned()));
        }
        for relaxation in &self.relaxations {
            facts.push(("laxer", relaxation.clone()));
        }
        output::pairs(&facts)
    }
}
