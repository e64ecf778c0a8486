// SPDX-License-Identifier: Apache-2.0
//! A node and its enclave in one process.
//!
//! Time is simulated: nothing here sleeps, and nothing listens.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod catching_up;
mod conformance;
mod end_to_end;
mod guest;
mod hostile;
mod loading;
mod mailbox;
mod pipeline;
mod relay;
mod results;
mod stops;
mod way_out;
