// SPDX-License-Identifier: Apache-2.0
//! Software evidence with chosen faults, for the negative tests of everything that verifies.
//!
//! Signatures are always made *after* the fault, except where the fault is a broken signature: a
//! verifier that catches the fault has understood it and not merely noticed a changed byte.

use subrosa_evidence::EvidenceBundle;

use crate::software::blueprint::Blueprint;
use crate::software::quote::Registers;
use crate::software::{evidence_of, extend};

/// Builds evidence, sound until told otherwise.
#[derive(Clone, Debug)]
pub struct Forge {
    blueprint: Blueprint,
    registers: Registers,
    report_data: [u8; 64],
}

/// One thing that is wrong with evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The TD has its DEBUG attribute set.
    DebugTd,
    /// The TD has a profiling attribute (PERFMON group of TUD) set.
    ProfilingTd,
    /// The TD can be migrated.
    MigratableTd,
    /// The TD does not have SEPT_VE_DISABLE.
    SeptVeEnabled,
    /// A reserved attribute bit of the TD is set.
    ReservedTdAttribute,
    /// The hierarchy hangs from a root that nobody pinned.
    ForeignRoot,
    /// Names and layout of the development root, but another key.
    ImpostorRoot,
    /// TCB info ran out at the end of January 2026.
    ExpiredTcbInfo,
    /// TCB info is issued in 2050.
    FutureTcbInfo,
    /// QE identity ran out at the end of January 2026.
    ExpiredQeIdentity,
    /// The revocation lists ran out at the end of January 2026.
    ExpiredRevocationLists,
    /// Every certificate ran out at the end of January 2026.
    ExpiredCertificates,
    /// The PCK certificate is revoked.
    RevokedPck,
    /// The PCK CA is revoked.
    RevokedPckCa,
    /// The TCB signing certificate is revoked.
    RevokedTcbSigner,
    /// TCB info was changed after it was signed.
    TamperedTcbInfo,
    /// QE identity was changed after it was signed.
    TamperedQeIdentity,
    /// TCB info is about other hardware.
    ForeignFmspc,
    /// The platform's TCB level is out of date.
    OutOfDate,
    /// The platform's TCB level needs configuration.
    ConfigurationNeeded,
    /// The platform's TCB level needs software hardening.
    SwHardeningNeeded,
    /// The platform's TCB level is revoked.
    RevokedTcbLevel,
    /// The quoting enclave's TCB level is out of date.
    OutOfDateQe,
    /// The quoting enclave runs in debug mode.
    DebugQe,
    /// The quoting enclave is signed by somebody else.
    ForeignQe,
    /// The quote is signed by a key that the quoting enclave did not vouch for.
    ForeignAttestationKey,
}

impl Forge {
    /// Sound evidence of a guest with an all-zero MRTD, unconfigured, with zero report data.
    pub fn new() -> Self {
        Self {
            blueprint: Blueprint::development([0; 16]),
            registers: Registers {
                mrtd: [0; 48],
                rtmr: [[0; 48]; 4],
            },
            report_data: [0; 64],
        }
    }

    /// Sets MRTD.
    pub fn mrtd(mut self, mrtd: [u8; 48]) -> Self {
        self.registers.mrtd = mrtd;
        self
    }

    /// Extends RTMR3 with `config_hash`, as an enclave does when it starts.
    pub fn config(mut self, config_hash: [u8; 32]) -> Self {
        let [.., rtmr3] = &mut self.registers.rtmr;
        *rtmr3 = extend(rtmr3, &config_hash);
        self
    }

    /// Sets the report data.
    pub fn report_data(mut self, report_data: [u8; 64]) -> Self {
        self.report_data = report_data;
        self
    }

    /// Names the machine.
    pub fn ppid(mut self, ppid: [u8; 16]) -> Self {
        self.blueprint.machine.ppid = ppid;
        self
    }

    /// Sets `tcbEvaluationDataNumber` in TCB info and QE identity.
    pub fn tcb_evaluation(mut self, number: u32) -> Self {
        self.blueprint.tcb_evaluation = number;
        self
    }

    /// Adds a fault.
    pub fn fault(mut self, fault: Fault) -> Self {
        let b = &mut self.blueprint;
        match fault {
            Fault::DebugTd => b.td_attributes[0] |= 0x01,
            Fault::ProfilingTd => b.td_attributes[0] |= 0x10,
            Fault::MigratableTd => b.td_attributes[3] |= 0x20,
            Fault::SeptVeEnabled => b.td_attributes[3] &= !0x10,
            Fault::ReservedTdAttribute => b.td_attributes[4] |= 0x01,
            Fault::ForeignRoot => {
                b.authority.prefix = "Elsewhere";
                b.authority.root_key = "foreign-root";
            }
            Fault::ImpostorRoot => b.authority.root_key = "impostor-root",
            Fault::ExpiredTcbInfo => b.tcb_info_next_update = EARLY,
            Fault::FutureTcbInfo => b.tcb_info_issued = LATE,
            Fault::ExpiredQeIdentity => b.qe_identity_next_update = EARLY,
            Fault::ExpiredRevocationLists => b.authority.crl_next_update = EARLY,
            Fault::ExpiredCertificates => b.authority.not_after = EARLY,
            Fault::RevokedPck => b.authority.pck_revoked = true,
            Fault::RevokedPckCa => b.authority.pck_ca_revoked = true,
            Fault::RevokedTcbSigner => b.authority.tcb_signer_revoked = true,
            Fault::TamperedTcbInfo => b.tamper_tcb_info = true,
            Fault::TamperedQeIdentity => b.tamper_qe_identity = true,
            Fault::ForeignFmspc => b.tcb_info_fmspc[0] ^= 0xff,
            Fault::OutOfDate => b.tcb_status = "OutOfDate",
            Fault::ConfigurationNeeded => b.tcb_status = "ConfigurationNeeded",
            Fault::SwHardeningNeeded => b.tcb_status = "SWHardeningNeeded",
            Fault::RevokedTcbLevel => b.tcb_status = "Revoked",
            Fault::OutOfDateQe => b.qe_status = "OutOfDate",
            Fault::DebugQe => b.qe_attributes[0] |= 0x02,
            Fault::ForeignQe => b.qe_mrsigner[0] ^= 0xff,
            Fault::ForeignAttestationKey => b.foreign_attestation_key = true,
        }
        self
    }

    /// The evidence, with its collateral.
    #[expect(
        clippy::expect_used,
        reason = "no fault makes a part larger, and this is linked into tests alone"
    )]
    pub fn evidence(&self) -> EvidenceBundle {
        evidence_of(&self.blueprint, &self.registers, &self.report_data)
            .expect("a forged quote and its collateral have the size of genuine ones")
    }
}

impl Default for Forge {
    fn default() -> Self {
        Self::new()
    }
}

const EARLY: &str = "2026-01-31T00:00:00Z";
const LATE: &str = "2050-01-01T00:00:00Z";
