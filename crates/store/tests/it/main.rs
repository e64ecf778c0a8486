// SPDX-License-Identifier: Apache-2.0
//! The conformance suite over every store of this crate, and what is particular to each.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod embedded;
mod memory;
