// SPDX-License-Identifier: Apache-2.0
//! A local development network of real processes.
//!
//! [`Devnet::start`] runs anvil, `subrosa verifier`, `subrosa-enclave` and `subrosa node` as child
//! processes with configuration files and logs in one directory, deploys the contracts, and writes
//! a deployment file for clients. Nothing is simulated: tests kill and restart the very processes
//! that run in production, and only the attestation's root is the development root, under which
//! anyone can make evidence. **It protects nothing from this machine.**
//!
//! Everything listens on loopback, on ports that the system picks. Everything is stopped, by pid,
//! when the [`Devnet`] is dropped; a devnet that is itself killed leaves its children behind.
#![forbid(unsafe_code)]

mod accounts;
mod anvil;
mod config;
mod contracts;
mod error;
mod executable;
mod layout;
mod network;
mod process;
mod ready;
mod service;
mod services;

pub use accounts::DevAccount;
pub use contracts::Contracts;
pub use error::DevnetError;
pub use executable::{Executable, NotFound};
pub use layout::Layout;
pub use network::{Devnet, Options};
pub use process::Process;
pub use service::Service;
