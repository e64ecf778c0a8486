// SPDX-License-Identifier: Apache-2.0
//! The signed fields of a quote, by Intel's names.

use alloc::vec;
use alloc::vec::Vec;

use dcap_qvl::QuoteClaims;
use dcap_qvl::quote::{EnclaveReport, Report, TDReport10};

use crate::Register;

/// What the report says beside the claims every kind has, and of which platform.
pub(super) fn of(claims: &QuoteClaims) -> Vec<Register> {
    let mut registers = match &claims.report {
        Report::SgxEnclave(report) => of_enclave(report),
        Report::TD10(report) => of_td(report),
        Report::TD15(report) => {
            let mut registers = of_td(&report.base);
            registers.push(Register::new("tee_tcb_svn2", &report.tee_tcb_svn2));
            registers.push(Register::new("mrservicetd", &report.mr_service_td));
            registers
        }
        Report::TD15Ex(report) => {
            let mut registers = of_td(&report.base.base);
            registers.push(Register::new("tee_tcb_svn2", &report.base.tee_tcb_svn2));
            registers.push(Register::new("mrservicetd", &report.base.mr_service_td));
            registers
        }
    };
    registers.push(Register::new("fmspc", &claims.platform.pck.fmspc));
    registers
}

fn of_td(report: &TDReport10) -> Vec<Register> {
    vec![
        Register::new("tee_tcb_svn", &report.tee_tcb_svn),
        Register::new("mrseam", &report.mr_seam),
        Register::new("td_attributes", &report.td_attributes),
        Register::new("xfam", &report.xfam),
        Register::new("mrtd", &report.mr_td),
        Register::new("mrconfigid", &report.mr_config_id),
        Register::new("mrowner", &report.mr_owner),
        Register::new("mrownerconfig", &report.mr_owner_config),
        Register::new("rtmr0", &report.rt_mr0),
        Register::new("rtmr1", &report.rt_mr1),
        Register::new("rtmr2", &report.rt_mr2),
        Register::new("rtmr3", &report.rt_mr3),
    ]
}

/// Numbers are big-endian.
fn of_enclave(report: &EnclaveReport) -> Vec<Register> {
    vec![
        Register::new("cpusvn", &report.cpu_svn),
        Register::new("attributes", &report.attributes),
        Register::new("mrenclave", &report.mr_enclave),
        Register::new("mrsigner", &report.mr_signer),
        Register::new("isvprodid", &report.isv_prod_id.to_be_bytes()),
        Register::new("isvsvn", &report.isv_svn.to_be_bytes()),
    ]
}
