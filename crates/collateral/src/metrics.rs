// SPDX-License-Identifier: Apache-2.0
//! What the collection of collateral counts. Labels are names from this program, never from evidence.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use metrics::{Key, Label, Level, Metadata, Recorder, SharedString, Unit};

/// Where a [`Collector`](crate::Collector) counts.
#[derive(Clone)]
pub struct CollateralMetrics {
    recorder: Arc<dyn Recorder + Send + Sync>,
}

impl CollateralMetrics {
    /// The histogram of how long questions took, for whoever sets its buckets.
    pub const FETCH_SECONDS: &str = "subrosa_verifier_collateral_fetch_seconds";
    /// Buckets that suit it, seconds.
    pub const FETCH_BUCKETS: [f64; 9] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0];

    /// Counts in `recorder`, after saying there what is counted.
    pub fn new(recorder: Arc<dyn Recorder + Send + Sync>) -> Self {
        let text = SharedString::const_str;
        for (name, help) in COUNTERS {
            recorder.describe_counter(name.into(), None, text(help));
        }
        for (name, unit, help) in GAUGES {
            recorder.describe_gauge(name.into(), unit, text(help));
        }
        let help = text("Time that a question to a source of collateral took, by source.");
        recorder.describe_histogram(Self::FETCH_SECONDS.into(), Some(Unit::Seconds), help);
        Self { recorder }
    }

    /// Counts a fetch from `source` that ended as `outcome` and took `time`.
    pub(crate) fn fetched(&self, source: &'static str, outcome: &'static str, time: Duration) {
        let key = labelled(FETCHES, [("source", source), ("outcome", outcome)]);
        self.recorder.register_counter(&key, &METADATA).increment(1);
        let key = labelled(Self::FETCH_SECONDS, [("source", source)]);
        self.recorder
            .register_histogram(&key, &METADATA)
            .record(time.as_secs_f64());
    }

    /// Counts a use of collateral past its refresh time.
    pub(crate) fn grace(&self) {
        let key = Key::from_static_name(GRACE);
        self.recorder.register_counter(&key, &METADATA).increment(1);
    }

    /// Sets how many publications are held fresh, in grace and expired, the age of the oldest
    /// usable edition, seconds, and which sources are being left alone.
    pub(crate) fn holdings(&self, states: [u64; 3], oldest: u64, open: [(&'static str, bool); 3]) {
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

impl fmt::Debug for CollateralMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollateralMetrics").finish_non_exhaustive()
    }
}

fn labelled<const N: usize>(name: &'static str, labels: [(&'static str, &'static str); N]) -> Key {
    let labels = labels.map(|(name, value)| Label::from_static_parts(name, value));
    Key::from_parts(name, labels.to_vec())
}

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

const FETCHES: &str = "subrosa_verifier_collateral_fetches_total";
const GRACE: &str = "subrosa_verifier_collateral_grace_total";
const ENTRIES: &str = "subrosa_verifier_collateral_entries";
const OLDEST: &str = "subrosa_verifier_collateral_oldest_seconds";
const OPEN: &str = "subrosa_verifier_collateral_source_paused";

const COUNTERS: [(&str, &str); 2] = [
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
