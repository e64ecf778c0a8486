// SPDX-License-Identifier: Apache-2.0
//! The enclave against a scripted host and a synthetic chain with real Merkle-Patricia proofs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod chain;
mod guest;
mod harness;

mod bring_up;
mod calls;
mod deployment;
mod epochs;
mod proofs;
mod queries;
mod reassignment;
mod rollback;
mod sessions;
mod upgrades;
