// SPDX-License-Identifier: Apache-2.0
//! The command line as its users meet it: the executable, run as a process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests: a panic is the report"
)]

#[path = "../../../../crates/chain-proof/tests/it/anvil.rs"]
mod anvil;
mod collateral;
mod config;
mod errors;
mod evidence;
mod help;
mod local;
mod receipt;
mod run;
