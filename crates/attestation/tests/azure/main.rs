// SPDX-License-Identifier: Apache-2.0
//! What clouds put between hardware and guest: the evidence of Azure confidential VMs, the TPM
//! quotes it rests on. Forged with faults, and genuine.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests: a panic is the report, and genuine vectors are files"
)]

mod faults;
#[path = "../forge/snp.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the tests of SEV-SNP, which use the rest"
)]
mod forge_snp;
mod genuine;
mod json;
mod quote;
mod tpm;
mod vm;
