// SPDX-License-Identifier: Apache-2.0
//! The host: everything a node does that needs no trust.
//!
//! It follows the oracle, feeds the enclave, stores what comes out, sends it to the chain, and
//! answers clients. It holds no secret but the key of the account that pays for gas, and nothing
//! it does wrong can change a result: at worst there is none.
//!
//! | module | does |
//! |---|---|
//! | [`config`] | the configuration file |
//! | `enclave` | the framed stream to the enclave, and its process |
//! | `bringup` | from a socket to an admitted enclave with everything loaded |
//! | `follow` | oracle events into the store |
//! | `execute` | stored entries into stored results, one task per contract |
//! | `relay` | stored results onto the chain, one transaction at a time |
//! | `rpc`, `admin` | what clients and operators ask |
//!
//! Any of it may be killed at any time. What is on chain is fetched again from the cursor on; a
//! deployment is stored before it is acknowledged; a result is stored before it is sent; and the
//! oracle takes each result once, however often it is sent.
//!
//! Start at [`run()`].
#![forbid(unsafe_code)]

mod admin;
mod backoff;
mod bringup;
pub mod config;
mod enclave;
mod execute;
mod failpoint;
#[cfg(test)]
mod fake_chain;
mod follow;
mod host;
mod latency;
mod ledger;
mod metrics;
mod receipt;
mod relay;
mod rpc;
mod run;
mod serving;
pub mod shutdown;
mod verifier;

pub use bringup::BringupError;
pub use config::{Config, ConfigError};
pub use enclave::{ConnectError, EnclaveError};
pub use follow::FollowError;
pub use ledger::LedgerError;
pub use rpc::ServeError;
pub use run::{RunError, Running, run, start};
pub use serving::LoadError;
pub use verifier::VerifierError;
