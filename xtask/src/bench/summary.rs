// SPDX-License-Identifier: Apache-2.0
//! The figures that count, out of the benchmarks' reports.
//!
//! A report states its figures in an object `summary`: by name, either a number or the number with
//! the least and most that the run's own rounds came to (`value`, `low`, `high`). Nothing is made
//! up: a figure that no report states is absent.

use std::collections::BTreeMap;

use eyre::{Result, bail, eyre};
use serde_json::{Map, Value};

/// The figures, and whether more is better.
pub(super) const FIGURES: [(&str, bool); 8] = [
    ("xwing_call_ratio", false),
    ("session_calls_per_s_core", true),
    ("session_call_ratio", false),
    ("two_core_ratio", true),
    ("settled_per_s", true),
    ("event_to_sent_p50_ms", false),
    ("load_mb_per_s", true),
    ("worst_ns_per_work_ratio", false),
];

/// A figure, and the least and most that rounds of one run came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figure {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// What the reports state.
pub(super) fn of(reports: &Map<String, Value>) -> Result<BTreeMap<&'static str, Figure>> {
    let mut figures = BTreeMap::new();
    for (benchmark, report) in reports.iter().filter(|(name, _)| *name != SUMMARY) {
        let Some(stated) = report.get(SUMMARY) else {
            continue;
        };
        let stated = stated
            .as_object()
            .ok_or_else(|| eyre!("the summary of {benchmark} is no object"))?;
        for (name, stated) in stated {
            let Some((name, _)) = FIGURES.iter().find(|(known, _)| known == name) else {
                bail!("{benchmark} states {name:?}, which is no figure of the summary");
            };
            let figure = read(stated)
                .ok_or_else(|| eyre!("{name} of {benchmark} is no number: {stated}"))?;
            if figures.insert(*name, figure).is_some() {
                bail!("{name} is stated twice");
            }
        }
    }
    Ok(figures)
}

/// The reports with their summary.
pub(super) fn with(mut reports: Map<String, Value>) -> Result<Map<String, Value>> {
    let figures = of(&reports)?;
    let values = figures
        .into_iter()
        .map(|(name, figure)| (name.to_owned(), figure.value.into()));
    reports.insert(SUMMARY.to_owned(), Value::Object(values.collect()));
    Ok(reports)
}

fn read(stated: &Value) -> Option<Figure> {
    if let Some(value) = stated.as_f64() {
        let (low, high) = (value, value);
        return Some(Figure { value, low, high });
    }
    let number = |name| stated.get(name)?.as_f64();
    Some(Figure {
        value: number("value")?,
        low: number("low")?,
        high: number("high")?,
    })
}

const SUMMARY: &str = "summary";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reports(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn what_no_report_states_is_absent() {
        let reports = reports(json!({
            "verify": {"version": 1},
            "service": {"summary": {
                "settled_per_s": {"value": 700.0, "low": 650.0, "high": 720.0},
                "event_to_sent_p50_ms": 3.5,
            }},
        }));
        let reports = with(reports).unwrap();
        let expected = json!({"settled_per_s": 700.0, "event_to_sent_p50_ms": 3.5});
        assert_eq!(reports["summary"], expected);
        // Taken again from what was written, the summary itself states nothing.
        assert_eq!(with(reports.clone()).unwrap(), reports);
    }

    #[test]
    fn what_is_no_figure_is_refused() {
        for wrong in [
            json!({"a": {"summary": {"speed": 1}}}),
            json!({"a": {"summary": {"load_mb_per_s": "fast"}}}),
            json!({"a": {"summary": {"load_mb_per_s": {"value": 1}}}}),
            json!({"a": {"summary": 7}}),
            json!({
                "a": {"summary": {"load_mb_per_s": 1}},
                "b": {"summary": {"load_mb_per_s": 2}},
            }),
        ] {
            assert!(of(&reports(wrong.clone())).is_err(), "{wrong}");
        }
    }
}
