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

mod anchors;
mod attest;
mod bounds;
mod bring_up;
mod broken;
mod calls;
mod deployment;
mod epochs;
mod interleavings;
mod parallel;
mod proofs;
mod queries;
mod reassignment;
mod rollback;
mod sessions;
mod upgrades;
