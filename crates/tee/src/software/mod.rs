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

use hkdf::Hkdf;
use sha2::{Digest, Sha256, Sha384};
use zeroize::Zeroizing;

pub use self::secret::MachineSecret;
use crate::{Evidence, TeeError};
use blueprint::Blueprint;
use quote::Registers;
use subrosa_types::id::TeeKind;

mod secret;

/// SHA-256 of the development root's SubjectPublicKeyInfo: `rootId` of all software evidence.
pub const DEVELOPMENT_ROOT_ID: [u8; 32] = [
    0x5f, 0x18, 0xa1, 0xe3, 0x4e, 0x91, 0xef, 0x96, 0x49, 0x74, 0x3f, 0x42, 0x3d, 0xd5, 0x73, 0x87,
    0x01, 0x4b, 0xf3, 0xe6, 0x0c, 0xa4, 0x9f, 0x7b, 0x51, 0xd8, 0xad, 0xfb, 0xcf, 0x70, 0xbf, 0xc4,
];

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
            collateral,
        }
    }

    pub(crate) fn extend_config(&mut self, config_hash: &[u8; 32]) -> Result<(), TeeError> {
        if self.configured {
            return Err(TeeError::AlreadyConfigured);
        }
        let [.., rtmr3] = &mut self.registers.rtmr;
        *rtmr3 = extend(rtmr3, config_hash);
        self.configured = true;
        Ok(())
    }

    pub(crate) fn quote(&self, report_data: &[u8; 64]) -> Evidence {
        Evidence {
            kind: TeeKind::Tdx,
            quote: quote::quote(&self.blueprint, &self.registers, report_data),
            collateral: Some(self.collateral.clone()),
        }
    }

    pub(crate) fn sealing_key(&self, context: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let secret = self.secret.as_ref()?;
        let registers = [&self.registers.mrtd[..], &self.registers.rtmr.concat()[..]].concat();
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(SEALING_SALT), secret.expose())
            .expand_multi_info(&[&Sha256::digest(registers), context], key.as_mut())
            .ok()?;
        Some(key)
    }

    pub(crate) fn measurement(&self) -> [u8; 192] {
        let mut measurement = [0; 192];
        let [rtmr0, rtmr1, rtmr2, _] = &self.registers.rtmr;
        let parts = [&self.registers.mrtd, rtmr0, rtmr1, rtmr2];
        for (to, from) in measurement.chunks_exact_mut(48).zip(parts) {
            to.copy_from_slice(from);
        }
        measurement
    }
}

/// Evidence and collateral made from `blueprint`, sound or not.
#[cfg(feature = "forge")]
pub(crate) fn evidence_of(
    blueprint: &Blueprint,
    registers: &Registers,
    report_data: &[u8; 64],
) -> Evidence {
    Evidence {
        kind: TeeKind::Tdx,
        quote: quote::quote(blueprint, registers, report_data),
        collateral: Some(collateral::collateral(blueprint)),
    }
}

/// What TDG.MR.RTMR.EXTEND does to a register, with SHA-384 of `data` as the 48 bytes that are
/// extended: SHA-384(register ‖ SHA-384(data)).
pub(crate) fn extend(register: &[u8; 48], data: &[u8]) -> [u8; 48] {
    Sha384::new()
        .chain_update(register)
        .chain_update(Sha384::digest(data))
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
