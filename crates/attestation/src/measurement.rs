// SPDX-License-Identifier: Apache-2.0
//! Measurements: from bytes to the ids that clients pin and the registry lists.

use alloy_primitives::{B256, keccak256};
use sha2::{Digest, Sha384};
use subrosa_evidence::DEVELOPMENT_ROOT_ID;
use subrosa_types::id::{TeeKind, measurement_id};

/// MRTD ‖ RTMR0 ‖ RTMR1 ‖ RTMR2: everything that started in a TD, up to its configuration.
pub fn tdx_measurement(mrtd: &[u8; 48], rtmr: [&[u8; 48]; 3]) -> [u8; 192] {
    let mut measurement = [0; 192];
    let parts = core::iter::once(mrtd).chain(rtmr);
    for (to, from) in measurement.chunks_exact_mut(48).zip(parts) {
        to.copy_from_slice(from);
    }
    measurement
}

/// What the software TEE reports for an executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoftwareMeasurement {
    /// SHA-384 of the executable.
    pub mrtd: [u8; 48],
    /// [`tdx_measurement`] with RTMR0 to RTMR2 zero.
    pub measurement: [u8; 192],
    /// keccak256 of `measurement`.
    pub hash: B256,
    /// H\["measurement"\](development root, TDX, `hash`).
    pub id: B256,
}

/// Computes what `executable` (the whole file) will report under the software TEE, without running
/// it.
pub fn measurement_of_executable(executable: &[u8]) -> SoftwareMeasurement {
    let mrtd = Sha384::digest(executable).into();
    let measurement = tdx_measurement(&mrtd, [&[0; 48]; 3]);
    let hash = keccak256(measurement);
    let id = measurement_id(DEVELOPMENT_ROOT_ID, TeeKind::Tdx, hash);
    SoftwareMeasurement {
        mrtd,
        measurement,
        hash,
        id,
    }
}
