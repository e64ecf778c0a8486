// SPDX-License-Identifier: Apache-2.0
//! The signed fields of a report, by AMD's names.

use alloc::vec;
use alloc::vec::Vec;

use super::report::{FirmwareVersion, Report};
use super::vek::{Holder, Vek};
use crate::Register;

/// What the report says beside the claims every kind has. Numbers are big-endian; a TCB_VERSION
/// and a CPUID are as the report has them; versions are major, minor, build.
pub(super) fn of(report: &Report, vek: &Vek) -> Vec<Register> {
    let mut registers = vec![
        Register::new("version", &report.version.to_be_bytes()),
        Register::new("guest_svn", &report.guest_svn.to_be_bytes()),
        Register::new("policy", &report.policy.0.to_be_bytes()),
        Register::new("family_id", &report.family_id),
        Register::new("image_id", &report.image_id),
        Register::new("platform_info", &report.platform_info.to_be_bytes()),
        Register::new("key_info", &report.key_info.0.to_be_bytes()),
        Register::new("host_data", &report.host_data),
        Register::new("id_key_digest", &report.id_key_digest),
        Register::new("author_key_digest", &report.author_key_digest),
        Register::new("report_id", &report.report_id),
        Register::new("report_id_ma", &report.report_id_ma),
        Register::new("reported_tcb", &report.reported_tcb.0),
        Register::new("current_tcb", &report.current_tcb.0),
        Register::new("committed_tcb", &report.committed_tcb.0),
        Register::new("launch_tcb", &report.launch_tcb.0),
        Register::new("current_version", &version(report.current_version)),
        Register::new("committed_version", &version(report.committed_version)),
        Register::new("chip_id", &report.chip_id),
    ];
    if let Some(cpuid) = report.cpuid {
        let cpuid = [cpuid.family, cpuid.model, cpuid.stepping];
        registers.push(Register::new("cpuid", &cpuid));
    }
    if let Some(vectors) = report.mitigations {
        let (launch, current) = (vectors.launch.to_be_bytes(), vectors.current.to_be_bytes());
        registers.push(Register::new("launch_mit_vector", &launch));
        registers.push(Register::new("current_mit_vector", &current));
    }
    if let Holder::Provider(id) = &vek.holder {
        registers.push(Register::new("csp_id", id.as_bytes()));
    }
    registers
}

fn version(version: FirmwareVersion) -> [u8; 3] {
    [version.major, version.minor, version.build]
}
