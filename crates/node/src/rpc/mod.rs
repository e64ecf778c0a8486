// SPDX-License-Identifier: Apache-2.0
//! JSON-RPC: what clients ask, over HTTP and websocket.
//!
//! Parameters and results are in [`subrosa_types::rpc`], errors in the `error` module's table, and
//! all of it in `docs/openrpc.json`, which `rpc.discover` returns.

mod attest;
mod deploy;
mod entry;
mod error;
mod openrpc;
mod state;

use std::{net::SocketAddr, sync::Arc, time::Instant};

use jsonrpsee::{
    RpcModule,
    core::RegisterMethodError,
    server::{BatchRequestConfig, Server, ServerConfig, ServerHandle},
    types::ErrorObjectOwned,
};
use tokio::sync::Semaphore;

use self::error::RpcError;
use crate::host::Host;

/// What every method works with.
pub(crate) struct Context {
    host: Arc<Host>,
    /// Calls that may wait for the enclave or the verifier at once.
    waiting: Semaphore,
}

/// Listens until the handle is stopped. The address tells the port that was picked.
///
/// # Errors
///
/// If the address cannot be bound, or a method is registered twice.
pub(crate) async fn serve(host: Arc<Host>) -> Result<(SocketAddr, ServerHandle), ServeError> {
    let config = &host.config.rpc;
    let limits = ServerConfig::builder()
        .max_request_body_size(config.max_request_bytes)
        .max_response_body_size(MAX_RESPONSE_BYTES)
        .max_connections(config.max_connections)
        .max_subscriptions_per_connection(0)
        .set_message_buffer_capacity(MESSAGES_PER_CONNECTION)
        .set_batch_request_config(BatchRequestConfig::Limit(config.max_batch))
        .build();
    let server = Server::builder()
        .set_config(limits)
        .build(config.listen)
        .await?;
    let address = server.local_addr()?;
    Ok((address, server.start(module(Context::new(host))?)))
}

/// Why JSON-RPC is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be bound.
    #[error("cannot listen")]
    Listen(#[from] std::io::Error),
    /// A method is registered twice.
    #[error("cannot register a method")]
    Register(#[from] RegisterMethodError),
}

/// Every method.
fn module(context: Context) -> Result<RpcModule<Context>, RegisterMethodError> {
    let mut module = RpcModule::new(context);
    module.register_method("rpc.discover", |_, _, _| openrpc::document())?;
    module.register_async_method("subrosa_status", |_, context, _| async move {
        answer(&context, state::status(&context.host)).await
    })?;
    module.register_async_method("subrosa_attestation", |params, context, _| async move {
        let request = params.one()?;
        answer(&context, attest::attestation(&context, request)).await
    })?;
    module.register_async_method("subrosa_deploy", |params, context, _| async move {
        let request = params.one()?;
        answer(&context, deploy::deploy(&context, request)).await
    })?;
    module.register_async_method("subrosa_query", |params, context, _| async move {
        let request = params.one()?;
        answer(&context, state::query(&context, request)).await
    })?;
    module.register_async_method("subrosa_contract", |params, context, _| async move {
        let request = params.one()?;
        answer(&context, state::contract(&context, request)).await
    })?;
    module.register_async_method("subrosa_request", |params, context, _| async move {
        let request = params.one()?;
        answer(&context, entry::request(&context, request)).await
    })?;
    module.register_async_method("subrosa_receipt", |params, context, _| async move {
        let request = params.one()?;
        answer(&context, entry::receipt(&context, request)).await
    })?;
    Ok(module)
}

/// Waits for a method's result and counts it.
async fn answer<R>(
    context: &Context,
    method: impl Future<Output = Result<R, RpcError>>,
) -> Result<R, ErrorObjectOwned> {
    let metrics = &context.host.metrics.rpc;
    let started = Instant::now();
    let outcome = method.await;
    metrics.calls.increment(1);
    metrics.call_seconds.record(started.elapsed());
    outcome.map_err(|error| {
        metrics.errors.increment(1);
        error.into()
    })
}

impl Context {
    fn new(host: Arc<Host>) -> Self {
        Self {
            waiting: Semaphore::new(host.config.rpc.max_waiting),
            host,
        }
    }

    /// Waits for an answer of the enclave or the verifier, if not too many calls do already.
    async fn wait_for<T>(&self, answer: impl Future<Output = T>) -> Result<T, RpcError> {
        let _place = self.waiting.try_acquire().map_err(|_| RpcError::Busy)?;
        Ok(answer.await)
    }

    /// Refuses an envelope that no client would send.
    fn check_envelope(&self, envelope: &[u8]) -> Result<(), RpcError> {
        if envelope.len() > MAX_ENVELOPE_BYTES {
            return Err(RpcError::EnvelopeTooLarge {
                bytes: envelope.len(),
                most: MAX_ENVELOPE_BYTES,
            });
        }
        Ok(())
    }
}

/// Room for a receipt: an input and an output of the largest size, in hex, and much else.
const MAX_RESPONSE_BYTES: u32 = 4 << 20;
/// Answers that wait for a slow websocket client.
const MESSAGES_PER_CONNECTION: u32 = 64;
/// Largest envelope of a deployment or a query, bytes.
const MAX_ENVELOPE_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests;
