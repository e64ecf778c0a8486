// SPDX-License-Identifier: Apache-2.0
//! What the service counts. Each service has a recorder of its own, so that several in one
//! process do not count together. Labels are names from this program, never from a request.

use std::sync::Arc;

use metrics::{Counter, Histogram, Key, Label, Level, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use subrosa_collateral::CollateralMetrics;
use subrosa_evidence::{Verdict, VerdictStatus};
use subrosa_types::id::TeeKind;

/// The counters of one service.
pub(super) struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    /// Requests that were refused before any evidence was appraised.
    pub(super) refused: Counter,
    /// Time that an appraisal took, seconds.
    pub(super) seconds: Histogram,
    handle: PrometheusHandle,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let recorder = Arc::new(builder().build_recorder());
        for (name, help) in COUNTERS {
            recorder.describe_counter(name.into(), None, SharedString::const_str(help));
        }
        let help = SharedString::const_str("Time that an appraisal took.");
        recorder.describe_histogram(SECONDS.into(), Some(Unit::Seconds), help);
        let refused = recorder.register_counter(&Key::from_static_name(REFUSED), &METADATA);
        let seconds = recorder.register_histogram(&Key::from_static_name(SECONDS), &METADATA);
        Self {
            refused,
            seconds,
            handle: recorder.handle(),
            recorder,
        }
    }

    /// Counts the verdict on evidence of `kind`.
    pub(super) fn appraised(&self, kind: TeeKind, verdict: &Verdict) {
        let labels = [
            ("kind", kind.as_str()),
            ("outcome", outcome(verdict.status)),
        ];
        let key = labelled(APPRAISALS, labels);
        self.recorder.register_counter(&key, &METADATA).increment(1);
    }

    /// For the collector.
    pub(super) fn collateral(&self) -> CollateralMetrics {
        // Not `Arc::clone`, which would want the type that it is to become.
        CollateralMetrics::new(self.recorder.clone())
    }

    /// Prometheus text.
    pub(super) fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }
}

/// A status as it is counted and logged.
pub(super) fn outcome(status: VerdictStatus) -> &'static str {
    match status {
        VerdictStatus::Accepted => "accepted",
        VerdictStatus::GenuineNotAppraised => "genuine-not-appraised",
        _ => "rejected",
    }
}

fn builder() -> PrometheusBuilder {
    let builder = PrometheusBuilder::new();
    let fetches = Matcher::Full(CollateralMetrics::FETCH_SECONDS.to_owned());
    // Fails only without buckets.
    builder
        .set_buckets_for_metric(fetches, &CollateralMetrics::FETCH_BUCKETS)
        .unwrap_or_default()
}

fn labelled<const N: usize>(name: &'static str, labels: [(&'static str, &'static str); N]) -> Key {
    let labels = labels.map(|(name, value)| Label::from_static_parts(name, value));
    Key::from_parts(name, labels.to_vec())
}

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

const APPRAISALS: &str = "subrosa_verifier_appraisals_total";
const REFUSED: &str = "subrosa_verifier_refused_total";
const SECONDS: &str = "subrosa_verifier_appraisal_seconds";

const COUNTERS: [(&str, &str); 2] = [
    (
        APPRAISALS,
        "Evidence that was appraised, by kind of TEE and outcome. Nothing is signed for rejected \
         evidence.",
    ),
    (
        REFUSED,
        "Requests that were refused before any evidence was appraised.",
    ),
];
