// SPDX-License-Identifier: Apache-2.0
//! What the service counts. Each service has a recorder of its own, so that several in one
//! process do not count together.

use metrics::{Counter, Histogram, Key, Level, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// The counters of one service.
pub(super) struct Metrics {
    /// Evidence that was affirmed: a signature was given.
    pub(super) affirmed: Counter,
    /// Evidence that was rejected.
    pub(super) rejected: Counter,
    /// Requests that were refused before any evidence was appraised.
    pub(super) refused: Counter,
    /// Time that an appraisal took, seconds.
    pub(super) seconds: Histogram,
    handle: PrometheusHandle,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metadata = Metadata::new(module_path!(), Level::INFO, None);
        let counter = |name: &'static str, help: &'static str| {
            recorder.describe_counter(name.into(), None, SharedString::const_str(help));
            recorder.register_counter(&Key::from_static_name(name), &metadata)
        };
        let affirmed = counter(
            "subrosa_verifier_affirmed_total",
            "Evidence that was affirmed: a signature was given.",
        );
        let rejected = counter(
            "subrosa_verifier_rejected_total",
            "Evidence that was rejected.",
        );
        let refused = counter(
            "subrosa_verifier_refused_total",
            "Requests that were refused before any evidence was appraised.",
        );
        recorder.describe_histogram(
            SECONDS.into(),
            Some(Unit::Seconds),
            SharedString::const_str("Time that an appraisal took."),
        );
        let seconds = recorder.register_histogram(&Key::from_static_name(SECONDS), &metadata);
        Self {
            affirmed,
            rejected,
            refused,
            seconds,
            handle: recorder.handle(),
        }
    }

    /// Prometheus text.
    pub(super) fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }
}

const SECONDS: &str = "subrosa_verifier_appraisal_seconds";
