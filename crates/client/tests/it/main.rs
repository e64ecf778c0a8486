// SPDX-License-Identifier: Apache-2.0
//! A client against a scripted node and a scripted chain: whatever they make up, the client
//! refuses by name, and nothing encrypted reaches them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests: a panic is the report"
)]

mod receipts;
mod refusals;
mod replies;
mod server;
mod stated;
mod through_chain;
mod world;
