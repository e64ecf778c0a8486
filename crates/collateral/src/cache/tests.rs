// SPDX-License-Identifier: Apache-2.0
//! What is kept, used and fetched at which time.

use std::sync::Arc;

use super::*;
use crate::amd::chip::{AmdProduct, Firmware, Vcek};
use crate::edition::Content;
use crate::intel::{IntelCa, IntelTee};

const DAY: u64 = 86_400;
const LIST: Publication = Publication::IntelRootCrl;

fn cache() -> Cache {
    Cache::new(Timing {
        refresh_before: DAY,
        maximum_age: 7 * DAY,
        maximum_machines: 3,
    })
}

fn edition(issued: u64, expires: u64) -> Edition {
    Edition {
        content: Arc::new(Content::Certificates(Vec::new())),
        issued,
        expires,
    }
}

fn machine(number: u8) -> Publication {
    Publication::Vcek(Vcek {
        product: AmdProduct::Genoa,
        chip: Arc::from([number; 64]),
        firmware: Firmware::read(AmdProduct::Genoa, [0; 8]),
    })
}

fn freshness(cache: &mut Cache, publication: &Publication, now: u64) -> Option<(Freshness, bool)> {
    match cache.look(publication, now) {
        Look::Usable { freshness, due, .. } => Some((freshness, due)),
        _ => None,
    }
}

#[test]
fn a_publication_is_fresh_then_in_grace_then_expired() {
    let mut cache = cache();
    assert!(matches!(
        cache.look(&LIST, 0),
        Look::Absent { expired: None }
    ));
    cache.arrived(&LIST, edition(0, 5 * DAY), 0, 0).unwrap();
    for (now, expected) in [
        (0, Some((Freshness::Fresh, false))),
        (4 * DAY - 1, Some((Freshness::Fresh, false))),
        (4 * DAY, Some((Freshness::Grace, true))),
        (5 * DAY - 1, Some((Freshness::Grace, true))),
        (5 * DAY, None),
    ] {
        assert_eq!(freshness(&mut cache, &LIST, now), expected, "{now}");
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
    cache.arrived(&LIST, edition(0, 1000 * DAY), 0, 0).unwrap();
    cache
        .arrived(&machine(1), edition(0, 1000 * DAY), 0, 0)
        .unwrap();
    assert_eq!(
        freshness(&mut cache, &LIST, 7 * DAY),
        Some((Freshness::Grace, true))
    );
    let kept = freshness(&mut cache, &machine(1), 999 * DAY - 1);
    assert_eq!(kept, Some((Freshness::Fresh, false)));
}

#[test]
fn what_lives_shortly_is_refreshed_at_half_its_life_and_spread_only_hastens() {
    let timing = cache().timing;
    let at = |expires, spread| timing.refresh_at(&LIST, &edition(0, expires), 0, spread);
    assert_eq!(at(DAY, 0), DAY / 2);
    assert_eq!(at(5 * DAY, 0), 4 * DAY);
    assert_eq!(at(5 * DAY, u32::MAX), 4 * DAY - 4 * DAY / 10);
    assert_eq!(at(0, u32::MAX), 0);
    assert_eq!(timing.refresh_at(&LIST, &edition(0, 5), 10, 0), 10);
}

#[test]
fn failures_leave_what_is_held_and_wait_ever_longer() {
    let mut cache = cache();
    cache.arrived(&LIST, edition(0, 5 * DAY), 0, 0).unwrap();
    let now = 4 * DAY;
    cache.failed(&LIST, now);
    assert_eq!(
        freshness(&mut cache, &LIST, now),
        Some((Freshness::Grace, false))
    );
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
    cache
        .arrived(&LIST, edition(1, 9 * DAY), 5 * DAY, 0)
        .unwrap();
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
    cache.arrived(&LIST, edition(10, 5 * DAY), 10, 0).unwrap();
    assert_eq!(cache.arrived(&LIST, edition(9, 9 * DAY), 11, 0), Err(Older));
    assert!(matches!(
        cache.look(&LIST, 11),
        Look::Usable { edition, .. } if edition.issued == 10 && edition.expires == 5 * DAY
    ));
    cache.arrived(&LIST, edition(10, 5 * DAY), 11, 0).unwrap();
}

#[test]
fn only_what_is_in_use_is_refreshed() {
    let mut cache = cache();
    cache.arrived(&LIST, edition(0, 100 * DAY), 0, 0).unwrap();
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
        .arrived(&Publication::PckCrl { ca }, edition(0, DAY), 0, 0)
        .unwrap();
    cache.arrived(&machine(1), edition(0, DAY), 0, 0).unwrap();
    cache.arrived(&machine(2), edition(0, DAY), 0, 0).unwrap();
    for number in 10..200 {
        cache.look(&machine(number), 0);
        cache.failed(&machine(number), 0);
    }
    assert_eq!(cache.entries.len(), 4);
    assert!(freshness(&mut cache, &machine(1), 0).is_some());
    assert!(freshness(&mut cache, &machine(2), 0).is_some());
    cache.arrived(&machine(3), edition(0, DAY), 0, 0).unwrap();
    cache.look(&machine(1), 0);
    cache.arrived(&machine(4), edition(0, DAY), 0, 0).unwrap();
    assert!(
        freshness(&mut cache, &machine(2), 0).is_none(),
        "least recently used"
    );
    assert!(freshness(&mut cache, &machine(1), 0).is_some());
    assert!(freshness(&mut cache, &Publication::PckCrl { ca }, 0).is_some());
}

#[test]
fn shared_publications_are_bounded_as_well() {
    let mut cache = cache();
    for number in 0..2000_u64 {
        let [_, _, fmspc @ ..] = number.to_be_bytes();
        let tee = IntelTee::Tdx;
        cache.failed(&Publication::TcbInfo { tee, fmspc }, 0);
    }
    assert_eq!(cache.entries.len(), MAXIMUM_SHARED);
}

#[test]
fn the_census_counts_states_and_the_oldest_usable() {
    let mut cache = cache();
    cache.arrived(&machine(1), edition(0, DAY), 0, 0).unwrap();
    cache
        .arrived(&machine(2), edition(0, 3 * DAY), 0, 0)
        .unwrap();
    cache.arrived(&LIST, edition(0, 100 * DAY), DAY, 0).unwrap();
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
