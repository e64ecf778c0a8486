// SPDX-License-Identifier: Apache-2.0
//! Completes evidence with what its vendor publishes.
//!
//! What a vendor says about many machines at once (TCB info, QE identities, revocation lists) is
//! fetched for every piece of evidence, from Intel's provisioning certification service (or a PCCS)
//! and from AMD's key distribution service, verified, kept, and fetched anew before it runs out.
//! What evidence brings of it counts only where it is the later edition, or where nothing can be
//! had: a machine that was revoked today could else attach yesterday's list. Certificates that
//! evidence brings are used, and fetched where it has none in force. Whatever is put into evidence
//! here is judged by the appraisal as if the node had sent it.
//!
//! Fetching is bounded: once per piece however many wait for it, per client, per source, and in
//! what is kept.

mod amd;
mod cache;
mod circuit;
mod content;
mod family;
mod fetch;
mod flight;
#[cfg(test)]
mod forged;
mod intel;
mod piece;
mod plan;
mod signed;

pub use family::{FamilyError, IntelFamily};
pub use piece::{IntelCa, IntelTee};

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use subrosa_evidence::{EvidenceBundle, EvidencePart};
use tokio::sync::{Semaphore, watch};

use self::cache::{Cache, Look, State, Timing};
use self::circuit::Circuit;
use self::content::{Content, Dated};
use self::fetch::Fetcher;
use self::flight::Flight;
use self::piece::{Piece, Source};
use self::plan::Plan;
use self::signed::Anchors;
use crate::http::limit::Limiter;
use crate::http::metrics::CollateralMetrics;
use crate::{Clock, Config, ConfigError};

/// Completes evidence.
pub(crate) struct Collector {
    anchors: Anchors,
    clock: Clock,
    fetcher: Fetcher,
    limiter: Limiter,
    metrics: CollateralMetrics,
    /// Questions under way.
    questions: Semaphore,
    inner: Mutex<Inner>,
}

struct Inner {
    cache: Cache,
    circuits: HashMap<Source, Circuit>,
    /// What is being fetched. The sender goes away when it is done, however it went.
    flights: HashMap<Piece, watch::Receiver<()>>,
}

/// Why evidence is not completed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// The evidence lacks what nobody but its sender has.
    Evidence(String),
    /// This client caused too many fetches; seconds to wait.
    TooMany(u64),
    /// A source does not give what is needed; seconds to wait.
    Unavailable(u64),
}

/// A piece that could not be had.
#[derive(Clone, Debug)]
struct Missing {
    /// When to try again, Unix seconds.
    until: u64,
    /// An edition that ran out: good for saying so, and for nothing else.
    expired: Option<Dated>,
}

impl Collector {
    /// A collector that asks the sources of `config`.
    pub(crate) fn new(
        config: &Config,
        clock: Clock,
        metrics: CollateralMetrics,
    ) -> Result<Arc<Self>, ConfigError> {
        let table = &config.collateral;
        let fetcher = Fetcher::new(table.urls()?, Duration::from_secs(table.timeout_seconds))?;
        Ok(Arc::new(Self {
            anchors: Anchors::of(&config.policy()),
            clock,
            fetcher,
            limiter: Limiter::per_minute(table.fetches_per_minute, table.fetch_burst),
            metrics,
            questions: Semaphore::new(MOST_QUESTIONS),
            inner: Mutex::new(Inner {
                cache: Cache::new(Timing {
                    refresh_before: table.refresh_before_seconds,
                    maximum_age: table.maximum_age_seconds,
                    maximum_machines: usize::try_from(table.maximum_machines).unwrap_or(usize::MAX),
                }),
                circuits: HashMap::new(),
                flights: HashMap::new(),
            }),
        }))
    }

    /// `bundle` with everything it needs that can be had, each piece in the later of the editions
    /// that are held and brought. If nothing in force can be had, what ran out stays, so that the
    /// verdict says that it is stale.
    ///
    /// # Errors
    ///
    /// [`Shortage`] if there is not even that.
    pub(crate) async fn complete(
        self: &Arc<Self>,
        bundle: EvidenceBundle,
        client: IpAddr,
    ) -> Result<EvidenceBundle, Shortage> {
        let this = Arc::clone(self);
        let read = move || {
            let plan = Plan::of(&bundle, &this.anchors, (this.clock)());
            (bundle, plan)
        };
        let Ok((bundle, plan)) = tokio::task::spawn_blocking(read).await else {
            return Err(Shortage::Unavailable(1));
        };
        let plan = match plan {
            Ok(Plan::Nothing) => return Ok(bundle),
            Ok(plan) => plan,
            Err(incomplete) if bundle.collateral().is_empty() => {
                return Err(Shortage::Evidence(incomplete.to_string()));
            }
            // It brought something; the verdict says what is wrong with it.
            Err(_) => return Ok(bundle),
        };
        self.charge(&plan.pieces(), client)?;
        match plan {
            Plan::Nothing => Ok(bundle),
            Plan::Intel(need) => self.complete_intel(bundle, *need).await,
            Plan::Amd(need) => self.complete_amd(bundle, need).await,
        }
    }

    /// Fetches anew what is in use and due, one after the other.
    pub(crate) async fn refresh(self: &Arc<Self>) {
        let due = self.inner().cache.due((self.clock)());
        for piece in due {
            if let Ok(mut landed) = self.launch(&piece, (self.clock)()).await {
                // An error means that the sender is gone, which is what is waited for.
                let _ = landed.changed().await;
            }
        }
    }

    /// Brings the gauges up to date.
    pub(crate) fn measure(&self) {
        let now = (self.clock)();
        let inner = self.inner();
        let census = inner.cache.census(now);
        let open = |source: &Source| {
            inner
                .circuits
                .get(source)
                .is_some_and(|circuit| circuit.is_open(now))
        };
        let open = Source::ALL.map(|source| (source.as_str(), open(&source)));
        drop(inner);
        self.metrics.entries(
            [census.fresh, census.grace, census.expired],
            census.oldest,
            open,
        );
    }

    async fn complete_intel(
        self: &Arc<Self>,
        bundle: EvidenceBundle,
        need: intel::Need,
    ) -> Result<EvidenceBundle, Shortage> {
        let [tcb_info, qe_identity, pck_list, root_list] = need.pieces();
        let (tcb_info, qe_identity, pck_list, root_list) = tokio::join!(
            self.obtain(&tcb_info),
            self.obtain(&qe_identity),
            self.obtain(&pck_list),
            self.obtain(&root_list),
        );
        let found = [tcb_info, qe_identity, pck_list, root_list];
        let until = found.iter().find_map(|piece| match piece {
            Err(missing) if missing.expired.is_none() => Some(missing.until),
            _ => None,
        });
        let Some(collateral) = need.collateral(found.map(held)) else {
            return Err(self.unavailable(until.unwrap_or_default()));
        };
        // The bundle as it came is no substitute: it may have been made as large as it is for that.
        bundle
            .with_part(EvidencePart::Collateral, collateral)
            .map_err(|error| Shortage::Evidence(error.to_string()))
    }

    async fn complete_amd(
        self: &Arc<Self>,
        bundle: EvidenceBundle,
        need: amd::Need,
    ) -> Result<EvidenceBundle, Shortage> {
        let (vcek, chain, list) = tokio::join!(
            self.obtain_some(need.vcek.as_ref()),
            self.obtain_some(need.chain.as_ref()),
            self.obtain(&need.list),
        );
        let vcek = match vcek {
            Some(Err(missing)) if missing.expired.is_none() && !need.stale => {
                return Err(self.unavailable(missing.until));
            }
            other => other.and_then(held),
        };
        // Issuers may be built in, and whether a list is required is the policy's affair.
        let found = amd::Found {
            vcek: vcek.map(|dated| dated.content),
            chain: chain.and_then(held).map(|dated| dated.content),
            list: Dated::later(held(list), need.brought).map(|dated| dated.content),
        };
        amd::completed(bundle, &found).map_err(|error| Shortage::Evidence(error.to_string()))
    }

    async fn obtain_some(
        self: &Arc<Self>,
        piece: Option<&Piece>,
    ) -> Option<Result<Dated, Missing>> {
        match piece {
            Some(piece) => Some(self.obtain(piece).await),
            None => None,
        }
    }

    /// `piece`, from the cache or from its source.
    async fn obtain(self: &Arc<Self>, piece: &Piece) -> Result<Dated, Missing> {
        let now = (self.clock)();
        let look = self.inner().cache.look(piece, now);
        let expired = match look {
            Look::Usable { dated, state, due } => {
                if state == State::Grace {
                    self.metrics.grace();
                }
                if due {
                    // Once per attempt to do something about it, not once per use.
                    tracing::warn!(
                        %piece,
                        seconds_left = dated.expires.saturating_sub(now),
                        "collateral is used past its refresh time"
                    );
                    // Not waited for.
                    let (this, piece) = (Arc::clone(self), piece.clone());
                    tokio::spawn(async move {
                        let _ = this.launch(&piece, now).await;
                    });
                }
                return Ok(dated);
            }
            Look::Absent { expired } => expired,
            Look::Refused { until, expired } => return Err(Missing { until, expired }),
        };
        let mut landed = match self.launch(piece, now).await {
            Ok(landed) => landed,
            Err(until) => return Err(Missing { until, expired }),
        };
        // An error means that the sender is gone, which is what is waited for.
        let _ = landed.changed().await;
        let now = (self.clock)();
        match self.inner().cache.look(piece, now) {
            Look::Usable { dated, .. } => Ok(dated),
            Look::Absent { expired } => Err(Missing {
                until: now.saturating_add(1),
                expired,
            }),
            Look::Refused { until, expired } => Err(Missing { until, expired }),
        }
    }

    /// [`Self::obtain`] for [`Self::launch`], which it calls in turn: no issuer has an issuer.
    fn obtain_issuer(
        self: &Arc<Self>,
        issuer: Piece,
    ) -> Pin<Box<dyn Future<Output = Result<Dated, Missing>> + Send>> {
        let this = Arc::clone(self);
        Box::pin(async move { this.obtain(&issuer).await })
    }

    /// Sees to it that `piece` is being fetched, by a task of its own that no client's departure
    /// ends. `Err` says from when its source may be asked.
    async fn launch(self: &Arc<Self>, piece: &Piece, now: u64) -> Result<watch::Receiver<()>, u64> {
        let issuer = match piece.issuer() {
            Some(issuer) => match self.obtain_issuer(issuer).await {
                Ok(dated) => Some(dated.content),
                Err(missing) => return Err(missing.until),
            },
            None => None,
        };
        for _ in 0..PROBES_AWAITED {
            let mut probe = {
                let mut inner = self.inner();
                if let Some(under_way) = inner.flights.get(piece) {
                    return Ok(under_way.clone());
                }
                if inner.flights.len() >= MOST_FLIGHTS {
                    return Err(now.saturating_add(1));
                }
                match inner.circuits.entry(piece.source()).or_default().ask(now) {
                    Ok(()) => return Ok(self.depart(&mut inner, piece, issuer)),
                    Err(until) => inner.flight_to(piece.source()).ok_or(until)?,
                }
            };
            // Somebody is finding out whether the source is back.
            let _ = probe.changed().await;
        }
        Err(now.saturating_add(1))
    }

    /// Fetches `piece` in a task of its own.
    fn depart(
        self: &Arc<Self>,
        inner: &mut Inner,
        piece: &Piece,
        issuer: Option<Arc<Content>>,
    ) -> watch::Receiver<()> {
        let (landing, landed) = watch::channel(());
        inner.flights.insert(piece.clone(), landed.clone());
        let flight = Flight::new(Arc::clone(self), piece.clone(), landing);
        tokio::spawn(flight.fly(issuer));
        landed
    }

    /// Takes a token if a client's request makes anything be fetched that nobody fetches yet.
    fn charge(&self, pieces: &[Piece], client: IpAddr) -> Result<(), Shortage> {
        let now = (self.clock)();
        let mut inner = self.inner();
        let asks = pieces.iter().any(|piece| {
            !inner.flights.contains_key(piece)
                && matches!(inner.cache.look(piece, now), Look::Absent { .. })
        });
        drop(inner);
        if asks {
            self.limiter.admit(client, now).map_err(Shortage::TooMany)?;
        }
        Ok(())
    }

    /// What is missing may be asked for again at `until`.
    fn unavailable(&self, until: u64) -> Shortage {
        let wait = until.saturating_sub((self.clock)());
        Shortage::Unavailable(wait.clamp(1, LONGEST_WAIT))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Something that `source` is being asked.
    fn flight_to(&self, source: Source) -> Option<watch::Receiver<()>> {
        self.flights
            .iter()
            .find(|(piece, _)| piece.source() == source)
            .map(|(_, landed)| landed.clone())
    }
}

/// What there is, in force or not.
fn held(piece: Result<Dated, Missing>) -> Option<Dated> {
    match piece {
        Ok(dated) => Some(dated),
        Err(missing) => missing.expired,
    }
}

/// Questions to all sources at once.
const MOST_QUESTIONS: usize = 16;
/// Fetches that are under way or wait for their turn.
const MOST_FLIGHTS: usize = 256;
/// How many probes of a source that failed one request waits for.
const PROBES_AWAITED: usize = 3;
/// Longest wait that a client is told, seconds.
const LONGEST_WAIT: u64 = 3600;
