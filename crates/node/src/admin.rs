// SPDX-License-Identifier: Apache-2.0
//! What operators ask over HTTP, on loopback only.
//!
//! | path | answer |
//! |---|---|
//! | `GET /health` | 200 while the process runs |
//! | `GET /ready` | 200 while an admitted enclave serves and the chain is followed, and how many contracts are loaded, wait for it, or could not be; else 503 and why |
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

use crate::{loading::Counts, metrics::Metrics, readiness::Readiness, shutdown::Shutdown};

/// What operators are shown.
pub(crate) struct Shown {
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) metrics: Metrics,
}

/// Serves until shutdown.
///
/// # Errors
///
/// If the listener fails.
pub(crate) async fn serve(
    listener: TcpListener,
    shown: Shown,
    mut shutdown: Shutdown,
) -> std::io::Result<()> {
    axum::serve(listener, router(shown))
        .with_graceful_shutdown(async move { shutdown.requested().await })
        .await
}

fn router(shown: Shown) -> Router {
    Router::new()
        .route("/health", get(|| async { "ok\n" }))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(shown))
}

async fn ready(State(shown): State<Arc<Shown>>) -> impl IntoResponse {
    match shown.readiness.unreadiness() {
        None => {
            let Counts {
                loaded,
                waiting,
                failed,
            } = shown.readiness.contracts();
            let contracts =
                format!("contracts: {loaded} loaded, {waiting} waiting, {failed} failed\n");
            (StatusCode::OK, format!("ready\n{contracts}"))
        }
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

async fn metrics(State(shown): State<Arc<Shown>>) -> impl IntoResponse {
    shown.readiness.measure(&shown.metrics.loading);
    shown.metrics.upkeep();
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (kind, shown.metrics.render())
}
