// SPDX-License-Identifier: Apache-2.0
//! `--version`.

use std::path::{Path, PathBuf};

use alloy_primitives::B256;
use eyre::Result;
use serde::Serialize;
use subrosa_devnet::Executable;
use subrosa_types::frame::WIRE_VERSION;

use crate::{
    command::measurement::measure,
    output::{self, Output},
};

/// What this build is.
#[derive(Debug, Serialize)]
struct Version {
    version: &'static str,
    commit: &'static str,
    /// Of the protocol between host and enclave.
    wire: u16,
    /// The enclave executable it would start, if there is one.
    enclave: Option<PathBuf>,
    /// What that executable reports under the software TEE.
    measurement: Option<B256>,
}

/// Prints version, commit, wire version and measurement.
pub(crate) fn print(output: &Output, enclave: Option<&Path>) -> Result<()> {
    let enclave = Executable::Enclave.locate(enclave);
    let measurement = match &enclave {
        Ok(path) => Some(measure(path)?.id),
        Err(_) => None,
    };
    let version = Version {
        version: env!("CARGO_PKG_VERSION"),
        commit: COMMIT,
        wire: WIRE_VERSION,
        enclave: enclave.ok(),
        measurement,
    };
    output.result(&version, |version| {
        let enclave = match (&version.enclave, version.measurement) {
            (Some(path), Some(id)) => format!("{id} (development, {})", path.display()),
            _ => format!(
                "no enclave executable found; {}",
                Executable::Enclave.advice()
            ),
        };
        let facts = output::pairs(&[
            ("commit", version.commit.to_owned()),
            ("wire", version.wire.to_string()),
            ("measurement", enclave),
        ]);
        format!("subrosa {}\n{facts}", version.version)
    })
}

/// The commit this was built from, or `unknown`.
const COMMIT: &str = env!("SUBROSA_COMMIT");
