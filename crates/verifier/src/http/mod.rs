// SPDX-License-Identifier: Apache-2.0
//! HTTP around a [`Verifier`].

mod limit;
mod log;
mod metrics;
mod problem;

use std::future::{Future, IntoFuture as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use subrosa_collateral::{Clock, Collector, Shortage};
use subrosa_evidence::{
    EvidenceBundle, Verdict,
    api::{
        AdmitRequest, AdmitResponse, AppraiseRequest, AppraiseResponse, Base64, Jwks, KeysResponse,
        Problem, ProblemCode,
    },
};
use subrosa_types::id::TeeKind;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use self::limit::Quota;
use self::metrics::Metrics;
use self::problem::Failure;
use crate::service::problem;
use crate::{ConfigError, Verifier};

/// Largest request body, bytes: a full bundle in base64 and everything beside it.
pub const MAX_BODY_BYTES: usize = EvidenceBundle::MAX_BYTES.div_ceil(3) * 4 + 4096;

/// Serves `verifier` on `listener` until `shutdown` completes; requests under way are finished.
/// Meanwhile collateral in use is fetched anew before it runs out.
///
/// # Errors
///
/// Whatever the listener yields that cannot be retried; [`std::io::ErrorKind::InvalidInput`] if
/// collateral cannot be fetched as configured.
pub async fn serve(
    verifier: Arc<Verifier>,
    listener: TcpListener,
    clock: Clock,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let keys = verifier.keys();
    tracing::info!(
        issuer = keys.issuer,
        admission = %keys.admission,
        development = keys.development,
        "verifier serves"
    );
    let check = Duration::from_secs(verifier.config().collateral.check_seconds);
    let (router, collector) = router(verifier, clock)
        .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidInput, error))?;
    let refresh = async {
        let Some(collector) = collector else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(check).await;
            collector.refresh().await;
        }
    };
    let app = router.into_make_service_with_connect_info::<SocketAddr>();
    let serve = axum::serve(listener, app)
        .with_graceful_shutdown(shutdown)
        .into_future();
    tokio::select! {
        ended = serve => ended,
        () = refresh => Ok(()),
    }
}

struct App {
    verifier: Arc<Verifier>,
    clock: Clock,
    /// Absent if nothing is to be fetched.
    collector: Option<Arc<Collector>>,
    requests: Quota,
    /// Requests that cause fetches.
    fetches: Quota,
    metrics: Metrics,
    timeout: Duration,
    /// Appraisals are computation: as many at a time as there are cores.
    cores: Semaphore,
}

fn router(
    verifier: Arc<Verifier>,
    clock: Clock,
) -> Result<(Router, Option<Arc<Collector>>), ConfigError> {
    let config = verifier.config();
    let limits = config.limits;
    // Under the development root alone there is nothing that anybody publishes.
    let fetch = config.collateral.fetch && !config.policy().roots.is_empty();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let counts = Metrics::new();
    let collector = if fetch {
        let (sources, policy, clock) = (&config.collateral, config.policy(), Arc::clone(&clock));
        let collector = Collector::new(sources, &policy, clock, counts.collateral())?;
        Some(Arc::new(collector))
    } else {
        None
    };
    let app = Arc::new(App {
        verifier,
        collector: collector.clone(),
        requests: Quota::per_second(limits.requests_per_second, limits.burst, &clock),
        fetches: Quota::per_minute(limits.fetches_per_minute, limits.fetch_burst, &clock),
        clock,
        metrics: counts,
        timeout: Duration::from_secs(limits.timeout_seconds),
        cores: Semaphore::new(cores),
    });
    let router = Router::new()
        .route("/v1/appraise", post(appraise))
        .route("/v1/admit", post(admit))
        .route("/v1/keys", get(keys))
        .route("/.well-known/jwks.json", get(jwks))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guard))
        // Asked by supervisors, who must hear the truth even from a service that is flooded.
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .fallback(|| async { Failure::from(problem(ProblemCode::NotFound, NO_PATH.to_owned())) })
        .method_not_allowed_fallback(|| async {
            Failure::from(problem(ProblemCode::MethodNotAllowed, NO_METHOD.to_owned()))
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(app);
    Ok((router, collector))
}

async fn appraise(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Body(request): Body<AppraiseRequest>,
) -> Result<Json<AppraiseResponse>, Failure> {
    app.verifier.check_appraise(&request)?;
    let bundle = app.complete(&request.bundle, peer.ip()).await?;
    let kind = bundle.kind();
    let response = app
        .compute(move |verifier, now| verifier.appraise_bundle(&bundle, &request, now))
        .await?;
    app.note("appraise", kind, &response.verdict);
    Ok(Json(response))
}

async fn admit(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Body(request): Body<AdmitRequest>,
) -> Result<Json<AdmitResponse>, Failure> {
    app.verifier.check_admit(&request)?;
    let bundle = app.complete(&request.bundle, peer.ip()).await?;
    let kind = bundle.kind();
    let response = app
        .compute(move |verifier, now| verifier.admit_bundle(&bundle, &request, now))
        .await?;
    app.note("admit", kind, &response.verdict);
    Ok(Json(response))
}

async fn keys(State(app): State<Arc<App>>) -> Json<KeysResponse> {
    Json(app.verifier.keys())
}

async fn jwks(State(app): State<Arc<App>>) -> impl IntoResponse {
    let seconds = app.verifier.config().jwks_seconds;
    let keys: Jwks = app.verifier.jwks((app.clock)());
    let keep = format!("public, max-age={seconds}");
    ([(header::CACHE_CONTROL, keep)], Json(keys))
}

async fn health() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "ok" }))
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    if let Some(collector) = &app.collector {
        collector.measure();
    }
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        app.metrics.render(),
    )
        .into_response()
}

/// Rate, time and the count of what went wrong.
async fn guard(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let response = match app.requests.admit(peer.ip()) {
        Err(wait) => Failure::rate_limited(wait).into_response(),
        Ok(()) => match tokio::time::timeout(app.timeout, next.run(request)).await {
            Ok(response) => response,
            Err(_) => {
                let seconds = app.timeout.as_secs();
                let message = format!("no answer within {seconds} seconds");
                Failure::from(problem(ProblemCode::Timeout, message)).into_response()
            }
        },
    };
    if response.status() != StatusCode::OK {
        app.metrics.refused.increment(1);
    }
    response
}

impl App {
    /// Decodes a bundle and adds what it lacks and its vendor publishes.
    async fn complete(&self, bundle: &Base64, client: IpAddr) -> Result<EvidenceBundle, Failure> {
        let bundle = EvidenceBundle::decode(&bundle.0)
            .map_err(|error| problem(ProblemCode::MalformedBundle, error.to_string()))?;
        let Some(collector) = &self.collector else {
            return Ok(bundle);
        };
        collector
            .complete(bundle, || self.fetches.admit(client))
            .await
            .map_err(|shortage| match shortage {
                Shortage::Evidence(message) => {
                    problem(ProblemCode::IncompleteEvidence, message).into()
                }
                Shortage::TooMany(seconds) => Failure::rate_limited(seconds),
                Shortage::Unavailable(seconds) => Failure::no_collateral(seconds),
                _ => problem(ProblemCode::Internal, "no answer".to_owned()).into(),
            })
    }

    async fn compute<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Verifier, u64) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Failure> {
        let internal = || Failure::from(problem(ProblemCode::Internal, "no answer".to_owned()));
        let _permit = self.cores.acquire().await.map_err(|_| internal())?;
        let (verifier, now) = (Arc::clone(&self.verifier), (self.clock)());
        let started = std::time::Instant::now();
        let done = tokio::task::spawn_blocking(move || work(&verifier, now)).await;
        self.metrics.seconds.record(started.elapsed().as_secs_f64());
        done.map_err(|_| internal())?.map_err(Failure::from)
    }

    fn note(&self, what: &'static str, kind: TeeKind, verdict: &Verdict) {
        self.metrics.appraised(kind, verdict);
        log::appraised(what, kind, verdict);
    }
}

/// A JSON body, refused with a [`Problem`].
struct Body<T>(T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Failure> {
        let json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"));
        if !json {
            let message = "expected content-type application/json".to_owned();
            return Err(problem(ProblemCode::UnsupportedMediaType, message).into());
        }
        let bytes = Bytes::from_request(request, app)
            .await
            .map_err(|rejection| {
                if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                    let message = format!("body is larger than {MAX_BODY_BYTES} bytes");
                    Failure::from(problem(ProblemCode::TooLarge, message))
                } else {
                    let message = "body ended early".to_owned();
                    Failure::from(problem(ProblemCode::MalformedRequest, message))
                }
            })?;
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| problem(ProblemCode::MalformedRequest, error.to_string()).into())
    }
}

const NO_PATH: &str = "no such path";
const NO_METHOD: &str = "no such method on this path";
