// SPDX-License-Identifier: Apache-2.0
//! What operators ask over HTTP, on loopback only.
//!
//! | path | answer |
//! |---|---|
//! | `GET /health` | 200 while the process runs |
//! | `GET /ready` | 200 while an admitted enclave serves and the chain is followed, else 503 and why |
//! | `GET /metrics` | Prometheus text |

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;

use crate::{host::Host, shutdown::Shutdown};

/// Serves until shutdown.
///
/// # Errors
///
/// If the listener fails.
pub(crate) async fn serve(
    listener: TcpListener,
    host: Arc<Host>,
    mut shutdown: Shutdown,
) -> std::io::Result<()> {
    axum::serve(listener, router(host))
        .with_graceful_shutdown(async move { shutdown.requested().await })
        .await
}

fn router(host: Arc<Host>) -> Router {
    Router::new()
        .route("/health", get(|| async { "ok\n" }))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(host)
}

async fn ready(State(host): State<Arc<Host>>) -> impl IntoResponse {
    match host.unreadiness() {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

async fn metrics(State(host): State<Arc<Host>>) -> impl IntoResponse {
    host.metrics.upkeep();
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (kind, host.metrics.render())
}
