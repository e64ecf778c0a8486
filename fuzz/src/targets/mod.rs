// SPDX-License-Identifier: Apache-2.0
//! One file for each target.

mod azure;
mod bundle;
mod ear;
mod files;
mod nitro;
mod policy;
mod sgx;
mod snp;
mod target;
mod tdx;

pub use target::Target;

/// Every target.
pub const TARGETS: [Target; 9] = [
    azure::TARGET,
    bundle::TARGET,
    ear::TARGET,
    files::TARGET,
    nitro::TARGET,
    policy::TARGET,
    sgx::TARGET,
    snp::TARGET,
    tdx::TARGET,
];

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
