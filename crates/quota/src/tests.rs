// SPDX-License-Identifier: Apache-2.0

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// A clock that starts at `now` seconds, and its hand.
fn clock(now: u64) -> (Now, Arc<AtomicU64>) {
    let hand = Arc::new(AtomicU64::new(now));
    let shown = Arc::clone(&hand);
    let now = Arc::new(move || Duration::from_secs(shown.load(Ordering::SeqCst)));
    (now, hand)
}

/// What `limiter` answers at `now`: how many seconds to wait.
fn at(hand: &AtomicU64, now: u64, limiter: &Limiter, client: IpAddr) -> Result<(), u64> {
    hand.store(now, Ordering::SeqCst);
    limiter
        .admit(client)
        .map_err(|wait| wait.as_secs_f64().ceil() as u64)
}

fn v4(last: u32) -> IpAddr {
    IpAddr::from(last.to_be_bytes())
}

#[test]
fn a_burst_passes_then_the_rate_holds() {
    let (now, hand) = clock(0);
    let limiter = Limiter::per_second(2, 3, &now);
    for _ in 0..3 {
        assert_eq!(at(&hand, 100, &limiter, v4(1)), Ok(()));
    }
    assert_eq!(limiter.admit(v4(1)), Err(Duration::from_millis(500)));
    assert_eq!(
        at(&hand, 100, &limiter, v4(2)),
        Ok(()),
        "another client has its own bucket"
    );
    assert_eq!(at(&hand, 101, &limiter, v4(1)), Ok(()));
    assert_eq!(at(&hand, 101, &limiter, v4(1)), Ok(()));
    assert_eq!(at(&hand, 101, &limiter, v4(1)), Err(1));
    for _ in 0..3 {
        assert_eq!(
            at(&hand, 1_000, &limiter, v4(1)),
            Ok(()),
            "no more than a burst accrues"
        );
    }
    assert_eq!(at(&hand, 1_000, &limiter, v4(1)), Err(1));
    assert_eq!(
        at(&hand, 500, &limiter, v4(1)),
        Err(1),
        "a clock that goes back refills nothing"
    );
}

#[test]
fn a_slow_rate_says_how_long_to_wait() {
    let (now, hand) = clock(0);
    let limiter = Limiter::per_minute(2, 2, &now);
    assert_eq!(at(&hand, 100, &limiter, v4(1)), Ok(()));
    assert_eq!(at(&hand, 100, &limiter, v4(1)), Ok(()));
    assert_eq!(at(&hand, 100, &limiter, v4(1)), Err(30));
    assert_eq!(at(&hand, 129, &limiter, v4(1)), Err(1));
    assert_eq!(at(&hand, 130, &limiter, v4(1)), Ok(()));
    assert_eq!(at(&hand, 130, &limiter, v4(1)), Err(30));
}

#[test]
fn an_ipv6_network_is_one_client() {
    let (now, hand) = clock(0);
    let limiter = Limiter::per_second(1, 1, &now);
    let ask = |client: &str| at(&hand, 0, &limiter, client.parse().unwrap());
    assert_eq!(ask("2001:db8::1"), Ok(()));
    assert_eq!(ask("2001:db8::2"), Err(1));
    assert_eq!(ask("2001:db8:0:1::1"), Ok(()));
}

#[test]
fn the_table_is_bounded() {
    let (now, hand) = clock(0);
    let limiter = Limiter::per_second(1, 1, &now);
    for client in 0..=u32::try_from(MAX_CLIENTS).unwrap() {
        assert_eq!(at(&hand, 0, &limiter, v4(client)), Ok(()));
    }
    assert!(limiter.clients.read().unwrap().len() <= MAX_CLIENTS);
}

#[test]
fn the_largest_configuration_is_no_overflow() {
    let (now, hand) = clock(0);
    let slow = Limiter::per_minute(1, u32::MAX, &now);
    let fast = Limiter::per_second(u32::MAX, u32::MAX, &now);
    for now in [0, 1, u64::MAX, 0, u64::MAX] {
        assert_eq!(at(&hand, now, &slow, v4(1)), Ok(()), "{now}");
        assert_eq!(at(&hand, now, &fast, v4(1)), Ok(()), "{now}");
    }
}
