// SPDX-License-Identifier: Apache-2.0
//! The host: everything a node does that needs no trust.
//!
//! It follows the oracle, feeds the enclave, stores what comes out, sends it to the chain, and
//! answers clients. It holds no secret but the key of the account that pays for gas, and nothing
//! it does wrong can change a result: at worst there is none.
//!
//! It stands on four ports, each a trait with a conformance suite (feature `conformance`): the
//! enclave ([`Enclaves`], [`EnclaveLink`]), the chain ([`Chain`]), time ([`Clock`]) and storage
//! ([`subrosa_store::Storage`]). [`start`] builds the real ones from a configuration file;
//! [`start_with`] takes whichever it is given, and listens nowhere.
//!
//! | module | does |
//! |---|---|
//! | [`config`] | the configuration file |
//! | `enclave` | the enclave port; a process behind a Unix socket |
//! | `chain` | the chain port; a chain behind JSON-RPC |
//! | `clock` | the clock port; the machine's clock |
//! | `transactions` | noting transactions down, sending them, going on with them after a crash |
//! | `bringup` | from a connection to an admitted enclave that holds the epoch's key |
//! | `loading` | contracts into the enclave, when something needs them |
//! | `follow` | oracle events into the store |
//! | `execute` | stored entries into stored results, one task per contract |
//! | `relay` | stored results onto the chain, one transaction at a time |
//! | `mailbox` | code and challenges that come through the chain |
//! | `rpc`, `admin` | what clients and operators ask |
//! | `node`, `run` | all of it wired up: on any ports, on the real ones |
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
mod chain;
mod clock;
pub mod config;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod enclave;
mod error;
mod execute;
mod failpoint;
#[cfg(test)]
#[path = "../tests/it/fake_chain.rs"]
mod fake_chain;
mod follow;
mod gas;
mod latency;
mod loading;
mod mailbox;
mod metrics;
mod node;
mod places;
mod readiness;
mod receipt;
mod relay;
mod rewinds;
mod rpc;
mod run;
mod serving;
mod settings;
pub mod shutdown;
mod signals;
mod stateless;
mod step;
mod stops;
mod transactions;
mod verifier;

pub use bringup::BringupError;
pub use chain::{
    AlloyChain, AlloyOptions, Chain, ChainAccessError, ChainAccount, ChainEvents, ChainFeed,
    ChainView, DcapContract, InFlight, Lease, MAX_SLOTS, Mined, Note, StartingPoint, Transaction,
};
pub use clock::{Clock, SystemClock};
pub use config::{Config, ConfigError};
pub use enclave::{ConnectError, EnclaveError, EnclaveLink, Enclaves, StreamError, greeted, hello};
pub use error::RunError;
pub use follow::FollowError;
pub use loading::LoadError;
pub use node::{Node, Ports, start_with};
pub use rpc::{Api, RpcError, ServeError};
pub use run::{Running, run, start};
pub use settings::{Mailbox, Settings};
pub use verifier::{Verifier, VerifierError};
