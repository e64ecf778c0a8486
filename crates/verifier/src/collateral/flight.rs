// SPDX-License-Identifier: Apache-2.0
//! One fetch, from the question to the cache.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use super::Collector;
use super::content::{self, Content, Dated};
use super::fetch::FetchError;
use super::piece::Piece;

/// A fetch under way.
pub(super) struct Flight {
    collector: Arc<Collector>,
    piece: Piece,
    _landing: watch::Sender<()>,
}

impl Flight {
    /// `landing` goes away when it has ended.
    pub(super) fn new(collector: Arc<Collector>, piece: Piece, landing: watch::Sender<()>) -> Self {
        Self {
            collector,
            piece,
            _landing: landing,
        }
    }

    /// Asks, and puts what came of it into the cache. `issuer` verifies it where the answer does
    /// not say who does.
    pub(super) async fn fly(self, issuer: Option<Arc<Content>>) {
        let (collector, piece) = (&self.collector, &self.piece);
        let source = piece.source().as_str();
        let started = Instant::now();
        let outcome = self.fetch(issuer.as_deref()).await;
        let now = (collector.clock)();
        let mut inner = collector.inner();
        let outcome = outcome.and_then(|dated| {
            let expires = dated.expires;
            inner
                .cache
                .arrived(piece, dated, now, spread())
                .map(|()| expires)
                .map_err(|_| FetchError::Older)
        });
        let circuit = inner.circuits.entry(piece.source()).or_default();
        match &outcome {
            Err(error) if error.is_of_the_source() => {
                let wish = match error {
                    FetchError::Busy { retry_after, .. } => Some(retry_after.unwrap_or(0)),
                    _ => None,
                };
                circuit.failed(now, wish);
            }
            _ => circuit.answered(),
        }
        if outcome.is_err() {
            inner.cache.failed(piece, now);
        }
        drop(inner);
        collector.metrics.fetched(
            source,
            outcome.as_ref().map_or_else(FetchError::outcome, |_| "ok"),
            started.elapsed(),
        );
        match outcome {
            Ok(expires) => tracing::info!(%piece, source, expires, "collateral fetched"),
            Err(error) => tracing::warn!(%piece, source, %error, "collateral not fetched"),
        }
    }

    async fn fetch(&self, issuer: Option<&Content>) -> Result<Dated, FetchError> {
        let (collector, piece) = (&self.collector, &self.piece);
        let _permit = collector.questions.acquire().await;
        let answer = collector.fetcher.ask(piece, (collector.clock)()).await?;
        let now = (collector.clock)();
        Ok(content::read(
            piece,
            answer,
            issuer,
            &collector.anchors,
            now,
        )?)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.collector.inner().flights.remove(&self.piece);
    }
}

/// Any number. Without randomness pieces are merely refreshed together.
fn spread() -> u32 {
    getrandom::u32().unwrap_or(0)
}
