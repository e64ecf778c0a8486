// SPDX-License-Identifier: Apache-2.0
//! The chain as a host uses it: bindings, following the oracle's log, storage proofs, sending.
//!
//! - [`bindings`] are generated from the committed artifacts, [`deploy()`] puts the contracts there.
//! - [`Follower`] yields the oracle's logs in order and says when the chain took some back.
//! - [`fetch_proofs`] collects what an enclave needs to believe slots.
//! - [`mailbox`] is what passes through the chain for clients that reach no node.
//! - [`dcap`] is what the chain takes of Intel's collateral and quotes.
//! - [`Sender`] owns the nonces of one key and sees each transaction through.
//!
//! Nothing here is trusted by an enclave; what a node answers is checked only as far as the host's
//! own decisions depend on it.
#![forbid(unsafe_code)]

pub mod bindings;
mod block;
mod convert;
mod data_fee;
pub mod dcap;
mod deploy;
mod endpoint;
mod error;
pub mod follow;
pub mod mailbox;
mod proof;
mod ranges;
mod reason;
pub mod send;

pub use data_fee::DataFees;
pub use deploy::{Deployment, DeploymentParameters, deploy};
pub use endpoint::{Endpoints, connect};
pub use error::ChainError;
pub use follow::{Event, Follower};
pub use proof::{FetchedSlot, code_hash, fetch_block, fetch_header, fetch_proofs};
pub use ranges::{block_before, logs_newest_first};
pub use reason::revert_reason;
pub use send::Sender;
