// SPDX-License-Identifier: Apache-2.0
//! Evidence and sealing keys: what a trusted execution environment gives its guest.
//!
//! A [`Tee`] is opened once, told the configuration hash once, and then quotes. What it is made of
//! is chosen when it is opened; nothing above it knows more than [`Tee::kind`] and
//! [`Tee::is_development`]. Verifying evidence is the business of another crate, which shares no
//! code with this one: a bug here cannot agree with itself there.
//!
//! The software TEE has no secrets worth the name. The private keys of its whole certificate
//! hierarchy derive from constants in the source, so its [`DEVELOPMENT_ROOT_ID`] is the one root
//! that every verifier must refuse unless told to accept development evidence.
#![forbid(unsafe_code)]

mod error;
#[cfg(feature = "forge")]
pub mod forge;
mod software;

use subrosa_types::id::TeeKind;
use zeroize::Zeroizing;

pub use error::TeeError;
pub use software::{DEVELOPMENT_ROOT_ID, MachineSecret, development_root_certificate};

/// The environment this process runs in.
pub struct Tee(Platform);

/// What hardware, or what pretends to be hardware, says about this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What the quote is.
    pub kind: TeeKind,
    /// The quote; for TDX a DCAP quote, version 4.
    pub quote: Vec<u8>,
    /// What is needed beside the quote to verify it (for TDX: JSON with certificate revocation
    /// lists, TCB info and QE identity). `None` where the host must fetch it.
    pub collateral: Option<Vec<u8>>,
}

impl Tee {
    /// The software TEE, measuring `/proc/self/exe`.
    ///
    /// With `secret` it has a sealing key and names its machine after it; without, it behaves like
    /// hardware that has none (such as TDX), on a machine with an all-zero identity.
    ///
    /// # Errors
    ///
    /// [`TeeError::MeasureExecutable`] if the running executable cannot be read.
    pub fn software(secret: Option<MachineSecret>) -> Result<Self, TeeError> {
        software::Software::start(secret).map(|software| Self(Platform::Software(software)))
    }

    /// The software TEE claiming `mrtd` as the measurement of its executable. For tests only: an
    /// executable that calls this lies about itself.
    #[cfg(feature = "forge")]
    pub fn software_claiming(mrtd: [u8; 48], secret: Option<MachineSecret>) -> Self {
        Self(Platform::Software(software::Software::with_measurement(
            mrtd, secret,
        )))
    }

    /// What verifiers will take this environment for.
    pub fn kind(&self) -> TeeKind {
        match &self.0 {
            Platform::Software(_) => TeeKind::Tdx,
        }
    }

    /// Whether evidence comes from the development root and so protects nothing.
    pub fn is_development(&self) -> bool {
        match &self.0 {
            Platform::Software(_) => true,
        }
    }

    /// What a verifier compares with the measurements it allows; for TDX
    /// MRTD ‖ RTMR0 ‖ RTMR1 ‖ RTMR2, 192 bytes.
    pub fn measurement(&self) -> Vec<u8> {
        match &self.0 {
            Platform::Software(software) => software.measurement().to_vec(),
        }
    }

    /// Makes the configuration part of every later quote and sealing key.
    ///
    /// On TDX: RTMR3 := SHA-384(RTMR3 ‖ SHA-384(`config_hash`)), where RTMR3 was 48 zero bytes.
    ///
    /// # Errors
    ///
    /// [`TeeError::AlreadyConfigured`] if called before: one process has one configuration.
    pub fn extend_config(&mut self, config_hash: &[u8; 32]) -> Result<(), TeeError> {
        match &mut self.0 {
            Platform::Software(software) => software.extend_config(config_hash),
        }
    }

    /// Evidence that binds `report_data`.
    ///
    /// # Errors
    ///
    /// None from the software TEE; hardware may refuse.
    pub fn quote(&self, report_data: &[u8; 64]) -> Result<Evidence, TeeError> {
        match &self.0 {
            Platform::Software(software) => Ok(software.quote(report_data)),
        }
    }

    /// A key that only the same measurement with the same configuration on the same machine
    /// obtains; `context` separates uses. `None` where the platform has no such thing.
    ///
    /// # Errors
    ///
    /// None from the software TEE; hardware may refuse.
    pub fn sealing_key(&self, context: &[u8]) -> Result<Option<Zeroizing<[u8; 32]>>, TeeError> {
        match &self.0 {
            Platform::Software(software) => Ok(software.sealing_key(context)),
        }
    }

    /// Fills `bytes` from the kernel's generator, which inside hardware TEEs is seeded by the
    /// processor.
    ///
    /// # Errors
    ///
    /// [`TeeError::Random`] if the system yields no randomness.
    pub fn random(&self, bytes: &mut [u8]) -> Result<(), TeeError> {
        getrandom::fill(bytes).map_err(|_| TeeError::Random)
    }
}

impl std::fmt::Debug for Tee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tee")
            .field("kind", &self.kind())
            .field("development", &self.is_development())
            .finish_non_exhaustive()
    }
}

enum Platform {
    Software(software::Software),
}
