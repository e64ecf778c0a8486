// SPDX-License-Identifier: Apache-2.0
//! The software TEE: real formats, no protection.
//!
//! It lets everything be developed and tested without hardware and without a shortcut in any
//! verifier. MRTD is SHA-384 of the running executable, RTMR0 to RTMR2 are zero, RTMR3 is extended
//! with the configuration hash. The sealing key comes from a file that the host can read.

pub(crate) mod blueprint;
mod collateral;
mod der;
mod pki;
pub(crate) mod quote;

use std::io::Read;

use alloy_primitives::B256;
use hkdf::Hkdf;
use sha2::{Digest, Sha256, Sha384};
#[cfg(feature = "forge")]
use subrosa_evidence::BundleError;
use subrosa_evidence::{DEVELOPMENT_ROOT_ID, EvidenceBundle};
use subrosa_types::id::TeeKind;
use zeroize::Zeroizing;

pub use self::secret::MachineSecret;
use crate::TeeError;
use crate::producer::Producer;
use blueprint::Blueprint;
use quote::Registers;

mod secret;

/// The development root certificate, DER. Its private key is public: see the module above it.
pub fn development_root_certificate() -> Vec<u8> {
    Blueprint::development([0; 16]).authority.root()
}

/// A software TEE.
pub(crate) struct Software {
    registers: Registers,
    configured: bool,
    secret: Option<MachineSecret>,
    blueprint: Blueprint,
    /// MRTD ‖ RTMR0 ‖ RTMR1 ‖ RTMR2; the configuration goes to RTMR3.
    measurement: Vec<u8>,
    /// Constant for the life of the process, and a dozen signatures: made once.
    collateral: Vec<u8>,
}

impl Software {
    /// Measures the running executable.
    pub(crate) fn start(secret: Option<MachineSecret>) -> Result<Self, TeeError> {
        let executable =
            std::fs::File::open(RUNNING_EXECUTABLE).map_err(TeeError::MeasureExecutable)?;
        let mrtd = measure(executable).map_err(TeeError::MeasureExecutable)?;
        Ok(Self::with_measurement(mrtd, secret))
    }

    pub(crate) fn with_measurement(mrtd: [u8; 48], secret: Option<MachineSecret>) -> Self {
        let ppid = secret.as_ref().map_or([0; 16], MachineSecret::ppid);
        let blueprint = Blueprint::development(ppid);
        let collateral = collateral::collateral(&blueprint);
        Self {
            registers: Registers {
                mrtd,
                rtmr: [[0; 48]; 4],
            },
            configured: false,
            secret,
            blueprint,
            measurement: [&mrtd[..], &[0; 3 * 48]].concat(),
            collateral,
        }
    }
}

impl Producer for Software {
    fn kind(&self) -> TeeKind {
        TeeKind::Tdx
    }

    fn root_id(&self) -> Option<B256> {
        Some(DEVELOPMENT_ROOT_ID)
    }

    fn is_development(&self) -> bool {
        true
    }

    fn measurement(&self) -> &[u8] {
        &self.measurement
    }

    fn extend_config(&mut self, config_hash: &[u8; 32]) -> Result<(), TeeError> {
        if self.configured {
            return Err(TeeError::AlreadyConfigured);
        }
        let [.., rtmr3] = &mut self.registers.rtmr;
        *rtmr3 = extend(rtmr3, config_hash);
        self.configured = true;
        Ok(())
    }

    fn quote(&self, report_data: &[u8; 64]) -> Result<EvidenceBundle, TeeError> {
        let quote = quote::quote(&self.blueprint, &self.registers, report_data);
        Ok(EvidenceBundle::new(
            TeeKind::Tdx,
            quote,
            self.collateral.clone(),
        )?)
    }

    fn sealing_key(&self, context: &[u8]) -> Result<Option<Zeroizing<[u8; 32]>>, TeeError> {
        let Some(secret) = &self.secret else {
            return Ok(None);
        };
        let registers = [&self.registers.mrtd[..], &self.registers.rtmr.concat()[..]].concat();
        let mut key = Zeroizing::new([0; 32]);
        let derived = Hkdf::<Sha256>::new(Some(SEALING_SALT), secret.expose())
            .expand_multi_info(&[&Sha256::digest(registers), context], key.as_mut());
        Ok(derived.is_ok().then_some(key))
    }
}

/// Evidence and collateral made from `blueprint`, sound or not.
#[cfg(feature = "forge")]
pub(crate) fn evidence_of(
    blueprint: &Blueprint,
    registers: &Registers,
    report_data: &[u8; 64],
) -> Result<EvidenceBundle, BundleError> {
    let quote = quote::quote(blueprint, registers, report_data);
    EvidenceBundle::new(TeeKind::Tdx, quote, collateral::collateral(blueprint))
}

/// What TDG.MR.RTMR.EXTEND does to a register, with SHA-384 of `data` as the 48 bytes that are
/// extended: SHA-384(register ‖ SHA-384(data)).
pub(crate) fn extend(register: &[u8; 48], data: &[u8]) -> [u8; 48] {
    extend_digest(register, &Sha384::digest(data).into())
}

/// TDG.MR.RTMR.EXTEND: SHA-384(register ‖ digest).
pub(crate) fn extend_digest(register: &[u8; 48], digest: &[u8; 48]) -> [u8; 48] {
    Sha384::new()
        .chain_update(register)
        .chain_update(digest)
        .finalize()
        .into()
}

fn measure(mut executable: impl Read) -> std::io::Result<[u8; 48]> {
    let mut hasher = Sha384::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = executable.read(&mut buffer)?;
        match buffer.get(..read) {
            Some([]) | None => return Ok(hasher.finalize().into()),
            Some(chunk) => hasher.update(chunk),
        }
    }
}

const RUNNING_EXECUTABLE: &str = "/proc/self/exe";
const SEALING_SALT: &[u8] = b"subrosa.v1.software-sealing-key";

#[cfg(test)]
mod tests;
