// SPDX-License-Identifier: Apache-2.0
//! Whole nodes, from the outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use subrosa_node::config;

mod fake_chain;
mod rpc;
