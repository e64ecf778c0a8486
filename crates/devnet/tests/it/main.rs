// SPDX-License-Identifier: Apache-2.0
//! Real processes, end to end: killed, rolled back, lied to.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod command_line;
mod failpoints;
mod governed;
mod scene;
mod workload;

mod boundary;
mod by_quote;
mod chain_port;
mod changes;
mod fees;
mod kills;
mod leases;
mod losses;
mod memory;
mod proxy;
mod refusals;
mod sessions;
mod stale;
mod stateless;
mod through_chain;
