// SPDX-License-Identifier: Apache-2.0
//! What is held, which sources are worth asking, and what is being fetched: one lock over all three,
//! because what is to be done about a publication depends on all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::cache::{Cache, Census, Look, Older, Timing};
use crate::circuit::Circuit;
use crate::edition::Edition;
use crate::fetch::FetchError;
use crate::publication::{Publication, Source};

/// Shared by everything that fetches.
#[derive(Debug)]
pub(crate) struct Stock(Mutex<Shelves>);

#[derive(Debug)]
struct Shelves {
    cache: Cache,
    circuits: HashMap<Source, Circuit>,
    /// What is being fetched. The sender goes away when that has ended, however it did.
    ///
    /// Our own: async_singleflight neither says whether a flight is under way, which decides who
    /// is charged for it, nor lets that be decided together with the rest.
    flights: HashMap<Publication, watch::Receiver<()>>,
}

/// What happens about a publication that somebody wants fetched.
#[derive(Debug)]
pub(crate) enum Departure {
    /// The caller is to fetch it.
    Cleared(Flight),
    /// Somebody is fetching it.
    UnderWay(Landing),
    /// Somebody is finding out whether its source answers again. What follows depends on that.
    Probing(Landing),
    /// Its source may not be asked before, Unix seconds.
    Refused(u64),
}

/// The right, and the duty, to fetch a publication. Dropped, it is over.
#[derive(Debug)]
pub(crate) struct Flight {
    publication: Publication,
    stock: Arc<Stock>,
    landing: Landing,
    _sender: watch::Sender<()>,
}

/// The end of somebody's fetch.
#[derive(Clone, Debug)]
pub(crate) struct Landing(watch::Receiver<()>);

impl Landing {
    /// Waits for it.
    pub(crate) async fn wait(mut self) {
        // An error means that the sender is gone, which is what is waited for.
        let _ = self.0.changed().await;
    }
}

impl Stock {
    pub(crate) fn new(timing: Timing) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Shelves {
            cache: Cache::new(timing),
            circuits: HashMap::new(),
            flights: HashMap::new(),
        })))
    }

    /// Looks for `publication`, which is a use of it.
    pub(crate) fn look(&self, publication: &Publication, now: u64) -> Look {
        self.shelves().cache.look(publication, now)
    }

    /// Whether one of `publications` is to be fetched, and nobody does so yet.
    pub(crate) fn lacks(&self, publications: &[Publication], now: u64) -> bool {
        let mut shelves = self.shelves();
        publications.iter().any(|publication| {
            !shelves.flights.contains_key(publication)
                && matches!(shelves.cache.look(publication, now), Look::Absent { .. })
        })
    }

    /// What happens at `now` about `publication`, which is to be fetched.
    pub(crate) fn depart(self: &Arc<Self>, publication: &Publication, now: u64) -> Departure {
        let mut shelves = self.shelves();
        if let Some(under_way) = shelves.flights.get(publication) {
            return Departure::UnderWay(Landing(under_way.clone()));
        }
        if shelves.flights.len() >= MOST_FLIGHTS {
            return Departure::Refused(now.saturating_add(1));
        }
        let source = publication.source();
        if let Err(until) = shelves.circuits.entry(source).or_default().ask(now) {
            return match shelves.flight_to(source) {
                Some(probe) => Departure::Probing(Landing(probe)),
                None => Departure::Refused(until),
            };
        }
        let (sender, receiver) = watch::channel(());
        shelves
            .flights
            .insert(publication.clone(), receiver.clone());
        Departure::Cleared(Flight {
            publication: publication.clone(),
            stock: Arc::clone(self),
            landing: Landing(receiver),
            _sender: sender,
        })
    }

    /// The publications in use that are to be fetched anew.
    pub(crate) fn due(&self, now: u64) -> Vec<Publication> {
        self.shelves().cache.due(now)
    }

    /// How much is held, and whether each source is left alone.
    pub(crate) fn census(&self, now: u64) -> (Census, [(Source, bool); 3]) {
        let shelves = self.shelves();
        let open = Source::ALL.map(|source| {
            let circuit = shelves.circuits.get(&source);
            (source, circuit.is_some_and(|circuit| circuit.is_open(now)))
        });
        (shelves.cache.census(now), open)
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    /// A fetch from `source` that is under way.
    fn flight_to(&self, source: Source) -> Option<watch::Receiver<()>> {
        self.flights
            .iter()
            .find(|(publication, _)| publication.source() == source)
            .map(|(_, flight)| flight.clone())
    }
}

impl Flight {
    /// What is to be fetched.
    pub(crate) fn publication(&self) -> &Publication {
        &self.publication
    }

    /// For whoever waits for its end.
    pub(crate) fn landing(&self) -> Landing {
        self.landing.clone()
    }

    /// Takes in what came of it at `now`: until when the new edition is in force.
    ///
    /// # Errors
    ///
    /// `outcome`'s own, or [`FetchError::Older`].
    pub(crate) fn land(
        &self,
        outcome: Result<Edition, FetchError>,
        now: u64,
        spread: u32,
    ) -> Result<u64, FetchError> {
        let publication = &self.publication;
        let mut shelves = self.stock.shelves();
        let outcome = outcome.and_then(|edition| {
            let expires = edition.expires;
            let arrived = shelves.cache.arrived(publication, edition, now, spread);
            arrived.map(|()| expires).map_err(|Older| FetchError::Older)
        });
        let circuit = shelves.circuits.entry(publication.source()).or_default();
        match &outcome {
            Err(error) if error.is_of_the_source() => circuit.failed(now, error.wish()),
            _ => circuit.answered(),
        }
        if outcome.is_err() {
            shelves.cache.failed(publication, now);
        }
        outcome
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.stock.shelves().flights.remove(&self.publication);
    }
}

/// Fetches that are under way or wait for their turn.
const MOST_FLIGHTS: usize = 256;
