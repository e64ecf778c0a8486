// SPDX-License-Identifier: Apache-2.0
//! An edition of a publication, from what is held or from its source: asked once, however many wait
//! for it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::anchors::Anchors;
use crate::cache::{Freshness, Look, Timing};
use crate::config::{CollateralConfig, CollateralConfigError};
use crate::edition::{Content, Edition};
use crate::fetch::{FetchError, Fetcher};
use crate::metrics::CollateralMetrics;
use crate::publication::Publication;
use crate::read::read;
use crate::stock::{Departure, Flight, Landing, Stock};

/// Says what time it is, Unix seconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Gets editions, keeps them and renews them.
pub(crate) struct Keeper {
    pub(crate) anchors: Anchors,
    clock: Clock,
    fetcher: Fetcher,
    metrics: CollateralMetrics,
    /// Questions under way.
    questions: Semaphore,
    stock: Arc<Stock>,
}

/// There is no edition in force.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    /// When to try again, Unix seconds.
    pub(crate) until: u64,
    /// An edition that ran out: good for saying so, and for nothing else.
    pub(crate) expired: Option<Edition>,
}

impl Keeper {
    /// One that asks the sources of `config` and believes what hangs from `anchors`.
    pub(crate) fn new(
        config: &CollateralConfig,
        anchors: Anchors,
        clock: Clock,
        metrics: CollateralMetrics,
    ) -> Result<Arc<Self>, CollateralConfigError> {
        let timeout = Duration::from_secs(config.timeout_seconds);
        Ok(Arc::new(Self {
            anchors,
            clock,
            fetcher: Fetcher::new(config.urls()?, timeout)?,
            metrics,
            questions: Semaphore::new(MOST_QUESTIONS),
            stock: Stock::new(Timing {
                refresh_before: config.refresh_before_seconds,
                maximum_age: config.maximum_age_seconds,
                maximum_machines: usize::try_from(config.maximum_machines).unwrap_or(usize::MAX),
            }),
        }))
    }

    /// What time it is, Unix seconds.
    pub(crate) fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Whether obtaining all of `publications` would make anything be fetched that nobody fetches
    /// yet.
    pub(crate) fn would_fetch(&self, publications: &[Publication]) -> bool {
        self.stock.lacks(publications, self.now())
    }

    /// The edition of `publication` that is in force.
    pub(crate) async fn obtain(
        self: &Arc<Self>,
        publication: &Publication,
    ) -> Result<Edition, Missing> {
        let now = self.now();
        let expired = match self.stock.look(publication, now) {
            Look::Usable {
                edition,
                freshness,
                due,
            } => {
                if freshness == Freshness::Grace {
                    self.metrics.grace();
                }
                if due {
                    // Once per attempt to do something about it, not once per use.
                    tracing::warn!(
                        %publication,
                        seconds_left = edition.expires.saturating_sub(now),
                        "collateral is used past its refresh time"
                    );
                    // Not waited for.
                    let (this, publication) = (Arc::clone(self), publication.clone());
                    tokio::spawn(async move {
                        let _ = this.launch(&publication, now).await;
                    });
                }
                return Ok(edition);
            }
            Look::Absent { expired } => expired,
            Look::Refused { until, expired } => return Err(Missing { until, expired }),
        };
        match self.launch(publication, now).await {
            Ok(landing) => landing.wait().await,
            Err(until) => return Err(Missing { until, expired }),
        }
        let now = self.now();
        match self.stock.look(publication, now) {
            Look::Usable { edition, .. } => Ok(edition),
            Look::Absent { expired } => Err(Missing {
                until: now.saturating_add(1),
                expired,
            }),
            Look::Refused { until, expired } => Err(Missing { until, expired }),
        }
    }

    /// Fetches anew what is in use and due, one after the other.
    pub(crate) async fn refresh(self: &Arc<Self>) {
        for publication in self.stock.due(self.now()) {
            if let Ok(landing) = self.launch(&publication, self.now()).await {
                landing.wait().await;
            }
        }
    }

    /// Brings the gauges up to date.
    pub(crate) fn measure(&self) {
        let (census, open) = self.stock.census(self.now());
        self.metrics.holdings(
            [census.fresh, census.grace, census.expired],
            census.oldest,
            open.map(|(source, open)| (source.as_str(), open)),
        );
    }

    /// Sees to it that `publication` is being fetched, by a task of its own that no client's
    /// departure ends. `Err` says from when its source may be asked.
    async fn launch(self: &Arc<Self>, publication: &Publication, now: u64) -> Result<Landing, u64> {
        let issuer = match publication.issuer() {
            Some(issuer) => match self.obtain_issuer(issuer).await {
                Ok(edition) => Some(edition.content),
                Err(missing) => return Err(missing.until),
            },
            None => None,
        };
        for _ in 0..PROBES_AWAITED {
            match self.stock.depart(publication, now) {
                Departure::Cleared(flight) => {
                    let landing = flight.landing();
                    tokio::spawn(Arc::clone(self).fly(flight, issuer));
                    return Ok(landing);
                }
                Departure::UnderWay(landing) => return Ok(landing),
                Departure::Probing(probe) => probe.wait().await,
                Departure::Refused(until) => return Err(until),
            }
        }
        Err(now.saturating_add(1))
    }

    /// [`Self::obtain`] for [`Self::launch`], which it calls in turn: no issuer has an issuer.
    fn obtain_issuer(
        self: &Arc<Self>,
        issuer: Publication,
    ) -> Pin<Box<dyn Future<Output = Result<Edition, Missing>> + Send>> {
        let this = Arc::clone(self);
        Box::pin(async move { this.obtain(&issuer).await })
    }

    /// One fetch, from the question to the stock. `issuer` verifies the answer where that does not
    /// say who does.
    async fn fly(self: Arc<Self>, flight: Flight, issuer: Option<Arc<Content>>) {
        let publication = flight.publication();
        let source = publication.source().as_str();
        let started = Instant::now();
        let outcome = self.fetch(publication, issuer.as_deref()).await;
        let outcome = flight.land(outcome, self.now(), spread());
        self.metrics.fetched(
            source,
            outcome.as_ref().map_or_else(FetchError::outcome, |_| "ok"),
            started.elapsed(),
        );
        match outcome {
            Ok(expires) => tracing::info!(%publication, source, expires, "collateral fetched"),
            Err(error) => tracing::warn!(%publication, source, %error, "collateral not fetched"),
        }
    }

    async fn fetch(
        &self,
        publication: &Publication,
        issuer: Option<&Content>,
    ) -> Result<Edition, FetchError> {
        let _permit = self.questions.acquire().await;
        let answer = self.fetcher.ask(publication, self.now()).await?;
        let edition = read(publication, answer, issuer, &self.anchors, self.now())?;
        Ok(edition)
    }
}

/// Any number. Without randomness refresh times are merely not set apart.
fn spread() -> u32 {
    getrandom::u32().unwrap_or(0)
}

/// Questions to all sources at once.
const MOST_QUESTIONS: usize = 16;
/// How many probes of a source that failed one request waits for.
const PROBES_AWAITED: usize = 3;
