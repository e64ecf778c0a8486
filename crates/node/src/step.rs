// SPDX-License-Identifier: Apache-2.0
//! How a step of executing or relaying ends.

use subrosa_chain::ChainError;
use subrosa_store::StoreError;

use crate::{chain::ChainAccessError, enclave::EnclaveError, loading::LoadError};

/// What to do after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// There may be more to do.
    Continue,
    /// The same in another way, at once.
    Again,
    /// Nothing can be done until something changes.
    Wait,
    /// Something failed that may pass by itself.
    Retry,
}

/// Why a step failed, by what failed.
#[derive(Debug)]
pub(crate) enum Fault {
    Store(StoreError),
    Enclave(EnclaveError),
    Chain(ChainAccessError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<EnclaveError> for Fault {
    fn from(error: EnclaveError) -> Self {
        Self::Enclave(error)
    }
}

impl From<ChainError> for Fault {
    fn from(error: ChainError) -> Self {
        Self::Chain(error.into())
    }
}

impl From<ChainAccessError> for Fault {
    fn from(error: ChainAccessError) -> Self {
        Self::Chain(error)
    }
}

impl From<LoadError> for Fault {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => Self::Store(error),
            LoadError::Enclave(error) => Self::Enclave(error),
        }
    }
}
