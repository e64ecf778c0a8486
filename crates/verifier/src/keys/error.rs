// SPDX-License-Identifier: Apache-2.0
//! Why there are no keys.

use std::path::PathBuf;

/// Why there are no keys. The operator must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The file cannot be read or written.
    #[error("cannot access key file {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others can read the file.
    #[error("key file {} has mode {mode:03o}, expected 600", path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a key file.
    #[error("key file {} is malformed", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// Made for something else.
    #[error("key file {} was made for {found}, expected {expected}", path.display())]
    Purpose {
        /// The file.
        path: PathBuf,
        /// What it is marked for.
        found: String,
        /// What was asked of it.
        expected: String,
    },
    /// The system's random generator failed.
    #[error("the system yields no randomness")]
    Random,
    /// Clients may not have seen the announced key yet.
    #[error("the announced key may sign from {usable_from} (Unix seconds), now is {now}")]
    TooSoon {
        /// From when it may sign.
        usable_from: u64,
        /// When it was tried.
        now: u64,
    },
    /// Not a private key: zero, or not below the group's order.
    #[error("scalar is not a private key")]
    Scalar,
}
