// SPDX-License-Identifier: Apache-2.0
//! Proofs as a live node gives them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod anvil;
mod arbitrum;
mod live;
mod mutations;
mod trust;
