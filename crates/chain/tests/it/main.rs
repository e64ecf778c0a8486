// SPDX-License-Identifier: Apache-2.0
//! Following and sending on a live node.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../../../chain-proof/tests/it/anvil.rs"]
mod anvil;
mod contracts;
mod follow;
mod proxy;
mod scene;
mod send;
