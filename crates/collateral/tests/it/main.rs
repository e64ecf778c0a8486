// SPDX-License-Identifier: Apache-2.0
//! What vendors publish, over real HTTP on loopback, with a clock that the tests hold.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests: a panic is the report"
)]

mod collector;
mod family;
mod forged;
