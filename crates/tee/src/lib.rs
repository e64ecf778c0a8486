// SPDX-License-Identifier: Apache-2.0
//! Evidence and sealing keys: what a trusted execution environment gives its guest.
//!
//! A [`Tee`] is opened once, told the configuration hash once, and then quotes. What it is made of
//! is chosen when it is opened; nothing above it knows more than its methods say. Verifying
//! evidence is the business of another crate. The two share the form in which evidence travels, and
//! no code that looks into it: a bug here cannot agree with itself there.
//!
//! | platform | quotes through | measurement | configuration in | sealing key |
//! |---|---|---|---|---|
//! | Intel TDX | configfs-tsm | MRTD ‖ RTMR0 ‖ RTMR1 ‖ RTMR2, 192 bytes | RTMR3, report data | none |
//! | AMD SEV-SNP | configfs-tsm | MEASUREMENT, 48 bytes | report data | `/dev/sev-guest`; none with a VLEK |
//! | Intel SGX under Gramine | `/dev/attestation` | MRENCLAVE, 32 bytes | report data | `_sgx_mrenclave` |
//! | AWS Nitro Enclaves | `/dev/nsm` | PCR0 ‖ PCR1 ‖ PCR2, 144 bytes | report data | none |
//! | Azure confidential VM | `/dev/tpmrm0` | launch measurement ‖ seven PCRs, 272 bytes | report data | none |
//! | software | itself | as TDX, MRTD is SHA-384 of the executable | as TDX | from a file |
//!
//! Every answer of a platform is bounded, and looked into as far as it takes to see that it is the
//! answer to our question: the interfaces are shared with whatever else runs in the guest.
//!
//! **Of the hardware platforms nothing has run on hardware.** They are built on the vendors' and
//! the kernel's documentation and tested against fakes of those interfaces and their faults; layouts
//! are checked against genuine evidence of others, the TPM commands against a software TPM.
//!
//! The software TEE has no secrets worth the name. The private keys of its whole certificate
//! hierarchy derive from constants in the source, so its [`DEVELOPMENT_ROOT_ID`](subrosa_evidence::DEVELOPMENT_ROOT_ID) is the one root
//! that every verifier must refuse unless told to accept development evidence. It is never chosen
//! but by name.

mod azure;
mod error;
mod files;
#[cfg(feature = "forge")]
pub mod forge;
mod gramine;
mod ioctl;
mod layout;
mod nitro;
mod patience;
mod processor;
mod producer;
mod sealing;
mod selection;
mod snp;
mod software;
mod tdx;
mod tpm;
mod tsm;

use alloy_primitives::B256;
use subrosa_evidence::EvidenceBundle;
use subrosa_types::id::TeeKind;
use zeroize::Zeroizing;

pub use error::{ResponseCode, TeeError};
use producer::Producer;
pub use selection::{Name, Paths, Selection};
pub use software::{MachineSecret, development_root_certificate};

/// The environment this process runs in.
pub struct Tee(Box<dyn Producer>);

impl Tee {
    /// Opens the platform that is named, or the hardware that is found.
    ///
    /// # Errors
    ///
    /// [`TeeError::NoTee`] if nothing is named and nothing found; else why the platform could not
    /// be opened, or could not say what it measures.
    pub fn open(selection: Selection, paths: &Paths) -> Result<Self, TeeError> {
        selection::open(selection, paths).map(Self)
    }

    /// The software TEE, measuring `/proc/self/exe`.
    ///
    /// With `secret` it has a sealing key and names its machine after it; without, it behaves like
    /// hardware that has none (such as TDX), on a machine with an all-zero identity.
    ///
    /// # Errors
    ///
    /// [`TeeError::MeasureExecutable`] if the running executable cannot be read.
    pub fn software(secret: Option<MachineSecret>) -> Result<Self, TeeError> {
        software::Software::start(secret).map(|software| Self(Box::new(software)))
    }

    /// The software TEE claiming `mrtd` as the measurement of its executable. For tests only: an
    /// executable that calls this lies about itself.
    #[cfg(feature = "forge")]
    pub fn software_claiming(mrtd: [u8; 48], secret: Option<MachineSecret>) -> Self {
        Self(Box::new(software::Software::with_measurement(mrtd, secret)))
    }

    /// What verifiers will take this environment for.
    pub fn kind(&self) -> TeeKind {
        self.0.kind()
    }

    /// SHA-256 of the SubjectPublicKeyInfo of the root that a verifier will find above the
    /// evidence. `None` for an AMD processor whose product this version does not know.
    pub fn root_id(&self) -> Option<B256> {
        self.0.root_id()
    }

    /// Whether evidence comes from the development root and so protects nothing.
    pub fn is_development(&self) -> bool {
        self.0.is_development()
    }

    /// What a verifier compares with the measurements it allows: see the table in the crate's
    /// documentation. Read when the environment was opened.
    pub fn measurement(&self) -> Vec<u8> {
        self.0.measurement().to_vec()
    }

    /// Fixes the configuration for every later quote and sealing key.
    ///
    /// On TDX: RTMR3 := SHA-384(RTMR3 ‖ SHA-384(`config_hash`)), where RTMR3 was 48 zero bytes;
    /// nothing happens where it has this value already. Elsewhere there is no register for it: the
    /// caller's report data binds it, and the sealing key.
    ///
    /// # Errors
    ///
    /// [`TeeError::AlreadyConfigured`] if called before: one process has one configuration. On TDX
    /// [`TeeError::Missing`] if the kernel does not extend registers (it does since Linux 6.16), and
    /// [`TeeError::ForeignRtmr3`].
    pub fn extend_config(&mut self, config_hash: &[u8; 32]) -> Result<(), TeeError> {
        self.0.extend_config(config_hash)
    }

    /// Evidence that binds `report_data`: TDX and SGX REPORTDATA, SEV-SNP REPORT_DATA, Nitro
    /// `user_data`, a TPM quote's `extraData`.
    ///
    /// Blocks while the platform works or is busy, seconds at the worst.
    ///
    /// # Errors
    ///
    /// None from the software TEE; hardware may refuse.
    pub fn quote(&self, report_data: &[u8; 64]) -> Result<EvidenceBundle, TeeError> {
        self.0.quote(report_data)
    }

    /// A key that only the same measurement with the same configuration on the same machine
    /// obtains; `context` separates uses. `None` where the platform has no such thing.
    ///
    /// What "the same machine" is worth, the hardware decides: on SEV-SNP the chip, on SGX the
    /// processor package, with the software TEE whoever has the file of its secret.
    ///
    /// # Errors
    ///
    /// None from the software TEE. Elsewhere [`TeeError::NotConfigured`] before
    /// [`extend_config`](Self::extend_config); [`TeeError::SharedSealingKey`] on SEV-SNP where the
    /// host has loaded a VLEK; and hardware may refuse.
    pub fn sealing_key(&self, context: &[u8]) -> Result<Option<Zeroizing<[u8; 32]>>, TeeError> {
        self.0.sealing_key(context)
    }

    /// Fills `bytes` from the kernel's generator, which inside hardware TEEs is seeded by the
    /// processor; in a Nitro enclave stirred with the Nitro Secure Module's.
    ///
    /// # Errors
    ///
    /// [`TeeError::Random`] if the system yields no randomness, or why the module does not.
    pub fn random(&self, bytes: &mut [u8]) -> Result<(), TeeError> {
        self.0.random(bytes)
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
