// SPDX-License-Identifier: Apache-2.0
//! Evidence, attestation results and admissions, end to end: the software TEE quotes, this crate
//! judges.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests: a panic is the report, and genuine vectors are files"
)]

mod admission;
mod azure;
mod ear;
mod evidence;
mod fixture;
mod flips;
#[path = "../forge/mod.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the benchmark and the fuzz targets, which use the rest"
)]
mod forge;
mod mutation;
mod negatives;
mod nitro;
mod snp;
mod vectors;
