// SPDX-License-Identifier: Apache-2.0
//! The host's word.

use alloy_consensus::Header;
use alloy_primitives::B256;
use subrosa_types::{config::HeaderTrustKind, entry::FinalityClass, frame::VouchedBlock, id};

use super::header_trust::HeaderTrust;
use crate::error::{ProofError, TrustError};

/// Takes the host's word for the header; for development only.
///
/// The host can show any chain it likes, so nothing proven under it is confidential from the host
/// or protected from forks. What remains checked is consistency: the same hashes lead from the
/// header to the slot as under every other kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostAsserted;

impl HostAsserted {
    /// Starts, from nothing: there is nothing to be told and nothing to remember.
    ///
    /// # Errors
    ///
    /// [`TrustError::Parameters`], [`TrustError::Checkpoint`] unless both are empty.
    pub fn start(parameters: &[u8], checkpoint: &[u8]) -> Result<Self, TrustError> {
        if !parameters.is_empty() {
            return Err(TrustError::Parameters(HeaderTrustKind::HostAsserted));
        }
        if !checkpoint.is_empty() {
            return Err(TrustError::Checkpoint(HeaderTrustKind::HostAsserted));
        }
        Ok(Self)
    }
}

impl HeaderTrust for HostAsserted {
    fn kind(&self) -> HeaderTrustKind {
        HeaderTrustKind::HostAsserted
    }

    fn start_hash(&self) -> B256 {
        id::start_hash(&[])
    }

    /// Refuses every update, the empty one too.
    fn advance(&mut self, _update: &[u8]) -> Result<(), TrustError> {
        Err(TrustError::Update(HeaderTrustKind::HostAsserted))
    }

    fn newest(&self) -> Option<VouchedBlock> {
        None
    }

    /// Accepts every header with an empty witness.
    fn verify(
        &self,
        _header: &Header,
        hash: B256,
        witness: &[u8],
    ) -> Result<FinalityClass, ProofError> {
        if witness.is_empty() {
            Ok(FinalityClass::HostAsserted)
        } else {
            Err(ProofError::Untrusted { hash })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_asserted_refuses_a_witness() {
        let (header, hash) = (Header::default(), B256::repeat_byte(1));
        assert_eq!(
            HostAsserted.verify(&header, hash, &[]),
            Ok(FinalityClass::HostAsserted)
        );
        assert_eq!(
            HostAsserted.verify(&header, hash, &[0]),
            Err(ProofError::Untrusted { hash })
        );
    }
}
