// SPDX-License-Identifier: Apache-2.0
//! Why an enclave does not serve.

use subrosa_chain::{ChainError, dcap::DcapError};
use subrosa_store::StoreError;
use subrosa_types::frame::ErrorCode;

use crate::{
    chain::ChainAccessError,
    enclave::{ConnectError, EnclaveError},
    verifier::VerifierError,
};

/// Why an enclave does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BringupError {
    /// There is no connection.
    #[error("no connection to the enclave")]
    Connect(#[from] ConnectError),
    /// The enclave refused a step, or is gone.
    #[error("the enclave refused a step of bring-up")]
    Enclave(#[from] EnclaveError),
    /// It was started with another configuration.
    #[error(
        "the enclave was started with configuration {found}, this node's is {expected}; restart it"
    )]
    OtherConfig {
        /// Whether a host on this data directory started it, and so may replace it.
        ours: bool,
        /// Hash of this node's configuration.
        expected: String,
        /// Hash of the enclave's.
        found: String,
    },
    /// The enclave was ended, to be started afresh.
    #[error("the enclave had to be replaced")]
    Replaced,
    /// Its signer's lease has ended or was revoked; only a fresh boot has another.
    #[error("the signer's lease has ended or was revoked; restart the enclave")]
    SignerSpent,
    /// The registry would not take an admission that ends sooner than the lease.
    #[error("the verifier admits the signer until {offered}, and its lease runs until {until}")]
    ShorterLease {
        /// When the lease ends, Unix seconds.
        until: u64,
        /// When the admission does.
        offered: u64,
    },
    /// The verifier gives no admission.
    #[error("no admission")]
    Verifier(#[from] VerifierError),
    /// The enclave's evidence is none that the chain could verify.
    #[error("no registration by quote with this evidence")]
    Evidence(#[from] DcapError),
    /// The registry names no contract that verifies quotes.
    #[error(
        "the registry takes no DCAP quotes; its governance names what verifies them (setDcap), or \
         a [verifier] admits the signer"
    )]
    NoDcap,
    /// The chain does not keep what it needs to judge the quote, and the evidence brings none.
    #[error(
        "the chain keeps no collateral in force for this platform: {0}; \
         `subrosa collateral push` submits it"
    )]
    Collateral(String),
    /// The chain does not answer, or refused a transaction.
    #[error("the chain failed during bring-up")]
    Chain(#[source] Box<ChainAccessError>),
    /// A transaction was mined and reverted.
    #[error("{what} reverted in transaction {transaction}")]
    Reverted {
        /// The function that was called.
        what: &'static str,
        /// Its hash.
        transaction: alloy_primitives::B256,
    },
    /// The secret of the current epoch is not held here, and the configuration forbids opening
    /// another.
    #[error(
        "epoch {epoch} of key group {group} is open and its secret is not held here; \
         see enclave.open_epochs"
    )]
    EpochMissing {
        /// Key group.
        group: u32,
        /// Its current epoch; 0 if it has none.
        epoch: u32,
    },
    /// Governance has not scheduled the next epoch.
    #[error(
        "epoch {epoch} of key group {group} is not scheduled; a curator schedules it \
         (`scheduleEpoch`)"
    )]
    EpochNotScheduled {
        /// Key group.
        group: u32,
        /// Its next epoch.
        epoch: u32,
    },
    /// The epoch was opened here, and is not acknowledged yet as its recovery policy asks.
    #[error("epoch {0} waits to be acknowledged by others that hold its secret")]
    EpochUnacknowledged(u32),
    /// Another node opened the epoch first.
    #[error("another node opened epoch {0} first")]
    EpochTaken(u32),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl From<ChainError> for BringupError {
    fn from(error: ChainError) -> Self {
        ChainAccessError::from(error).into()
    }
}

impl From<ChainAccessError> for BringupError {
    fn from(error: ChainAccessError) -> Self {
        Self::Chain(Box::new(error))
    }
}

impl BringupError {
    /// Whether trying again is pointless until someone changes something by hand.
    pub(super) fn is_fatal(&self) -> bool {
        match self {
            Self::Connect(error) => !error.is_transient(),
            Self::Enclave(error) => error.code() == Some(ErrorCode::Config),
            Self::OtherConfig { ours, .. } => !ours,
            Self::Store(_) => true,
            _ => false,
        }
    }
}
