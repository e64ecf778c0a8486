// SPDX-License-Identifier: Apache-2.0
//! What every clock must do.

use std::time::Duration;

use super::patience::soon;
use crate::clock::Clock;

/// Runs every case against a clock whose sleeps end by themselves.
pub async fn clock(clock: &dyn Clock) {
    time_never_goes_back(clock).await;
    sleeps_end_not_before_their_time(clock).await;
    the_shorter_of_two_sleeps_ends_first(clock).await;
    a_sleep_that_is_dropped_disturbs_nobody(clock).await;
    both_times_pass_alike(clock).await;
}

async fn time_never_goes_back(clock: &dyn Clock) {
    let mut last = clock.monotonic();
    for _ in 0..1_000 {
        let now = clock.monotonic();
        assert!(now >= last, "{now:?} after {last:?}");
        last = now;
        tokio::task::yield_now().await;
    }
}

async fn sleeps_end_not_before_their_time(clock: &dyn Clock) {
    for milliseconds in [0, 1, 5, 20] {
        let duration = Duration::from_millis(milliseconds);
        let start = clock.monotonic();
        soon("a sleep", clock.sleep(duration)).await;
        let slept = clock.monotonic() - start;
        assert!(slept >= duration, "{slept:?} of {duration:?}");
    }
}

async fn the_shorter_of_two_sleeps_ends_first(clock: &dyn Clock) {
    let long = clock.sleep(Duration::from_secs(600));
    let short = clock.sleep(Duration::from_millis(10));
    let first = soon("a race of sleeps", async {
        tokio::select! {
            biased;
            () = long => "long",
            () = short => "short",
        }
    });
    assert_eq!(first.await, "short");
}

async fn a_sleep_that_is_dropped_disturbs_nobody(clock: &dyn Clock) {
    {
        let mut dropped = clock.sleep(Duration::from_secs(600));
        tokio::select! {
            biased;
            () = &mut dropped => panic!("600 s are over at once"),
            () = std::future::ready(()) => {}
        }
    }
    soon("a sleep", clock.sleep(Duration::from_millis(1))).await;
}

/// To the second, and with another for a clock that is being set.
async fn both_times_pass_alike(clock: &dyn Clock) {
    let (start, unix) = (clock.monotonic(), clock.unix());
    soon("a sleep", clock.sleep(Duration::from_millis(1_100))).await;
    let passed = (clock.monotonic() - start).as_secs();
    let passed_unix = clock.unix().saturating_sub(unix);
    assert!(passed_unix >= 1, "Unix time stands still");
    assert!(passed_unix.abs_diff(passed) <= 2);
}
