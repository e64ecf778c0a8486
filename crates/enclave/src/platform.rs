// SPDX-License-Identifier: Apache-2.0
//! What the enclave needs of the platform it runs on.

use alloc::{string::String, vec::Vec};

use alloy_primitives::B256;
use subrosa_types::{
    frame::{ErrorCode, FrameError},
    id::TeeKind,
};
use zeroize::Zeroizing;

/// The platform's side of an enclave: evidence, sealing and randomness.
///
/// Implemented in the enclave's executable over `subrosa-tee`; everything else the state machine
/// does is a function of its frames.
pub trait Platform: Send {
    /// Who this platform says it is.
    fn identity(&self) -> Identity;

    /// Extends the platform's runtime measurement by the configuration. Called once per boot,
    /// before the first quote.
    ///
    /// # Errors
    ///
    /// [`PlatformError`] if the hardware refuses.
    fn fix_config(&mut self, config_hash: B256) -> Result<(), PlatformError>;

    /// Has the platform sign `report_data` together with its measurements.
    ///
    /// # Errors
    ///
    /// [`PlatformError`] if the hardware refuses.
    fn evidence(&mut self, report_data: [u8; 64]) -> Result<Evidence, PlatformError>;

    /// A key that only this measurement on this platform can derive; `None` where there is none.
    fn sealing_key(&self) -> Option<Zeroizing<[u8; 32]>>;

    /// Fills `bytes` from the platform's random number generator.
    ///
    /// # Errors
    ///
    /// [`PlatformError`] if it has none to give.
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), PlatformError>;
}

/// A platform's kind, trust root and measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Kind of TEE.
    pub tee: TeeKind,
    /// SHA-256 of the root key's SubjectPublicKeyInfo.
    pub root_id: B256,
    /// keccak256 of the measurement.
    pub measurement_hash: B256,
    /// Whether the root is the development root, whose key is public.
    pub development: bool,
}

/// Evidence as the platform gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// An encoded evidence bundle, as `subrosa-evidence` reads it.
    pub bundle: Vec<u8>,
}

/// The platform failed.
#[derive(Debug, thiserror::Error)]
#[error("platform: {0}")]
pub struct PlatformError(pub String);

impl From<PlatformError> for FrameError {
    fn from(error: PlatformError) -> Self {
        Self::new(ErrorCode::Platform, error)
    }
}
