// SPDX-License-Identifier: Apache-2.0
//! Why the chain cannot be followed, or an event not be taken in.

use subrosa_chain::ChainError;
use subrosa_store::StoreError;

/// Why the chain cannot be followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The chain cannot be reached at the start, or has an oracle of another version.
    #[error("the chain cannot be followed")]
    Chain(#[source] Box<ChainError>),
}

impl From<ChainError> for FollowError {
    fn from(error: ChainError) -> Self {
        Self::Chain(Box::new(error))
    }
}

/// Why an event is not taken in.
pub(super) enum Fault {
    /// The store failed.
    Store(StoreError),
    /// Nothing was stored; the same again later.
    Chain(ChainError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ChainError> for Fault {
    fn from(error: ChainError) -> Self {
        Self::Chain(error)
    }
}
