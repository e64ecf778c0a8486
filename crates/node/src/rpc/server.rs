// SPDX-License-Identifier: Apache-2.0
//! The methods over HTTP and websocket.

use std::{future::Future, net::SocketAddr, sync::Arc};

use jsonrpsee::{
    Extensions, RpcModule,
    core::RegisterMethodError,
    server::{BatchRequestConfig, PingConfig, ServerConfig, ServerHandle},
    types::ErrorObjectOwned,
};
use tokio::net::TcpListener;

use super::{
    api::Api,
    caller::Caller,
    error::RpcError,
    listen::Listening,
    openrpc,
    quotas::{Admitted, Kind, Quotas},
};
use crate::{
    clock::{Clock, elapsed},
    config,
    metrics::RpcMetrics,
};

/// What is served, and how it is measured.
pub(crate) struct Served {
    api: Api,
    quotas: Quotas,
    clock: Arc<dyn Clock>,
    metrics: RpcMetrics,
}

impl Served {
    /// `limits` holds for each client address.
    pub(crate) fn new(
        api: Api,
        limits: &config::Limits,
        clock: Arc<dyn Clock>,
        metrics: RpcMetrics,
    ) -> Self {
        Self {
            api,
            quotas: Quotas::new(limits, &clock),
            clock,
            metrics,
        }
    }

    /// Counts a call against what its sender may ask, until what is returned is dropped.
    fn admit(&self, kind: Kind, extensions: &Extensions) -> Result<Admitted, RpcError> {
        let admitted = self.quotas.admit(kind, Caller::of_call(extensions));
        if admitted.is_err() {
            self.metrics.limited.increment(1);
        }
        admitted
    }
}

/// Listens until the handle is stopped. The address tells the port that was picked.
///
/// # Errors
///
/// If the address cannot be bound, or a method is registered twice.
pub(crate) async fn serve(
    config: &config::Rpc,
    served: Served,
) -> Result<(SocketAddr, ServerHandle), ServeError> {
    let limits = ServerConfig::builder()
        .max_request_body_size(config.max_request_bytes)
        .max_response_body_size(MAX_RESPONSE_BYTES)
        .max_connections(config.max_connections)
        .max_subscriptions_per_connection(0)
        .set_message_buffer_capacity(MESSAGES_PER_CONNECTION)
        .set_batch_request_config(BatchRequestConfig::Limit(config.max_batch))
        // A client that is gone without a word would keep its place.
        .enable_ws_ping(PingConfig::new())
        .build();
    let listener = TcpListener::bind(config.listen).await?;
    let address = listener.local_addr()?;
    let listening = Listening {
        listener,
        config: limits,
        most: config.max_connections as usize,
        most_of_one: config.limits.max_connections,
        proxies: config.proxies.clone(),
        clock: Arc::clone(&served.clock),
        methods: module(served)?.into(),
    };
    Ok((address, listening.start()))
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
pub(super) fn module(served: Served) -> Result<RpcModule<Served>, RegisterMethodError> {
    let mut module = RpcModule::new(served);
    module.register_method("rpc.discover", |_, _, _| openrpc::document())?;
    module.register_async_method("subrosa_status", |_, served, from| async move {
        let _admitted = served.admit(Kind::Query, &from)?;
        answer(&served, served.api.status()).await
    })?;
    module.register_async_method("subrosa_attestation", |params, served, from| async move {
        let _admitted = served.admit(Kind::Attestation, &from)?;
        let request = params.one()?;
        answer(&served, served.api.attestation(request)).await
    })?;
    module.register_async_method("subrosa_deploy", |params, served, from| async move {
        let _admitted = served.admit(Kind::Deploy, &from)?;
        let request = params.one()?;
        answer(&served, served.api.deploy(request)).await
    })?;
    module.register_async_method("subrosa_query", |params, served, from| async move {
        let _admitted = served.admit(Kind::Query, &from)?;
        let request = params.one()?;
        answer(&served, served.api.query(request)).await
    })?;
    module.register_async_method("subrosa_contract", |params, served, from| async move {
        let _admitted = served.admit(Kind::Query, &from)?;
        let request = params.one()?;
        answer(&served, served.api.contract(request)).await
    })?;
    module.register_async_method("subrosa_request", |params, served, _| async move {
        let request = params.one()?;
        answer(&served, served.api.request(request)).await
    })?;
    module.register_async_method("subrosa_receipt", |params, served, _| async move {
        let request = params.one()?;
        answer(&served, served.api.receipt(request)).await
    })?;
    Ok(module)
}

/// Waits for a method's result and counts it.
async fn answer<R>(
    served: &Served,
    method: impl Future<Output = Result<R, RpcError>>,
) -> Result<R, ErrorObjectOwned> {
    let metrics = &served.metrics;
    let started = served.clock.monotonic();
    let outcome = method.await;
    metrics.calls.increment(1);
    metrics
        .call_seconds
        .record(elapsed(served.clock.as_ref(), started));
    outcome.map_err(|error| {
        metrics.errors.increment(1);
        error.into()
    })
}

/// Room for a receipt: an input and an output of the largest size, in hex, and much else.
const MAX_RESPONSE_BYTES: u32 = 4 << 20;
/// Answers that wait for a slow websocket client.
const MESSAGES_PER_CONNECTION: u32 = 64;
