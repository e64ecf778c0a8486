// SPDX-License-Identifier: Apache-2.0
//! What the service counts. Each service has a recorder of its own, so that several in one
//! process do not count together. Labels are names from this program, never from a request.

use std::sync::Arc;
use std::time::Duration;

use metrics::{Counter, Histogram, Key, Label, Level, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
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

/// What the collection of collateral counts.
#[derive(Clone)]
pub(crate) struct CollateralMetrics {
    recorder: Arc<PrometheusRecorder>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let recorder = Arc::new(builder().build_recorder());
        for (name, help) in COUNTERS {
            recorder.describe_counter(name.into(), None, SharedString::const_str(help));
        }
        for (name, unit, help) in GAUGES {
            recorder.describe_gauge(name.into(), unit, SharedString::const_str(help));
        }
        for (name, help) in HISTOGRAMS {
            let unit = Some(Unit::Seconds);
            recorder.describe_histogram(name.into(), unit, SharedString::const_str(help));
        }
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
        CollateralMetrics {
            recorder: Arc::clone(&self.recorder),
        }
    }

    /// Prometheus text.
    pub(super) fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }
}

impl CollateralMetrics {
    /// Counts a fetch from `source` that ended as `outcome` and took `time`.
    pub(crate) fn fetched(&self, source: &'static str, outcome: &'static str, time: Duration) {
        let key = labelled(FETCHES, [("source", source), ("outcome", outcome)]);
        self.recorder.register_counter(&key, &METADATA).increment(1);
        let key = labelled(FETCH_SECONDS, [("source", source)]);
        self.recorder
            .register_histogram(&key, &METADATA)
            .record(time.as_secs_f64());
    }

    /// Counts a use of collateral past its refresh time.
    pub(crate) fn grace(&self) {
        let key = Key::from_static_name(GRACE);
        self.recorder.register_counter(&key, &METADATA).increment(1);
    }

    /// Sets how many pieces are fresh, in grace and expired, the age of the oldest usable one,
    /// seconds, and which sources are being left alone.
    pub(crate) fn entries(&self, states: [u64; 3], oldest: u64, open: [(&'static str, bool); 3]) {
        for (state, count) in ["fresh", "grace", "expired"].into_iter().zip(states) {
            self.set(&labelled(ENTRIES, [("state", state)]), count);
        }
        self.set(&Key::from_static_name(OLDEST), oldest);
        for (source, open) in open {
            self.set(&labelled(OPEN, [("source", source)]), u64::from(open));
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "counts and ages stay far below 2^52"
    )]
    fn set(&self, key: &Key, value: u64) {
        self.recorder
            .register_gauge(key, &METADATA)
            .set(value as f64);
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
    let fetches = Matcher::Full(FETCH_SECONDS.to_owned());
    // Fails only without buckets.
    builder
        .set_buckets_for_metric(fetches, &FETCH_BUCKETS)
        .unwrap_or_default()
}

fn labelled<const N: usize>(name: &'static str, labels: [(&'static str, &'static str); N]) -> Key {
    let labels = labels.map(|(name, value)| Label::from_static_parts(name, value));
    Key::from_parts(name, labels.to_vec())
}

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

const APPRAISALS: &str = "subrosa_verifier_appraisals_total";
const REFUSED: &str = "subrosa_verifier_refused_total";
const FETCHES: &str = "subrosa_verifier_collateral_fetches_total";
const GRACE: &str = "subrosa_verifier_collateral_grace_total";
const ENTRIES: &str = "subrosa_verifier_collateral_entries";
const OLDEST: &str = "subrosa_verifier_collateral_oldest_seconds";
const OPEN: &str = "subrosa_verifier_collateral_source_paused";
const SECONDS: &str = "subrosa_verifier_appraisal_seconds";
const FETCH_SECONDS: &str = "subrosa_verifier_collateral_fetch_seconds";

const COUNTERS: [(&str, &str); 4] = [
    (
        APPRAISALS,
        "Evidence that was appraised, by kind of TEE and outcome. Nothing is signed for rejected \
         evidence.",
    ),
    (
        REFUSED,
        "Requests that were refused before any evidence was appraised.",
    ),
    (
        FETCHES,
        "Questions to sources of collateral, by source and outcome.",
    ),
    (
        GRACE,
        "Uses of collateral past its refresh time, while it is being fetched anew or that fails.",
    ),
];
const GAUGES: [(&str, Option<Unit>, &str); 3] = [
    (
        ENTRIES,
        None,
        "Pieces of collateral that are kept, by state; expired ones are never used to accept.",
    ),
    (
        OLDEST,
        Some(Unit::Seconds),
        "Age of the oldest piece of collateral that can be used.",
    ),
    (
        OPEN,
        None,
        "1 while a source is not asked because it failed or wants to be left alone.",
    ),
];
const HISTOGRAMS: [(&str, &str); 2] = [
    (SECONDS, "Time that an appraisal took."),
    (
        FETCH_SECONDS,
        "Time that a question to a source of collateral took, by source.",
    ),
];
const FETCH_BUCKETS: [f64; 9] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0];
