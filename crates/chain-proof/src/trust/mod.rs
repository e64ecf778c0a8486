// SPDX-License-Identifier: Apache-2.0
//! How a block header comes to be trusted.

mod header_trust;
mod host_asserted;

use alloc::boxed::Box;

use subrosa_types::config::HeaderTrustKind;

use crate::error::TrustError;

pub use header_trust::HeaderTrust;
pub use host_asserted::HostAsserted;

/// The header trust that a configuration names, started from a checkpoint.
///
/// `parameters` are what that kind needs, as in
/// [`EnclaveConfig`](subrosa_types::abi::EnclaveConfig)`::headerTrustParameters`. They are part of
/// the configuration's hash; the checkpoint is not.
///
/// # Errors
///
/// [`TrustError::Unsupported`] for a kind this build does not implement,
/// [`TrustError::Parameters`] and [`TrustError::Checkpoint`] if they do not fit the kind.
pub fn header_trust(
    kind: HeaderTrustKind,
    parameters: &[u8],
    checkpoint: &[u8],
) -> Result<Box<dyn HeaderTrust>, TrustError> {
    match kind {
        HeaderTrustKind::HostAsserted => Ok(Box::new(HostAsserted::start(parameters, checkpoint)?)),
        // Before one is constructed: whatever is signed must name the checkpoint's hash, and whoever
        // activates an epoch or anchors a signature must ask for the header's class, which execution
        // alone does.
        _ => Err(TrustError::Unsupported(kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_host_asserted_is_constructed_and_from_nothing() {
        let trust = header_trust(HeaderTrustKind::HostAsserted, &[], &[]).unwrap();
        assert_eq!(trust.kind(), HeaderTrustKind::HostAsserted);
        let refused = |kind, parameters: &[u8], checkpoint: &[u8]| {
            header_trust(kind, parameters, checkpoint).err().unwrap()
        };
        assert_eq!(
            refused(HeaderTrustKind::HostAsserted, &[0], &[]),
            TrustError::Parameters(HeaderTrustKind::HostAsserted)
        );
        assert_eq!(
            refused(HeaderTrustKind::HostAsserted, &[], &[0]),
            TrustError::Checkpoint(HeaderTrustKind::HostAsserted)
        );
        for kind in [
            HeaderTrustKind::HeaderSigners,
            HeaderTrustKind::Ethereum,
            HeaderTrustKind::Bft,
        ] {
            assert_eq!(refused(kind, &[], &[]), TrustError::Unsupported(kind));
        }
    }
}
