// SPDX-License-Identifier: Apache-2.0
//! What every kind of header trust is.

use alloy_consensus::Header;
use alloy_primitives::B256;
use subrosa_types::{config::HeaderTrustKind, entry::FinalityClass, frame::VouchedBlock};

use crate::error::{ProofError, TrustError};

/// Decides whether a block belongs to the chain, and how finally.
///
/// It has state: it starts from a checkpoint and moves only by updates that follow from what it
/// knows already. What must hold of every kind is the suite `conformance` (feature of that name).
pub trait HeaderTrust: core::fmt::Debug + Send + Sync {
    /// Its kind, as configurations name it.
    fn kind(&self) -> HeaderTrustKind;

    /// Hash of the checkpoint it started from ([`start_hash`](subrosa_types::id::start_hash)).
    /// Never changes.
    fn start_hash(&self) -> B256;

    /// Takes in an update that the host brought.
    ///
    /// # Errors
    ///
    /// [`TrustError::Update`] if it does not follow from what is known; nothing has changed.
    fn advance(&mut self, update: &[u8]) -> Result<(), TrustError>;

    /// The newest block that it vouches for by itself; `None` if it knows of none, as when each
    /// header brings its own witness.
    fn newest(&self) -> Option<VouchedBlock>;

    /// Checks that `witness`, with what is known, vouches for this header, and says how finally.
    ///
    /// `hash` is the keccak256 of the header's RLP, recomputed from the bytes that the host sent.
    ///
    /// # Errors
    ///
    /// [`ProofError::Untrusted`] unless it does.
    fn verify(
        &self,
        header: &Header,
        hash: B256,
        witness: &[u8],
    ) -> Result<FinalityClass, ProofError>;
}
