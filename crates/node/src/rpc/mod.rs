// SPDX-License-Identifier: Apache-2.0
//! What clients ask: as plain functions ([`Api`]), and as JSON-RPC over HTTP and websocket.
//!
//! Parameters and results are in [`subrosa_types::rpc`], errors in the `error` module's table, and
//! all of it in `docs/openrpc.json`, which `rpc.discover` returns.

mod api;
mod attest;
mod caller;
mod context;
mod deploy;
mod entry;
mod error;
mod listen;
mod openrpc;
mod quotas;
mod server;
mod state;

pub use self::{api::Api, error::RpcError, server::ServeError};
pub(crate) use self::{
    context::{Context, MAX_ENVELOPE_BYTES},
    server::{Served, serve},
};
