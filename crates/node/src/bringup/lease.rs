// SPDX-License-Identifier: Apache-2.0
//! Keeping a serving enclave's signer leased.

use std::time::Duration;

use tracing::warn;

use super::{admission, needs::Needs};
use crate::{clock::Clock, serving::Serving};

/// Renews the lease again and again; returns when it has ended, as renewing it then is too late.
///
/// The first attempt is made as long before the end as configured, or half-way through a lease that
/// is short altogether, and each further one when half of what was left is gone.
pub(super) async fn keep(needs: &Needs, serving: &Serving) {
    let notice = needs.settings.renew_before_seconds;
    let metrics = &needs.metrics;
    let clock = needs.clock.as_ref();
    let mut until = serving.lease_until;
    loop {
        metrics.lease_until.set(until as f64);
        metrics.lease_ending.set(0.0);
        let mut wait = first_attempt(left(clock, until), notice);
        until = loop {
            clock.sleep(Duration::from_secs(wait)).await;
            if left(clock, until) == 0 {
                return;
            }
            let renewed = admission::enroll(needs, &serving.link, &serving.started, until).await;
            match renewed {
                Ok(renewed) if renewed > until => break renewed,
                Ok(_) => warn!(until, "the signer's lease was renewed, but lasts no longer"),
                Err(error) => warn!(
                    until,
                    error = &error as &dyn std::error::Error,
                    "cannot renew the signer's lease, trying again until it ends"
                ),
            }
            metrics.lease_ending.set(1.0);
            wait = next_attempt(left(clock, until));
        };
    }
}

/// Seconds until then.
fn left(clock: &dyn Clock, until: u64) -> u64 {
    until.saturating_sub(clock.unix())
}

/// Seconds to wait before renewing a lease for the first time.
fn first_attempt(left: u64, notice: u64) -> u64 {
    left - notice.min(left / 2)
}

/// Seconds to wait after an attempt that failed.
fn next_attempt(left: u64) -> u64 {
    (left / 2).max(SHORTEST_WAIT).min(left)
}

/// Seconds that attempts are apart at least.
const SHORTEST_WAIT: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_lease_is_renewed_on_notice_and_a_short_one_half_way() {
        assert_eq!(first_attempt(86_400, 3_600), 82_800);
        assert_eq!(first_attempt(60, 3_600), 30);
        assert_eq!(first_attempt(0, 3_600), 0);
    }

    #[test]
    fn attempts_get_closer_and_end_with_the_lease() {
        let mut left = 3_600;
        let mut attempts = 0;
        while left > 0 {
            let wait = next_attempt(left);
            assert!(wait > 0 && wait <= left);
            left -= wait;
            attempts += 1;
        }
        assert_eq!(attempts, 10);
    }
}
