// SPDX-License-Identifier: Apache-2.0
//! Why a node does not run.

use std::path::PathBuf;

use subrosa_store::StoreError;

use crate::{
    bringup::BringupError,
    chain::ChainAccessError,
    config::{ConfigError, KeyError},
    follow::FollowError,
    rpc::ServeError,
    verifier::VerifierError,
};

/// Why a node does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The configuration is wrong.
    #[error("configuration is refused")]
    Config(#[from] ConfigError),
    /// The relay has no key.
    #[error("no key for the relay")]
    Key(#[from] KeyError),
    /// The data directory cannot be made.
    #[error("cannot create {path}", path = path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The store does not open, or failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The chain cannot be used.
    #[error("the chain cannot be used")]
    Chain(#[source] Box<ChainAccessError>),
    /// The verifier cannot be used.
    #[error("the verifier cannot be used")]
    Verifier(#[from] VerifierError),
    /// Metrics cannot be recorded.
    #[error("metrics cannot be recorded")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    /// JSON-RPC cannot be served.
    #[error("JSON-RPC cannot be served")]
    Rpc(#[from] ServeError),
    /// The admin listener cannot be bound, or failed.
    #[error("the admin listener failed")]
    Admin(#[source] std::io::Error),
    /// No enclave can serve with this configuration.
    #[error("no enclave can serve")]
    Bringup(#[from] BringupError),
    /// The chain cannot be followed.
    #[error("the chain cannot be followed")]
    Follow(#[from] FollowError),
    /// A component ended without being told to.
    #[error("a component ended by itself")]
    Ended,
    /// A component panicked: a bug.
    #[error("a component panicked")]
    Panicked(#[source] tokio::task::JoinError),
}

impl From<ChainAccessError> for RunError {
    fn from(error: ChainAccessError) -> Self {
        Self::Chain(Box::new(error))
    }
}
