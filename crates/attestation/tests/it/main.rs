// SPDX-License-Identifier: Apache-2.0
//! Evidence, attestation results and admissions, end to end: the software TEE quotes, this crate
//! judges.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests: a panic is the report, and genuine vectors are files"
)]

mod admission;
mod ear;
mod evidence;
mod fixture;
mod flips;
mod mutation;
mod negatives;
mod vectors;
