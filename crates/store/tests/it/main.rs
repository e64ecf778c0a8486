// SPDX-License-Identifier: Apache-2.0
//! The conformance suite over the embedded store, and what is particular to it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod embedded;
