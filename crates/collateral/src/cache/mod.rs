// SPDX-License-Identifier: Apache-2.0
//! What is kept, and for how long: a function of calls and times, without clock or network.
//!
//! | freshness | from | until | used | fetched |
//! |---|---|---|---|---|
//! | fresh | arrival | its refresh time | yes | no |
//! | grace | its refresh time | it runs out | yes | in the background |
//! | expired | it runs out | it is replaced or evicted | never to accept | before an answer |
//!
//! After a failed fetch nothing is asked again before a time that doubles with each failure.
//!
//! Our own: moka reads a clock of its own, and keeps neither what ran out nor how long to wait after
//! a failure.

use std::collections::HashMap;

use crate::edition::Edition;
use crate::publication::Publication;
use crate::waits::Waits;

/// Editions of publications, at most one of each.
#[derive(Debug)]
pub(crate) struct Cache {
    timing: Timing,
    entries: HashMap<Publication, Entry>,
    /// Counts uses, to know which is the least recent.
    uses: u64,
}

/// When to fetch anew, and how much to keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// How long before an edition runs out, seconds.
    pub(crate) refresh_before: u64,
    /// At which age, for what the vendor republishes, seconds.
    pub(crate) maximum_age: u64,
    /// For how many machines certificates are kept.
    pub(crate) maximum_machines: usize,
}

#[derive(Debug)]
struct Entry {
    held: Option<Held>,
    /// The waits after failures in a row; new ones after a success.
    waits: Waits,
    /// Not to be fetched before, Unix seconds.
    wait_until: u64,
    /// The number of its last use.
    used: u64,
    /// When that was, Unix seconds.
    used_at: u64,
}

#[derive(Debug)]
struct Held {
    edition: Edition,
    arrived: u64,
    refresh_at: u64,
}

/// How far an edition is on its way to running out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    Grace,
    Expired,
}

/// What there is of a publication.
#[derive(Clone, Debug)]
pub(crate) enum Look {
    /// To be used.
    Usable {
        edition: Edition,
        freshness: Freshness,
        /// Whether to fetch it anew, without waiting for it.
        due: bool,
    },
    /// Nothing to be used; to be fetched.
    Absent { expired: Option<Edition> },
    /// Nothing to be used, and fetching it failed: not to be fetched before `until`.
    Refused {
        until: u64,
        expired: Option<Edition>,
    },
}

/// How many editions there are of each freshness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) fresh: u64,
    pub(crate) grace: u64,
    pub(crate) expired: u64,
    /// Age of the oldest that can be used, seconds.
    pub(crate) oldest: u64,
}

/// The edition that was fetched is older than the one that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Older;

impl Cache {
    pub(crate) fn new(timing: Timing) -> Self {
        Self {
            timing,
            entries: HashMap::new(),
            uses: 0,
        }
    }

    /// Looks for `publication`, which is a use of it.
    pub(crate) fn look(&mut self, publication: &Publication, now: u64) -> Look {
        self.uses += 1;
        let Some(entry) = self.entries.get_mut(publication) else {
            return Look::Absent { expired: None };
        };
        (entry.used, entry.used_at) = (self.uses, now);
        let waits = now < entry.wait_until;
        match &entry.held {
            Some(held) if now < held.edition.expires => {
                let freshness = held.freshness(now);
                Look::Usable {
                    edition: held.edition.clone(),
                    freshness,
                    due: freshness == Freshness::Grace && !waits,
                }
            }
            held => {
                let expired = held.as_ref().map(|held| held.edition.clone());
                if waits {
                    Look::Refused {
                        until: entry.wait_until,
                        expired,
                    }
                } else {
                    Look::Absent { expired }
                }
            }
        }
    }

    /// Takes in what was fetched at `now`. `spread` (any number) sets apart the refresh times of
    /// what arrived together.
    pub(crate) fn arrived(
        &mut self,
        publication: &Publication,
        edition: Edition,
        now: u64,
        spread: u32,
    ) -> Result<(), Older> {
        let refresh_at = self.timing.refresh_at(publication, &edition, now, spread);
        let entry = self.entry(publication, now);
        let older = entry
            .held
            .as_ref()
            .is_some_and(|held| edition.issued < held.edition.issued);
        if older {
            return Err(Older);
        }
        (entry.waits, entry.wait_until) = (waits(), 0);
        entry.held = Some(Held {
            edition,
            arrived: now,
            refresh_at,
        });
        Ok(())
    }

    /// Notes that `publication` could not be fetched at `now`. What is held remains.
    pub(crate) fn failed(&mut self, publication: &Publication, now: u64) {
        let entry = self.entry(publication, now);
        entry.wait_until = now.saturating_add(entry.waits.next());
    }

    /// The publications in use that are to be fetched anew.
    pub(crate) fn due(&self, now: u64) -> Vec<Publication> {
        let due = |entry: &Entry| {
            let held = entry.held.as_ref()?;
            let in_use = now < entry.used_at.saturating_add(IN_USE);
            (held.refresh_at <= now && entry.wait_until <= now && in_use).then_some(())
        };
        self.entries
            .iter()
            .filter(|(_, entry)| due(entry).is_some())
            .map(|(publication, _)| publication.clone())
            .collect()
    }

    pub(crate) fn census(&self, now: u64) -> Census {
        let mut census = Census::default();
        for held in self
            .entries
            .values()
            .filter_map(|entry| entry.held.as_ref())
        {
            match held.freshness(now) {
                Freshness::Fresh => census.fresh += 1,
                Freshness::Grace => census.grace += 1,
                Freshness::Expired => {
                    census.expired += 1;
                    continue;
                }
            }
            census.oldest = census.oldest.max(now.saturating_sub(held.arrived));
        }
        census
    }

    fn entry(&mut self, publication: &Publication, now: u64) -> &mut Entry {
        if !self.entries.contains_key(publication) {
            self.make_room(publication);
            self.uses += 1;
        }
        let uses = self.uses;
        self.entries
            .entry(publication.clone())
            .or_insert_with(|| Entry {
                held: None,
                waits: waits(),
                wait_until: 0,
                used: uses,
                used_at: now,
            })
    }

    /// Evicts among what is bounded together with `publication`: first what was never obtained, then
    /// what was used longest ago. Strangers name machines; they evict no collateral of platforms.
    fn make_room(&mut self, publication: &Publication) {
        let of_a_machine = publication.is_of_a_machine();
        let limit = if of_a_machine {
            self.timing.maximum_machines
        } else {
            MAXIMUM_SHARED
        };
        let alike = || {
            self.entries
                .iter()
                .filter(move |(publication, _)| publication.is_of_a_machine() == of_a_machine)
        };
        if alike().count() < limit {
            return;
        }
        let least = alike()
            .min_by_key(|(_, entry)| (entry.held.is_some(), entry.used))
            .map(|(publication, _)| publication.clone());
        if let Some(least) = least {
            self.entries.remove(&least);
        }
    }
}

impl Held {
    fn freshness(&self, now: u64) -> Freshness {
        if now >= self.edition.expires {
            Freshness::Expired
        } else if now >= self.refresh_at {
            Freshness::Grace
        } else {
            Freshness::Fresh
        }
    }
}

impl Timing {
    fn refresh_at(
        &self,
        publication: &Publication,
        edition: &Edition,
        now: u64,
        spread: u32,
    ) -> u64 {
        let remaining = edition.expires.saturating_sub(now);
        // What lives shorter than twice the lead is fetched at half its life.
        let mut wait = remaining
            .saturating_sub(self.refresh_before)
            .max(remaining / 2);
        if publication.changes() {
            wait = wait.min(self.maximum_age);
        }
        // Up to a tenth earlier.
        let early = u128::from(wait / 10) * u128::from(spread) / u128::from(u32::MAX);
        let early = u64::try_from(early).unwrap_or(0);
        now.saturating_add(wait - early.min(wait))
    }
}

fn waits() -> Waits {
    Waits::doubling(FIRST_WAIT, LONGEST_WAIT)
}

/// Waits after failures of one publication, seconds.
const FIRST_WAIT: u64 = 10;
const LONGEST_WAIT: u64 = 1800;
/// How long after its last use a publication is still fetched anew, seconds.
const IN_USE: u64 = 7 * 86_400;
/// Most publications that are not of one machine. Intel has tens of platforms, AMD three products.
const MAXIMUM_SHARED: usize = 512;

#[cfg(test)]
mod tests;
