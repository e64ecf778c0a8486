// SPDX-License-Identifier: Apache-2.0
//! The enclave against a scripted host and a synthetic chain with real Merkle-Patricia proofs.

mod chain;
mod guest;
mod harness;

mod bring_up;
mod calls;
mod deployment;
mod proofs;
mod queries;
mod rollback;
mod stream;
