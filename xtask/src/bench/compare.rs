// SPDX-License-Identifier: Apache-2.0
//! Figures of one run against those of another.
//!
//! The noise is what a run shows by itself: the least and most that its rounds came to, at least a
//! tenth of the figure either way. A figure got worse if the two ranges do not touch.

use std::{collections::BTreeMap, fmt};

use super::summary::{FIGURES, Figure};

/// One figure, then and now.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    name: &'static str,
    before: Option<f64>,
    now: Option<f64>,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Better,
    Worse,
    Same,
    /// One of the two does not have it.
    Unknown,
}

/// Holds each figure against what it was.
pub(super) fn figures(
    before: &BTreeMap<&'static str, Figure>,
    now: &BTreeMap<&'static str, Figure>,
) -> Vec<Line> {
    let lines = FIGURES.iter().map(|(name, more_is_better)| {
        let (before, now) = (before.get(name), now.get(name));
        let verdict = match (before, now) {
            (Some(before), Some(now)) => judge(before, now, *more_is_better),
            _ => Verdict::Unknown,
        };
        Line {
            name,
            before: before.map(|figure| figure.value),
            now: now.map(|figure| figure.value),
            verdict,
        }
    });
    lines.collect()
}

fn judge(before: &Figure, now: &Figure, more_is_better: bool) -> Verdict {
    let ((least_before, most_before), (least, most)) = (range(before), range(now));
    let (is_more, is_less) = (least > most_before, most < least_before);
    match (is_more, is_less) {
        (false, false) => Verdict::Same,
        (is_more, _) if is_more == more_is_better => Verdict::Better,
        _ => Verdict::Worse,
    }
}

/// What a figure may as well have been.
fn range(figure: &Figure) -> (f64, f64) {
    let least = figure.low.min(figure.value * (1.0 - LEAST_NOISE));
    let most = figure.high.max(figure.value * (1.0 + LEAST_NOISE));
    (least, most)
}

impl Line {
    /// Whether it got worse by more than the noise.
    pub(super) fn is_worse(&self) -> bool {
        self.verdict == Verdict::Worse
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        let verdict = match self.verdict {
            Verdict::Better => "better",
            Verdict::Worse => "WORSE",
            Verdict::Same => "within the noise",
            Verdict::Unknown => "not compared",
        };
        let (before, now) = (shown(self.before), shown(self.now));
        write!(f, "{:<26}{before:>12}{now:>12}  {verdict}", self.name)
    }
}

/// Of a figure whose rounds agree by chance.
const LEAST_NOISE: f64 = 0.1;

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(name: &'static str, before: (f64, f64, f64), now: (f64, f64, f64)) -> Verdict {
        let figure = |(low, value, high)| Figure { value, low, high };
        let lines = figures(
            &[(name, figure(before))].into(),
            &[(name, figure(now))].into(),
        );
        let line = lines.into_iter().find(|line| line.name == name);
        line.map_or(Verdict::Unknown, |line| line.verdict)
    }

    #[test]
    fn worse_is_what_no_round_of_the_other_run_reached() {
        let before = (600.0, 700.0, 720.0);
        let settled = |now| verdict("settled_per_s", before, now);
        assert_eq!(settled((500.0, 550.0, 610.0)), Verdict::Same);
        assert_eq!(settled((500.0, 530.0, 590.0)), Verdict::Worse);
        assert_eq!(settled((900.0, 950.0, 990.0)), Verdict::Better);
        // Three rounds that agree are no proof of silence.
        assert_eq!(settled((570.0, 570.0, 570.0)), Verdict::Same);
    }

    #[test]
    fn of_times_and_ratios_less_is_better() {
        let before = (3.0, 3.5, 4.0);
        let latency = |now| verdict("event_to_sent_p50_ms", before, now);
        assert_eq!(latency((5.0, 6.0, 7.0)), Verdict::Worse);
        assert_eq!(latency((1.0, 1.5, 2.0)), Verdict::Better);
        assert_eq!(latency((3.9, 4.5, 5.0)), Verdict::Same);
    }

    #[test]
    fn a_figure_that_one_run_lacks_is_not_compared() {
        let lines = figures(&BTreeMap::new(), &BTreeMap::new());
        assert_eq!(lines.len(), FIGURES.len());
        assert!(lines.iter().all(|line| !line.is_worse()));
        assert!(lines[0].to_string().contains("not compared"));
    }
}
