// SPDX-License-Identifier: Apache-2.0
//! Node and enclave in one process, on a simulated chain, clock and store: for tests alone.
//!
//! It is the one place that links the host and the state machine together, and nothing depends on
//! it. What runs is real: the node's components, the enclave's state machine with a real EVM, real
//! envelopes, state tries and proofs. What stands in is what a node is built on: the chain
//! ([`SimulatedChain`]), time ([`SimulatedClock`]), the machine that runs the enclave ([`Machine`])
//! and the store ([`subrosa_store::Memory`]), each held to the conformance suite that the real one
//! passes.
//!
//! On a current-thread runtime with paused time a run is a function of its seed.
#![forbid(unsafe_code)]

mod chain;
mod client;
mod clock;
mod machine;
mod world;

pub use chain::{Contracts, Request, Revert, SimulatedChain, code_parts};
pub use client::{Client, Code};
pub use clock::SimulatedClock;
pub use machine::Machine;
pub use world::{OWNER, World};
