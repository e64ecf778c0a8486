// SPDX-License-Identifier: Apache-2.0
//! Samples and what is told of them.

use std::{hint::black_box, time::Instant};

/// One thing that is measured.
pub(crate) struct Probe {
    /// Stable: a key of the report.
    pub(crate) name: &'static str,
    /// Whether it takes a sample in some rounds only.
    pub(crate) seldom: bool,
    /// Takes a sample: microseconds.
    pub(crate) run: Box<dyn FnMut() -> f64>,
    pub(crate) samples: Vec<f64>,
}

/// Microseconds.
#[derive(Clone, Copy, serde::Serialize)]
pub(crate) struct Summary {
    #[serde(rename = "min_us")]
    pub(crate) min: f64,
    #[serde(rename = "p50_us")]
    pub(crate) p50: f64,
    #[serde(rename = "p99_us")]
    pub(crate) p99: f64,
    pub(crate) samples: usize,
}

impl Probe {
    /// Measures `operation` as it is, `times` at a stretch; more than one for what is so short that
    /// reading the clock would show.
    pub(crate) fn of<T>(
        name: &'static str,
        times: u32,
        mut operation: impl FnMut() -> T + 'static,
    ) -> Self {
        let run = move || {
            let stretch = microseconds(|| {
                for _ in 0..times {
                    black_box(operation());
                }
            });
            stretch / f64::from(times)
        };
        Self::new(name, false, run)
    }

    /// A probe that does its own timing.
    pub(crate) fn new(
        name: &'static str,
        seldom: bool,
        run: impl FnMut() -> f64 + 'static,
    ) -> Self {
        Self {
            name,
            seldom,
            run: Box::new(run),
            samples: Vec::new(),
        }
    }

    pub(crate) fn summary(&self) -> Summary {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |quantile: f64| {
            let last = sorted.len().saturating_sub(1);
            sorted
                .get((last as f64 * quantile).round() as usize)
                .copied()
                .unwrap_or(f64::NAN)
        };
        Summary {
            min: round(at(0.0)),
            p50: round(at(0.5)),
            p99: round(at(0.99)),
            samples: sorted.len(),
        }
    }
}

/// How long `operation` takes.
pub(crate) fn microseconds(operation: impl FnOnce()) -> f64 {
    let start = Instant::now();
    operation();
    start.elapsed().as_secs_f64() * 1e6
}

/// To three decimals, which is beyond what a clock gives and short to read.
pub(crate) fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
