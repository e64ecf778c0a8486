// SPDX-License-Identifier: Apache-2.0
//! What every implementation of a port must do, as suites that each of them runs in its tests.
//!
//! A suite is an asynchronous function that panics where the implementation does otherwise. Hangs
//! count as failures, after [`SOON`] on the machine's clock.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a suite fails by panicking"
)]

mod chain;
mod clock;
mod enclave;
mod patience;

pub use self::{
    chain::{ChainHarness, chain},
    clock::clock,
    enclave::{EnclaveHarness, enclave},
    patience::SOON,
};
