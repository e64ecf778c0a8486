// SPDX-License-Identifier: Apache-2.0
//! `subrosa measurement`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use alloy_primitives::{B256, Bytes};
use clap::Args;
use eyre::{Result, WrapErr};
use serde::Serialize;
use subrosa_attestation::measurement::{SoftwareMeasurement, measurement_of_executable};
use subrosa_devnet::Executable;
use subrosa_evidence::DEVELOPMENT_ROOT_ID;

use crate::output::{self, Output};

/// Computes what an enclave executable reports of itself under the software TEE, without running
/// it: what a client pins who built the executable.
#[derive(Debug, Args)]
pub(crate) struct MeasurementArgs {
    /// The executable [default: the enclave executable that would be started]
    file: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Measurement {
    development: bool,
    file: PathBuf,
    measurement_id: B256,
    measurement_hash: B256,
    mrtd: Bytes,
    root_id: B256,
}

impl MeasurementArgs {
    pub(crate) fn run(self, output: &Output, enclave: Option<&Path>) -> Result<()> {
        let file = match self.file {
            Some(file) => file,
            None => Executable::Enclave.locate(enclave)?,
        };
        let measured = measure(&file)?;
        let measurement = Measurement {
            development: true,
            file,
            measurement_id: measured.id,
            measurement_hash: measured.hash,
            mrtd: measured.mrtd.to_vec().into(),
            root_id: DEVELOPMENT_ROOT_ID,
        };
        output.result(&measurement, |measurement| {
            output::pairs(&[
                ("id", measurement.measurement_id.to_string()),
                ("hash", measurement.measurement_hash.to_string()),
                ("mrtd", measurement.mrtd.to_string()),
                ("root", format!("{} (development)", measurement.root_id)),
            ])
        })
    }
}

/// What `file` reports under the software TEE.
pub(crate) fn measure(file: &Path) -> Result<SoftwareMeasurement> {
    fs::read(file)
        .map(|executable| measurement_of_executable(&executable))
        .wrap_err_with(|| format!("cannot measure {}", file.display()))
}
