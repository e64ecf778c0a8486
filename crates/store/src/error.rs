// SPDX-License-Identifier: Apache-2.0
//! Why the store cannot do what was asked.

use std::{io, path::PathBuf};

use subrosa_types::ContractId;

use crate::{FORMAT_VERSION, MAX_RECORD_BYTES};

/// Why the store cannot do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process, or another handle of this one, has the directory open.
    #[error("{} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// The directory belongs to another chain, oracle, registry or configuration.
    #[error("{} belongs to {field} {found}, not {expected}", path.display())]
    Identity {
        /// The directory.
        path: PathBuf,
        /// What differs.
        field: &'static str,
        /// What was asked for.
        expected: String,
        /// What the directory says.
        found: String,
    },
    /// The directory is not empty and is no store.
    #[error("{} is not empty and has no readable identity file", .0.display())]
    NotAStore(PathBuf),
    /// The directory was written by another version of this crate.
    #[error("{} has format {found}, this build reads {FORMAT_VERSION}", path.display())]
    Format {
        /// The directory.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// A record cannot be read: of another version, damaged, or under the wrong key.
    #[error("corrupt record in {keyspace}: {reason}")]
    Corrupt {
        /// Where.
        keyspace: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A record longer than [`MAX_RECORD_BYTES`].
    #[error("record of {bytes} bytes for {keyspace} is larger than {MAX_RECORD_BYTES}")]
    TooLarge {
        /// Where it would go.
        keyspace: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// Deltas are missing between a snapshot and the state asked for.
    #[error("contract {contract} has no delta for entry {seq}")]
    MissingDelta {
        /// The contract whose blobs were asked for.
        contract: ContractId,
        /// The first entry without a delta.
        seq: u64,
    },
    /// A result or proof of an entry that is not (or no longer) in the store.
    #[error("contract {contract} has no such entry {seq}")]
    UnknownEntry {
        /// The contract whose log lacks it.
        contract: ContractId,
        /// Number of the entry in that log.
        seq: u64,
    },
    /// What was to be written contradicts itself or what is there; the caller's mistake.
    #[error("inconsistent write: {0}")]
    Inconsistent(&'static str),
    /// The storage engine failed; after a failed write it accepts no more until it is reopened.
    #[error("storage engine failed")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file operation failed.
    #[error("cannot access {}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl StoreError {
    /// Whether something is missing or damaged, while everything else can be read.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::MissingDelta { .. } | Self::Corrupt { .. })
    }
}

impl From<fjall::Error> for StoreError {
    fn from(error: fjall::Error) -> Self {
        Self::Engine(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_contract_lacks_is_no_other_s_trouble() {
        let contract = ContractId::ZERO;
        assert!(StoreError::MissingDelta { contract, seq: 1 }.is_local());
        let (keyspace, reason) = ("blobs", "damaged");
        assert!(StoreError::Corrupt { keyspace, reason }.is_local());
        assert!(!StoreError::Engine("the disk is full".into()).is_local());
    }
}
