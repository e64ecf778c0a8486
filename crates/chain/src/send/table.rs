// SPDX-License-Identifier: Apache-2.0
//! Which nonces are used, and by what.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use alloy::primitives::Bytes;

use super::attempt::Fees;

/// The nonces of one key.
#[derive(Default)]
pub(super) struct Table {
    /// How many transactions are mined, as far as is known.
    mined: u64,
    /// Nonces whose transactions are being seen through.
    in_flight: BTreeSet<u64>,
    /// What was mined lately, by nonce: a reorganisation may drop it.
    settled: BTreeMap<u64, Bytes>,
    fees: Option<(Instant, Fees)>,
}

impl Table {
    /// The lowest nonce that nothing uses.
    pub(super) fn free_nonce(&self) -> u64 {
        let mut nonce = self.mined;
        while self.in_flight.contains(&nonce) {
            nonce += 1;
        }
        nonce
    }

    /// Learns that at least this many transactions are mined.
    pub(super) fn confirm(&mut self, mined: u64) {
        self.mined = self.mined.max(mined);
    }

    /// Learns how many transactions are mined now, which may be fewer than before.
    pub(super) fn reset(&mut self, mined: u64) {
        self.mined = mined;
    }

    /// A nonce is used from now on.
    pub(super) fn start(&mut self, nonce: u64) {
        self.in_flight.insert(nonce);
    }

    /// A nonce is used up, by this transaction if it is one of ours.
    pub(super) fn finish(&mut self, nonce: u64, raw: Option<Bytes>) {
        self.in_flight.remove(&nonce);
        self.confirm(nonce.saturating_add(1));
        if let Some(raw) = raw {
            self.settled.insert(nonce, raw);
        }
        while self.settled.len() > MAX_SETTLED {
            self.settled.pop_first();
        }
    }

    /// The transaction to broadcast again if the chain waits for `nonce` and nothing is in flight
    /// for it: a reorganisation dropped it.
    pub(super) fn dropped(&self, nonce: u64) -> Option<Bytes> {
        if self.in_flight.contains(&nonce) {
            return None;
        }
        self.settled.get(&nonce).cloned()
    }

    pub(super) fn recent_fees(&self) -> Option<Fees> {
        let (since, fees) = self.fees?;
        (since.elapsed() < FEES_LAST).then_some(fees)
    }

    pub(super) fn remember(&mut self, fees: Fees) {
        self.fees = Some((Instant::now(), fees));
    }

    pub(super) fn forget_fees(&mut self) {
        self.fees = None;
    }
}

/// How many mined transactions are remembered.
const MAX_SETTLED: usize = 128;

/// How long an estimate of fees is used.
const FEES_LAST: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_nonce_is_used() {
        let mut table = Table::default();
        table.confirm(5);
        assert_eq!(table.free_nonce(), 5);
        for nonce in [5, 6, 8] {
            table.start(nonce);
        }
        assert_eq!(table.free_nonce(), 7);
        table.start(7);
        assert_eq!(table.free_nonce(), 9);
        table.finish(5, Some(Bytes::from_static(b"five")));
        assert_eq!(table.free_nonce(), 9);
        // The chain goes back: nonce 5 is free again, and what was there is remembered.
        table.reset(5);
        assert_eq!(table.free_nonce(), 5);
        assert_eq!(table.dropped(5), Some(Bytes::from_static(b"five")));
        assert_eq!(table.dropped(6), None);
        table.confirm(3);
        assert_eq!(table.free_nonce(), 5);
    }
}
