// SPDX-License-Identifier: Apache-2.0
//! Why a development network does not come up.

use std::{path::PathBuf, process::ExitStatus, time::Duration};

use crate::NotFound;

/// Why a development network, or a part of it, does not come up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevnetError {
    /// An executable is missing.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// A file or directory cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A process cannot be started.
    #[error("cannot start {}", program.display())]
    Spawn {
        /// Its executable.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A process cannot be signalled or waited for.
    #[error("cannot signal {name}")]
    Signal {
        /// The process.
        name: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// A process that was to end has not.
    #[error("{name} is still running {patience:?} after SIGTERM")]
    StillRunning {
        /// The process.
        name: &'static str,
        /// How long it was waited for.
        patience: Duration,
    },
    /// A process is needed that was stopped before.
    #[error("{name} is not running")]
    NotStarted {
        /// The process.
        name: &'static str,
    },
    /// A process ended by itself.
    #[error("{name} ended ({status}); its log {} ends with:\n{tail}", log.display())]
    Ended {
        /// The process.
        name: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// Its whole log.
        log: PathBuf,
        /// The end of it.
        tail: String,
    },
    /// A process runs but is not ready in time.
    #[error("{name} is not ready after {patience:?} ({last}); see {}", log.display())]
    NotReady {
        /// The process.
        name: &'static str,
        /// How long it was waited for.
        patience: Duration,
        /// What it answered last.
        last: String,
        /// Its log.
        log: PathBuf,
    },
    /// A process says something that does not fit its protocol.
    #[error("{name} {problem}")]
    Unexpected {
        /// The process.
        name: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The chain refuses a transaction or a call.
    #[error("{step} failed on the development chain")]
    Chain {
        /// What was to be done.
        step: &'static str,
        /// Why it was not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The operating system gives no randomness.
    #[error("no randomness from the operating system")]
    Randomness(#[source] getrandom::Error),
}
