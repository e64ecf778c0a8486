// SPDX-License-Identifier: Apache-2.0
//! Evidence, attestation results and admissions, end to end: the software TEE quotes, this crate
//! judges.

mod admission;
mod ear;
mod evidence;
mod fixture;
mod mutation;
mod vectors;
