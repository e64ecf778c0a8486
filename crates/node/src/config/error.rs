// SPDX-License-Identifier: Apache-2.0
//! Why a configuration is refused.

use std::{net::SocketAddr, path::PathBuf};

use subrosa_types::config::ConfigError as MeasuredError;

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, or not of this form.
    ///
    /// Parts of the file are not repeated here: they may hold credentials.
    #[error("configuration line {line}: {message}")]
    Parse {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// It cannot be printed.
    #[error("configuration does not print")]
    Print(#[from] toml::ser::Error),
    /// The `[measured]` table makes no valid enclave configuration.
    #[error("[measured] is refused")]
    Measured(#[from] MeasuredError),
    /// A verifier is to admit the signer, and there is none.
    #[error("enclave.admission is \"verifier\", and there is no [verifier]")]
    NoVerifier,
    /// The admin listener would be reachable from other machines.
    #[error("admin.listen is {0}, which is not a loopback address")]
    AdminNotLoopback(SocketAddr),
    /// Neither a network nor an address.
    #[error("{0:?} is neither an address nor a network such as \"10.0.0.0/8\"")]
    Network(String),
    /// A number is out of range.
    #[error("{field} is {found}, expected {least} to {most}")]
    OutOfRange {
        /// The field, as in the file.
        field: &'static str,
        /// Its value.
        found: u64,
        /// Smallest allowed.
        least: u64,
        /// Largest allowed.
        most: u64,
    },
}

impl ConfigError {
    pub(super) fn parse(text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.as_bytes().get(..start).unwrap_or_default();
        Self::Parse {
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
            message: error.message().to_owned(),
        }
    }
}

/// Refuses a number that is not from `least` to `most`.
pub(super) fn in_range(
    field: &'static str,
    found: u64,
    least: u64,
    most: u64,
) -> Result<(), ConfigError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(ConfigError::OutOfRange {
        field,
        found,
        least,
        most,
    })
}
