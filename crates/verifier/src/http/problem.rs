// SPDX-License-Identifier: Apache-2.0
//! Problems as responses: the one place that decides what a client sees.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use subrosa_evidence::api::{Problem, ProblemCode};

use crate::service::problem;

/// A problem on its way to a client.
#[derive(Debug)]
pub(super) struct Failure {
    problem: Problem,
    retry_after: Option<u64>,
}

impl Failure {
    pub(super) fn rate_limited(seconds: u64) -> Self {
        let message = format!("too many requests, try again in {seconds} seconds");
        Self {
            problem: problem(ProblemCode::RateLimited, message),
            retry_after: Some(seconds),
        }
    }

    pub(super) fn no_collateral(seconds: u64) -> Self {
        let message = format!(
            "the vendor's collateral for this evidence cannot be had, try again in {seconds} \
             seconds"
        );
        Self {
            problem: problem(ProblemCode::CollateralUnavailable, message),
            retry_after: Some(seconds),
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            retry_after: None,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = status(self.problem.code);
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(message = self.problem.message, "verifier failed");
        }
        let mut response = (status, Json(self.problem)).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn status(code: ProblemCode) -> StatusCode {
    match code {
        ProblemCode::MalformedRequest
        | ProblemCode::MalformedBundle
        | ProblemCode::IncompleteEvidence => StatusCode::BAD_REQUEST,
        ProblemCode::UnknownRegistry => StatusCode::FORBIDDEN,
        ProblemCode::NotFound => StatusCode::NOT_FOUND,
        ProblemCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ProblemCode::Timeout => StatusCode::REQUEST_TIMEOUT,
        ProblemCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ProblemCode::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ProblemCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ProblemCode::CollateralUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
