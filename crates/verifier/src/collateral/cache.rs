// SPDX-License-Identifier: Apache-2.0
//! What is kept, and for how long: a function of calls and times, without clock or network.
//!
//! | state | from | until | used | fetched |
//! |---|---|---|---|---|
//! | fresh | arrival | its refresh time | yes | no |
//! | grace | its refresh time | it runs out | yes | in the background |
//! | expired | it runs out | it is replaced or evicted | never to accept | before an answer |
//!
//! After a failed fetch nothing is asked again before a time that doubles with each failure.

use std::collections::HashMap;

use super::content::Dated;
use super::piece::Piece;

/// Pieces of collateral.
#[derive(Debug)]
pub(super) struct Cache {
    timing: Timing,
    entries: HashMap<Piece, Entry>,
    /// Counts uses, to know which is the least recent.
    uses: u64,
}

/// When to fetch anew, and how much to keep.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// How long before a piece runs out, seconds.
    pub(super) refresh_before: u64,
    /// At which age, for what the vendor republishes, seconds.
    pub(super) maximum_age: u64,
    /// For how many machines pieces are kept.
    pub(super) maximum_machines: usize,
}

#[derive(Debug, Default)]
struct Entry {
    held: Option<Held>,
    /// Fetches that failed since the last that did not.
    failures: u32,
    /// Not to be fetched before, Unix seconds.
    wait_until: u64,
    /// The number of its last use.
    used: u64,
    /// When that was, Unix seconds.
    used_at: u64,
}

#[derive(Debug)]
struct Held {
    dated: Dated,
    arrived: u64,
    refresh_at: u64,
}

/// Whether a piece can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Fresh,
    Grace,
    Expired,
}

/// What there is of a piece.
#[derive(Clone, Debug)]
pub(super) enum Look {
    /// To be used.
    Usable {
        dated: Dated,
        state: State,
        /// Whether to fetch it anew, without waiting for it.
        due: bool,
    },
    /// Nothing to be used; to be fetched.
    Absent { expired: Option<Dated> },
    /// Nothing to be used, and asked for in vain: not to be fetched before.
    Refused { until: u64, expired: Option<Dated> },
}

/// How many pieces there are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    pub(super) fresh: u64,
    pub(super) grace: u64,
    pub(super) expired: u64,
    /// Age of the oldest that can be used, seconds.
    pub(super) oldest: u64,
}

/// The source gave out an older edition than the one that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Older;

impl Cache {
    pub(super) fn new(timing: Timing) -> Self {
        Self {
            timing,
            entries: HashMap::new(),
            uses: 0,
        }
    }

    /// Looks for `piece`, which is a use of it.
    pub(super) fn look(&mut self, piece: &Piece, now: u64) -> Look {
        self.uses += 1;
        let Some(entry) = self.entries.get_mut(piece) else {
            return Look::Absent { expired: None };
        };
        (entry.used, entry.used_at) = (self.uses, now);
        let waits = now < entry.wait_until;
        match &entry.held {
            Some(held) if now < held.dated.expires => {
                let state = held.state(now);
                Look::Usable {
                    dated: held.dated.clone(),
                    state,
                    due: state == State::Grace && !waits,
                }
            }
            held => {
                let expired = held.as_ref().map(|held| held.dated.clone());
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
    /// pieces that arrived together.
    pub(super) fn arrived(
        &mut self,
        piece: &Piece,
        dated: Dated,
        now: u64,
        spread: u32,
    ) -> Result<(), Older> {
        let refresh_at = self.timing.refresh_at(piece, &dated, now, spread);
        let entry = self.entry(piece, now);
        let older = entry
            .held
            .as_ref()
            .is_some_and(|held| dated.issued < held.dated.issued);
        if older {
            return Err(Older);
        }
        (entry.failures, entry.wait_until) = (0, 0);
        entry.held = Some(Held {
            dated,
            arrived: now,
            refresh_at,
        });
        Ok(())
    }

    /// Notes that `piece` could not be fetched at `now`. What is held remains.
    pub(super) fn failed(&mut self, piece: &Piece, now: u64) {
        let entry = self.entry(piece, now);
        entry.wait_until = now.saturating_add(backoff(entry.failures, FIRST_WAIT, LONGEST_WAIT));
        entry.failures = entry.failures.saturating_add(1);
    }

    /// The pieces in use that are to be fetched anew.
    pub(super) fn due(&self, now: u64) -> Vec<Piece> {
        let due = |entry: &Entry| {
            let held = entry.held.as_ref()?;
            let in_use = now < entry.used_at.saturating_add(IN_USE);
            (held.refresh_at <= now && entry.wait_until <= now && in_use).then_some(())
        };
        self.entries
            .iter()
            .filter(|(_, entry)| due(entry).is_some())
            .map(|(piece, _)| piece.clone())
            .collect()
    }

    pub(super) fn census(&self, now: u64) -> Census {
        let mut census = Census::default();
        for held in self
            .entries
            .values()
            .filter_map(|entry| entry.held.as_ref())
        {
            match held.state(now) {
                State::Fresh => census.fresh += 1,
                State::Grace => census.grace += 1,
                State::Expired => {
                    census.expired += 1;
                    continue;
                }
            }
            census.oldest = census.oldest.max(now.saturating_sub(held.arrived));
        }
        census
    }

    fn entry(&mut self, piece: &Piece, now: u64) -> &mut Entry {
        if !self.entries.contains_key(piece) {
            self.make_room(piece);
            self.uses += 1;
        }
        let uses = self.uses;
        self.entries.entry(piece.clone()).or_insert_with(|| Entry {
            used: uses,
            used_at: now,
            ..Entry::default()
        })
    }

    /// Evicts among what is bounded together with `piece`: first what was never obtained, then
    /// what was used longest ago. Strangers name machines; they evict no collateral of platforms.
    fn make_room(&mut self, piece: &Piece) {
        let of_a_machine = piece.is_of_a_machine();
        let limit = if of_a_machine {
            self.timing.maximum_machines
        } else {
            MAXIMUM_SHARED
        };
        let alike = || {
            self.entries
                .iter()
                .filter(move |(piece, _)| piece.is_of_a_machine() == of_a_machine)
        };
        if alike().count() < limit {
            return;
        }
        let least = alike()
            .min_by_key(|(_, entry)| (entry.held.is_some(), entry.used))
            .map(|(piece, _)| piece.clone());
        if let Some(least) = least {
            self.entries.remove(&least);
        }
    }
}

impl Held {
    fn state(&self, now: u64) -> State {
        if now >= self.dated.expires {
            State::Expired
        } else if now >= self.refresh_at {
            State::Grace
        } else {
            State::Fresh
        }
    }
}

impl Timing {
    fn refresh_at(&self, piece: &Piece, dated: &Dated, now: u64, spread: u32) -> u64 {
        let remaining = dated.expires.saturating_sub(now);
        // What lives shorter than twice the lead is fetched at half its life.
        let mut wait = remaining
            .saturating_sub(self.refresh_before)
            .max(remaining / 2);
        if piece.changes() {
            wait = wait.min(self.maximum_age);
        }
        // Up to a tenth earlier.
        let early = u128::from(wait / 10) * u128::from(spread) / u128::from(u32::MAX);
        let early = u64::try_from(early).unwrap_or(0);
        now.saturating_add(wait - early.min(wait))
    }
}

/// `first` seconds, doubled with every failure before this one, at most `longest`.
pub(super) fn backoff(failures: u32, first: u64, longest: u64) -> u64 {
    let factor = 1_u64.checked_shl(failures).unwrap_or(u64::MAX);
    first.saturating_mul(factor).min(longest)
}

/// Waits after failures of one piece, seconds.
const FIRST_WAIT: u64 = 10;
const LONGEST_WAIT: u64 = 1800;
/// How long after its last use a piece is still fetched anew, seconds.
const IN_USE: u64 = 7 * 86_400;
/// Bound on pieces that are not of one machine. Intel has tens of platforms, AMD three products.
const MAXIMUM_SHARED: usize = 512;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::collateral::content::Content;
    use crate::collateral::piece::{AmdProduct, Firmware, IntelCa, Vcek};

    const DAY: u64 = 86_400;
    const LIST: Piece = Piece::IntelRootCrl;

    fn cache() -> Cache {
        Cache::new(Timing {
            refresh_before: DAY,
            maximum_age: 7 * DAY,
            maximum_machines: 3,
        })
    }

    fn dated(issued: u64, expires: u64) -> Dated {
        Dated {
            content: Arc::new(Content::Certificates(Vec::new())),
            issued,
            expires,
        }
    }

    fn machine(number: u8) -> Piece {
        Piece::Vcek(Vcek {
            product: AmdProduct::Genoa,
            chip: Arc::from([number; 64]),
            firmware: Firmware::read(AmdProduct::Genoa, [0; 8]),
        })
    }

    fn state(cache: &mut Cache, piece: &Piece, now: u64) -> Option<(State, bool)> {
        match cache.look(piece, now) {
            Look::Usable { state, due, .. } => Some((state, due)),
            _ => None,
        }
    }

    #[test]
    fn a_piece_is_fresh_then_in_grace_then_expired() {
        let mut cache = cache();
        assert!(matches!(
            cache.look(&LIST, 0),
            Look::Absent { expired: None }
        ));
        cache.arrived(&LIST, dated(0, 5 * DAY), 0, 0).unwrap();
        for (now, expected) in [
            (0, Some((State::Fresh, false))),
            (4 * DAY - 1, Some((State::Fresh, false))),
            (4 * DAY, Some((State::Grace, true))),
            (5 * DAY - 1, Some((State::Grace, true))),
            (5 * DAY, None),
        ] {
            assert_eq!(state(&mut cache, &LIST, now), expected, "{now}");
        }
        assert!(
            matches!(
                cache.look(&LIST, 5 * DAY),
                Look::Absent { expired: Some(_) }
            ),
            "what ran out is told apart and never usable"
        );
    }

    #[test]
    fn what_is_republished_ages_and_a_machines_certificate_does_not() {
        let mut cache = cache();
        cache.arrived(&LIST, dated(0, 1000 * DAY), 0, 0).unwrap();
        cache
            .arrived(&machine(1), dated(0, 1000 * DAY), 0, 0)
            .unwrap();
        assert_eq!(
            state(&mut cache, &LIST, 7 * DAY),
            Some((State::Grace, true))
        );
        let kept = state(&mut cache, &machine(1), 999 * DAY - 1);
        assert_eq!(kept, Some((State::Fresh, false)));
    }

    #[test]
    fn what_lives_shortly_is_refreshed_at_half_its_life_and_spread_only_hastens() {
        let timing = cache().timing;
        let at = |expires, spread| timing.refresh_at(&LIST, &dated(0, expires), 0, spread);
        assert_eq!(at(DAY, 0), DAY / 2);
        assert_eq!(at(5 * DAY, 0), 4 * DAY);
        assert_eq!(at(5 * DAY, u32::MAX), 4 * DAY - 4 * DAY / 10);
        assert_eq!(at(0, u32::MAX), 0);
        assert_eq!(timing.refresh_at(&LIST, &dated(0, 5), 10, 0), 10);
    }

    #[test]
    fn failures_leave_what_is_held_and_wait_ever_longer() {
        let mut cache = cache();
        cache.arrived(&LIST, dated(0, 5 * DAY), 0, 0).unwrap();
        let now = 4 * DAY;
        cache.failed(&LIST, now);
        assert_eq!(state(&mut cache, &LIST, now), Some((State::Grace, false)));
        assert_eq!(cache.due(now), []);
        assert_eq!(cache.due(now + 10), [LIST]);
        cache.failed(&LIST, now + 10);
        assert_eq!(cache.due(now + 29), []);
        assert_eq!(cache.due(now + 30), [LIST]);
        for _ in 0..200 {
            cache.failed(&LIST, now);
        }
        assert_eq!(cache.due(now + 1799), []);
        assert_eq!(cache.due(now + 1800), [LIST]);
        cache.failed(&LIST, 5 * DAY);
        match cache.look(&LIST, 5 * DAY) {
            Look::Refused { until, expired } => {
                assert_eq!(until, 5 * DAY + 1800);
                assert!(expired.is_some());
            }
            other => panic!("{other:?}"),
        }
        cache.arrived(&LIST, dated(1, 9 * DAY), 5 * DAY, 0).unwrap();
        cache.failed(&LIST, 5 * DAY);
        assert_eq!(
            cache.entries[&LIST].wait_until,
            5 * DAY + 10,
            "success forgets"
        );
    }

    #[test]
    fn an_older_edition_never_replaces_a_newer_one() {
        let mut cache = cache();
        cache.arrived(&LIST, dated(10, 5 * DAY), 10, 0).unwrap();
        assert_eq!(cache.arrived(&LIST, dated(9, 9 * DAY), 11, 0), Err(Older));
        assert!(matches!(
            cache.look(&LIST, 11),
            Look::Usable { dated, .. } if dated.issued == 10 && dated.expires == 5 * DAY
        ));
        cache.arrived(&LIST, dated(10, 5 * DAY), 11, 0).unwrap();
    }

    #[test]
    fn only_what_is_in_use_is_refreshed() {
        let mut cache = cache();
        cache.arrived(&LIST, dated(0, 100 * DAY), 0, 0).unwrap();
        cache.look(&LIST, DAY);
        assert_eq!(cache.due(7 * DAY), [LIST]);
        assert_eq!(cache.due(8 * DAY), []);
        cache.look(&LIST, 8 * DAY);
        assert_eq!(cache.due(8 * DAY), [LIST]);
    }

    #[test]
    fn invented_machines_evict_each_other_before_anything_genuine() {
        let mut cache = cache();
        let ca = IntelCa::Platform;
        cache
            .arrived(&Piece::PckCrl { ca }, dated(0, DAY), 0, 0)
            .unwrap();
        cache.arrived(&machine(1), dated(0, DAY), 0, 0).unwrap();
        cache.arrived(&machine(2), dated(0, DAY), 0, 0).unwrap();
        for number in 10..200 {
            cache.look(&machine(number), 0);
            cache.failed(&machine(number), 0);
        }
        assert_eq!(cache.entries.len(), 4);
        assert!(state(&mut cache, &machine(1), 0).is_some());
        assert!(state(&mut cache, &machine(2), 0).is_some());
        cache.arrived(&machine(3), dated(0, DAY), 0, 0).unwrap();
        cache.look(&machine(1), 0);
        cache.arrived(&machine(4), dated(0, DAY), 0, 0).unwrap();
        assert!(
            state(&mut cache, &machine(2), 0).is_none(),
            "least recently used"
        );
        assert!(state(&mut cache, &machine(1), 0).is_some());
        assert!(state(&mut cache, &Piece::PckCrl { ca }, 0).is_some());
    }

    #[test]
    fn shared_pieces_are_bounded_as_well() {
        let mut cache = cache();
        for number in 0..2000_u64 {
            let [_, _, fmspc @ ..] = number.to_be_bytes();
            let tee = crate::collateral::piece::IntelTee::Tdx;
            cache.failed(&Piece::TcbInfo { tee, fmspc }, 0);
        }
        assert_eq!(cache.entries.len(), MAXIMUM_SHARED);
    }

    #[test]
    fn the_census_counts_states_and_the_oldest_usable() {
        let mut cache = cache();
        cache.arrived(&machine(1), dated(0, DAY), 0, 0).unwrap();
        cache.arrived(&machine(2), dated(0, 3 * DAY), 0, 0).unwrap();
        cache.arrived(&LIST, dated(0, 100 * DAY), DAY, 0).unwrap();
        cache.failed(&machine(3), 0);
        let census = cache.census(2 * DAY);
        assert_eq!(
            census,
            Census {
                fresh: 1,
                grace: 1,
                expired: 1,
                oldest: 2 * DAY
            }
        );
    }
}
