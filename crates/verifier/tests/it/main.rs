// SPDX-License-Identifier: Apache-2.0
//! The service over real HTTP on loopback, with a clock that the tests hold.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests: a panic is the report"
)]

mod amd;
mod azure;
mod fixture;
mod intel;
mod protocol;
mod revocation;
mod rotation;
mod signatures;
