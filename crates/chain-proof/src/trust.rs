// SPDX-License-Identifier: Apache-2.0
//! How a block header comes to be trusted.

use alloy_consensus::Header;
use alloy_primitives::B256;
use subrosa_types::{config::HeaderTrustKind, entry::FinalityClass};

use crate::ProofError;

/// Decides whether a block belongs to the chain, and how finally.
pub trait HeaderTrust: Send {
    /// The finality class of every header it vouches for, and so of their ancestors.
    fn class(&self) -> FinalityClass;

    /// Checks that `witness` vouches for this header.
    ///
    /// `hash` is the keccak256 of the header's RLP, recomputed from the bytes that the host sent.
    ///
    /// # Errors
    ///
    /// [`ProofError::Untrusted`] unless it does.
    fn verify(&self, header: &Header, hash: B256, witness: &[u8]) -> Result<(), ProofError>;
}

/// The header trust that a configuration names.
///
/// `parameters` are what that kind needs, as in
/// [`EnclaveConfig`](subrosa_types::abi::EnclaveConfig)`::headerTrustParameters`.
///
/// # Errors
///
/// [`ProofError::Unsupported`] for a kind this build does not implement,
/// [`ProofError::Parameters`] if they do not fit the kind.
pub fn header_trust(
    kind: HeaderTrustKind,
    parameters: &[u8],
) -> Result<Box<dyn HeaderTrust>, ProofError> {
    match kind {
        HeaderTrustKind::HostAsserted if parameters.is_empty() => Ok(Box::new(HostAsserted)),
        HeaderTrustKind::HostAsserted => Err(ProofError::Parameters(kind)),
        _ => Err(ProofError::Unsupported(kind)),
    }
}

/// Takes the host's word for the header; for development only.
///
/// The host can show any chain it likes, so nothing proven under it is confidential from the host
/// or protected from forks. What remains checked is consistency: the same hashes lead from the
/// header to the slot as under every other kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostAsserted;

impl HeaderTrust for HostAsserted {
    fn class(&self) -> FinalityClass {
        FinalityClass::HostAsserted
    }

    /// Accepts every header with an empty witness.
    fn verify(&self, _header: &Header, hash: B256, witness: &[u8]) -> Result<(), ProofError> {
        if witness.is_empty() {
            Ok(())
        } else {
            Err(ProofError::Untrusted { hash })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_host_asserted_without_parameters_is_constructed() {
        let trust = header_trust(HeaderTrustKind::HostAsserted, &[]).unwrap();
        assert_eq!(trust.class(), FinalityClass::HostAsserted);
        let refused = |kind, parameters| header_trust(kind, parameters).err().unwrap();
        assert_eq!(
            refused(HeaderTrustKind::HostAsserted, &[0]),
            ProofError::Parameters(HeaderTrustKind::HostAsserted)
        );
        for kind in [
            HeaderTrustKind::HeaderSigners,
            HeaderTrustKind::Ethereum,
            HeaderTrustKind::Bft,
        ] {
            assert_eq!(refused(kind, &[]), ProofError::Unsupported(kind));
        }
    }

    #[test]
    fn host_asserted_refuses_a_witness() {
        let (header, hash) = (Header::default(), B256::repeat_byte(1));
        assert_eq!(HostAsserted.verify(&header, hash, &[]), Ok(()));
        assert_eq!(
            HostAsserted.verify(&header, hash, &[0]),
            Err(ProofError::Untrusted { hash })
        );
    }
}
