// SPDX-License-Identifier: Apache-2.0
//! What can go wrong between a guest and its platform.

use std::path::PathBuf;

/// Why the environment did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TeeError {
    /// The running executable could not be read for measuring.
    #[error("cannot measure the running executable")]
    MeasureExecutable(#[source] std::io::Error),
    /// The software TEE's secret is unreadable, cannot be created, or has the wrong size.
    #[error("cannot use the machine secret in {}", path.display())]
    Secret {
        /// The file at fault.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The configuration hash was extended before.
    #[error("the configuration is already part of the measurement")]
    AlreadyConfigured,
    /// The system's random generator failed.
    #[error("the system yields no randomness")]
    Random,
}
