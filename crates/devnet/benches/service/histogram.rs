// SPDX-License-Identifier: Apache-2.0
//! A node's latencies, from its metrics.

use subrosa_devnet::Devnet;

/// How many observations were at most so many seconds, cumulative.
#[derive(Clone, Debug)]
pub(crate) struct Histogram(Vec<(f64, u64)>);

impl Histogram {
    /// What the node has measured so far, from seeing an entry to having its fulfillment sent.
    pub(crate) async fn scrape(network: &Devnet) -> Self {
        let url = format!("{}/metrics", network.admin_url());
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        let buckets = text.lines().filter_map(|line| {
            let rest = line.strip_prefix("subrosa_relay_latency_seconds_bucket{le=\"")?;
            let (bound, count) = rest.split_once("\"} ")?;
            // The last one is "+Inf", which parses.
            Some((bound.parse().unwrap(), count.trim().parse().unwrap()))
        });
        Self(buckets.collect())
    }

    /// What came after an earlier look.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let earlier = |bound: f64| {
            let bucket = before.0.iter().find(|(known, _)| *known == bound);
            bucket.map_or(0, |(_, count)| *count)
        };
        let later = self.0.iter();
        Self(
            later
                .map(|(bound, count)| (*bound, count - earlier(*bound)))
                .collect(),
        )
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.last().map_or(0, |(_, count)| *count)
    }

    /// A quantile, milliseconds, interpolated within its bucket.
    pub(crate) fn milliseconds(&self, quantile: f64) -> f64 {
        let rank = quantile * self.count() as f64;
        let (mut below, mut counted) = (0.0, 0);
        for (bound, count) in &self.0 {
            if *count as f64 >= rank && *count > counted {
                if bound.is_infinite() {
                    return below * 1e3;
                }
                let share = (rank - counted as f64) / (count - counted) as f64;
                return (below + share * (bound - below)) * 1e3;
            }
            (below, counted) = (*bound, *count);
        }
        below * 1e3
    }
}
