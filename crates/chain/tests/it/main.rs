// SPDX-License-Identifier: Apache-2.0
//! Following and sending on a live node.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it has not run"
)]

mod agreement;
#[path = "../../../chain-proof/tests/it/anvil.rs"]
mod anvil;
mod contracts;
mod dcap;
mod follow;
mod proxy;
mod scene;
mod send;
#[path = "../../../attestation/tests/forge/sgx.rs"]
mod sgx;
