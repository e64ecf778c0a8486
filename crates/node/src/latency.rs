// SPDX-License-Identifier: Apache-2.0
//! How long entries take from being seen to having their fulfillment sent.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use subrosa_types::ContractId;

/// When entries were seen that are not sent yet.
#[derive(Debug, Default)]
pub(crate) struct Latency(Mutex<HashMap<(ContractId, u64), Instant>>);

impl Latency {
    /// Starts the clock of an entry. Of a backlog that nothing is sent of, only the first
    /// [`MOST`] are timed.
    pub(crate) fn seen(&self, contract: ContractId, seq: u64) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() < MOST {
            table.insert((contract, seq), Instant::now());
        }
    }

    /// Stops the clock of an entry.
    pub(crate) fn sent(&self, contract: ContractId, seq: u64) -> Option<Duration> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.remove(&(contract, seq)).map(|seen| seen.elapsed())
    }
}

const MOST: usize = 16_384;

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;

    #[test]
    fn an_entry_is_timed_once() {
        let latency = Latency::default();
        latency.seen(B256::ZERO, 3);
        assert!(latency.sent(B256::ZERO, 4).is_none());
        assert!(latency.sent(B256::ZERO, 3).is_some());
        assert!(latency.sent(B256::ZERO, 3).is_none());
    }
}
