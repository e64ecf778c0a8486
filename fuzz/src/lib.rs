// SPDX-License-Identifier: Apache-2.0
//! Fuzz targets over everything that parses what strangers hand over: evidence of each kind,
//! bundles, files, attestation results, policies.
//!
//! A target is a plain function of bytes that panics if what it looks at breaks a promise: not only
//! that nothing panics, but that evidence is accepted only if it says what its hardware signed,
//! that encodings are unique, that no laxity of a policy goes unnamed. Three things drive the same
//! targets: a test with a fixed seed, on every change; the executable `subrosa-fuzz`, for as long
//! as one likes; and libFuzzer, guided by coverage, from the workspace in `libfuzzer/`.
//!
//! Inputs come from sound evidence, forged here with keys of our own, from the small files under
//! `corpus/`, and, where `SUBROSA_VECTORS` names a directory, from genuine evidence.
#![forbid(unsafe_code)]

mod corpus;
mod evidence;
#[path = "../../crates/attestation/tests/forge/mod.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared with the tests of the verifier, which use the rest; a panic is the report"
)]
mod forge;
mod harness;
mod mutate;
mod targets;

pub use harness::{Case, Tally, replay, run_case};
pub use targets::{TARGETS, Target, target};
