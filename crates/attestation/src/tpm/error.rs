// SPDX-License-Identifier: Apache-2.0
//! Why a TPM's quote is not one.

use alloc::string::{String, ToString};

/// Why a quote is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TpmError {
    /// A structure is not as the specification defines it.
    #[error("malformed {structure}: {fault}")]
    Malformed {
        /// The structure, by its name in the specification.
        structure: &'static str,
        /// What is wrong with it.
        fault: String,
    },
    /// Not an attestation key that this module supports.
    #[error("unsupported attestation key: {0}")]
    Key(String),
    /// The key did not sign this.
    #[error("the attestation key did not sign this")]
    Signature,
    /// The PCR values are not those that were quoted.
    #[error("{0}")]
    Pcrs(String),
}

impl TpmError {
    pub(super) fn malformed(structure: &'static str, fault: impl ToString) -> Self {
        Self::Malformed {
            structure,
            fault: fault.to_string(),
        }
    }
}
