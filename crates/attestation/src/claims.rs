// SPDX-License-Identifier: Apache-2.0
//! What evidence says.

use std::fmt;

use alloy_primitives::{B256, Bytes, FixedBytes};
use serde::{Deserialize, Serialize};
use subrosa_types::id::TeeKind;

use crate::{Binding, is_development};

/// What hardware says about an enclave, the same for every kind of TEE.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    /// The kind of TEE.
    pub tee: TeeKind,
    /// SHA-256 of the SubjectPublicKeyInfo of the root that the evidence hangs from.
    pub root_id: B256,
    /// What runs; for TDX MRTD ‖ RTMR0 ‖ RTMR1 ‖ RTMR2, 192 bytes.
    pub measurement: Bytes,
    /// keccak256 of `measurement`.
    pub measurement_hash: B256,
    /// H\["measurement"\](rootId, teeKind, measurementHash).
    pub measurement_id: B256,
    /// Where the configuration hash was extended; for TDX RTMR3.
    pub config_register: FixedBytes<48>,
    /// What the enclave asked to be quoted.
    pub report_data: FixedBytes<64>,
    /// The debug byte of the TEE's attributes (TDX: TUD); zero is neither debugged nor profiled.
    pub debug: u8,
    /// How up to date the platform is.
    pub tcb_status: TcbStatus,
    /// Security advisories that apply to it.
    pub advisories: Vec<String>,
    /// Which TCB recovery that was judged by: the lower number of TCB info and QE identity.
    pub tcb_evaluation: u32,
    /// H\["machine"\](rootId, teeKind, keccak256(hardware identity)).
    pub machine_id: B256,
    /// When the first piece of the collateral runs out, Unix seconds.
    pub collateral_expires: u64,
    /// keccak256 of the signed part of the quote (header and report), which is all that the
    /// claims depend on: quotes that differ only in unsigned bytes, or in the form of an ECDSA
    /// signature, are the same evidence.
    pub evidence_hash: B256,
}

impl Claims {
    /// Whether this is software evidence, which protects nothing.
    pub fn is_development(&self) -> bool {
        is_development(self.root_id)
    }
}

/// Claims together with what they were found to bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// What hardware says.
    pub claims: Claims,
    /// The preimages of the first half of the report data.
    pub binding: Binding,
    /// The preimage of the second half.
    pub challenge: Vec<u8>,
    /// Whether the measurement was compared with a list. If not, whoever uses this must.
    pub measurement_appraised: bool,
    /// [`Policy::hash`](crate::Policy::hash) of the policy that was applied.
    pub policy_hash: B256,
}

/// How up to date a platform is, in Intel's words; the number is the one in admissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
#[non_exhaustive]
pub enum TcbStatus {
    /// Nothing to do.
    UpToDate = 1,
    /// Software inside the TEE must mitigate something.
    #[serde(rename = "SWHardeningNeeded")]
    SwHardeningNeeded = 2,
    /// The platform's configuration must change.
    ConfigurationNeeded = 3,
    /// Both.
    #[serde(rename = "ConfigurationAndSWHardeningNeeded")]
    ConfigurationAndSwHardeningNeeded = 4,
    /// Firmware or microcode must be updated.
    OutOfDate = 5,
    /// Updated and configured.
    OutOfDateConfigurationNeeded = 6,
    /// The TD started on an outdated TCB that has since been updated.
    #[serde(rename = "TDRelaunchAdvised")]
    TdRelaunchAdvised = 7,
    /// The same, and the configuration must change.
    #[serde(rename = "TDRelaunchAdvisedConfigurationNeeded")]
    TdRelaunchAdvisedConfigurationNeeded = 8,
}

impl fmt::Display for TcbStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UpToDate => "UpToDate",
            Self::SwHardeningNeeded => "SWHardeningNeeded",
            Self::ConfigurationNeeded => "ConfigurationNeeded",
            Self::ConfigurationAndSwHardeningNeeded => "ConfigurationAndSWHardeningNeeded",
            Self::OutOfDate => "OutOfDate",
            Self::OutOfDateConfigurationNeeded => "OutOfDateConfigurationNeeded",
            Self::TdRelaunchAdvised => "TDRelaunchAdvised",
            Self::TdRelaunchAdvisedConfigurationNeeded => "TDRelaunchAdvisedConfigurationNeeded",
        })
    }
}
