// SPDX-License-Identifier: Apache-2.0
//! What can go wrong between a guest and its platform.

use std::path::PathBuf;

pub use crate::tpm::ResponseCode;

/// Why the environment did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TeeError {
    /// The running executable could not be read for measuring.
    #[error("cannot measure the running executable")]
    MeasureExecutable(#[source] std::io::Error),
    /// The software TEE's secret is unreadable, cannot be created, or has the wrong size.
    #[error("cannot use the machine secret in {}", path.display())]
    Secret {
        /// The file at fault.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The configuration hash was extended before.
    #[error("the configuration is already part of the measurement")]
    AlreadyConfigured,
    /// A sealing key was asked for before the configuration was fixed.
    #[error("no sealing key before the configuration is fixed")]
    NotConfigured,
    /// The platform handed out more than evidence may have.
    #[error("the platform's evidence does not fit a bundle")]
    Evidence(#[from] subrosa_evidence::BundleError),
    /// The system's random generator failed.
    #[error("the system yields no randomness")]
    Random,
    /// This machine shows none of the interfaces that are looked for.
    #[error(
        "no trusted execution environment found; looked for {looked_for}; the software TEE has to be named"
    )]
    NoTee {
        /// The interfaces, in order.
        looked_for: &'static str,
    },
    /// No platform has this name.
    #[error(
        "no TEE is called {0:?}; the names are tdx, sgx-gramine, snp, nitro, azure-vtpm and software"
    )]
    UnknownName(String),
    /// The kernel lacks an interface.
    #[error("{} is missing: {needs}", path.display())]
    Missing {
        /// What was opened.
        path: PathBuf,
        /// What would provide it.
        needs: &'static str,
    },
    /// The kernel refused.
    #[error("cannot {action} {}", path.display())]
    Kernel {
        /// `read`, `write`, `create`, `open` or `call`.
        action: &'static str,
        /// What was opened.
        path: PathBuf,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// The platform stayed busy for as long as it was asked.
    #[error("{what} is busy, {attempts} attempts in a row")]
    Busy {
        /// Who was asked.
        what: &'static str,
        /// How often.
        attempts: u32,
    },
    /// Other writers kept interfering: what came back was never the answer to what was asked.
    #[error("another writer of {what} interferes, {attempts} attempts in a row")]
    Raced {
        /// What is shared with the other writer.
        what: &'static str,
        /// How often it was tried.
        attempts: u32,
    },
    /// An answer exceeds what its interface can hold.
    #[error("{} answers more than {limit} bytes", path.display())]
    TooLong {
        /// What was read.
        path: PathBuf,
        /// The most that is read.
        limit: usize,
    },
    /// Another platform answers at the interface.
    #[error("expected {expected}, found {found:?}")]
    WrongPlatform {
        /// What the interface calls the platform asked for.
        expected: &'static str,
        /// What it says instead, shortened.
        found: String,
    },
    /// An answer is not of its documented form.
    #[error("{what} is malformed: {why}")]
    Malformed {
        /// What was parsed.
        what: &'static str,
        /// The first fault found.
        why: &'static str,
    },
    /// RTMR3 holds something else than this configuration, so that no quote can show it.
    #[error("RTMR3 was extended by somebody else; an enclave needs a trust domain of its own")]
    ForeignRtmr3,
    /// The wanted privilege level is more privileged than this guest.
    #[error("privilege level {wanted} is below {floor}, the lowest this guest may ask for")]
    PrivilegeLevel {
        /// What was asked for.
        wanted: u8,
        /// What the kernel allows.
        floor: u8,
    },
    /// A guest request did not reach the AMD secure processor, or came back without an answer.
    #[error("the guest request to {} failed, exit information {exit:#x}", path.display())]
    GuestRequest {
        /// The device.
        path: PathBuf,
        /// `exitinfo2`: hypervisor error in the upper 32 bits, firmware error in the lower.
        exit: u64,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// The AMD secure processor answered, and refused.
    #[error("the secure processor answers status {status:#x}")]
    SecureProcessor {
        /// 0x16: invalid parameters.
        status: u32,
    },
    /// The host has loaded a VLEK, a key that a provider's machines share: the secure processor
    /// derives from that, so that the same guest may obtain the same key on each of them. Or
    /// reports are signed with no key at all, and nothing says what it derives from.
    #[error(
        "no sealing key of this machine: its reports are signed with key {signing_key}, expected 0 \
         (VCEK); with a VLEK (1) loaded, keys are derived from what the provider's machines share"
    )]
    SharedSealingKey {
        /// SIGNING_KEY of the own report: 1 VLEK, 7 none.
        signing_key: u8,
    },
    /// The Nitro Secure Module answered with an error.
    #[error("the nitro secure module answers {0:?}")]
    Nsm(String),
    /// The TPM answered with a response code other than success.
    #[error("{command}: {code}")]
    Tpm {
        /// The command, as TPM 2.0 Library Part 3 calls it.
        command: &'static str,
        /// The TPM's answer.
        code: ResponseCode,
    },
    /// The TPM's TPM2B_DATA cannot hold 64 bytes, so it can quote no report data of ours.
    #[error("this TPM does not take 64 bytes of qualifying data")]
    QualifyingData,
}

impl TeeError {
    /// Whether trying again may help: the platform was busy or somebody else got in between.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Raced { .. })
    }
}
