// SPDX-License-Identifier: Apache-2.0
//! Everything about software evidence that a test may want to spoil, with its sound values.

use sha2::{Digest, Sha256, Sha384};

use super::pki::{Authority, Machine};

/// The inputs of collateral and quote, beside the measurement registers and the report data.
#[derive(Clone, Debug)]
pub(crate) struct Blueprint {
    pub(crate) authority: Authority,
    pub(crate) machine: Machine,
    /// `TEE_TCB_SVN`: module SVN, module version, microcode SVN, zeros.
    pub(crate) tee_tcb_svn: [u8; 16],
    /// `ATTRIBUTES` of the TD: SEPT_VE_DISABLE alone.
    pub(crate) td_attributes: [u8; 8],
    pub(crate) tcb_info_issued: &'static str,
    pub(crate) tcb_info_next_update: &'static str,
    pub(crate) tcb_info_fmspc: [u8; 6],
    /// Status of the level that the machine meets.
    pub(crate) tcb_status: &'static str,
    pub(crate) tcb_evaluation: u32,
    pub(crate) qe_identity_next_update: &'static str,
    pub(crate) qe_status: &'static str,
    /// Attributes of the quoting enclave: INIT and provisioning key.
    pub(crate) qe_attributes: [u8; 16],
    pub(crate) qe_mrsigner: [u8; 32],
    /// Change the JSON after signing it.
    pub(crate) tamper_tcb_info: bool,
    pub(crate) tamper_qe_identity: bool,
    /// Put a key into the quote that the quoting enclave did not vouch for.
    pub(crate) foreign_attestation_key: bool,
}

impl Blueprint {
    /// What the software TEE emits on the machine that `ppid` names.
    pub(crate) fn development(ppid: [u8; 16]) -> Self {
        let fmspc = [0x00, 0x5b, 0xd5, 0x00, 0x00, 0x00];
        Self {
            authority: Authority {
                prefix: "Subrosa Development",
                root_key: "root",
                not_before: VALID_FROM,
                not_after: VALID_TO,
                crl_next_update: VALID_TO,
                pck_revoked: false,
                pck_ca_revoked: false,
                tcb_signer_revoked: false,
            },
            machine: Machine {
                ppid,
                platform_instance: ppid,
                cpu_svn: [2, 2, 2, 2, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0],
                pce_svn: 13,
                pce_id: [0, 0],
                fmspc,
            },
            tee_tcb_svn: [5, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            td_attributes: (1u64 << 28).to_le_bytes(),
            tcb_info_issued: VALID_FROM,
            tcb_info_next_update: VALID_TO,
            tcb_info_fmspc: fmspc,
            tcb_status: "UpToDate",
            tcb_evaluation: TCB_EVALUATION,
            qe_identity_next_update: VALID_TO,
            qe_status: "UpToDate",
            qe_attributes: [0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            qe_mrsigner: qe_mrsigner(),
            tamper_tcb_info: false,
            tamper_qe_identity: false,
            foreign_attestation_key: false,
        }
    }
}

/// First second at which software evidence verifies.
pub(crate) const VALID_FROM: &str = "2026-01-01T00:00:00Z";

/// End of the window, long enough that no build needs a clock.
pub(crate) const VALID_TO: &str = "2056-01-01T00:00:00Z";

/// `tcbEvaluationDataNumber` of the development collateral.
pub(crate) const TCB_EVALUATION: u32 = 17;

/// ISVPRODID of the TD quoting enclave, as Intel's.
pub(crate) const QE_PRODUCT: u16 = 2;

/// ISVSVN of the TD quoting enclave.
pub(crate) const QE_SVN: u16 = 4;

/// MRSIGNER of the pretended quoting enclave.
pub(crate) fn qe_mrsigner() -> [u8; 32] {
    Sha256::digest(b"subrosa.v1.development-quoting-enclave").into()
}

/// MRSEAM of the pretended TDX module.
pub(crate) fn mr_seam() -> [u8; 48] {
    Sha384::digest(b"subrosa.v1.development-tdx-module").into()
}
