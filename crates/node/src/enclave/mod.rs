// SPDX-License-Identifier: Apache-2.0
//! The host's end of the connection to the enclave.
//!
//! [`EnclaveLink`] is the port, at the level of frames; a [`Link`] on top of it knows what can be
//! asked. An enclave that is a process behind a Unix socket is one implementation.

mod error;
mod link;
mod port;
mod unix;

pub use self::{
    error::{ConnectError, EnclaveError, StreamError},
    port::{EnclaveLink, Enclaves, greeted, hello},
};
pub(crate) use self::{link::Link, unix::UnixEnclaves};
