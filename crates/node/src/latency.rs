// SPDX-License-Identifier: Apache-2.0
//! How long entries take from being seen to having their fulfillment sent.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use subrosa_types::ContractId;

use crate::clock::{Clock, elapsed};

/// When entries were seen that are not sent yet.
#[derive(Debug)]
pub(crate) struct Latency {
    clock: Arc<dyn Clock>,
    seen: Mutex<HashMap<(ContractId, u64), Duration>>,
}

impl Latency {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            seen: Mutex::default(),
        }
    }

    /// Starts the clock of an entry. Of a backlog that nothing is sent of, only the first
    /// [`MOST`] are timed.
    pub(crate) fn seen(&self, contract: ContractId, seq: u64) {
        let mut table = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() < MOST {
            table.insert((contract, seq), self.clock.monotonic());
        }
    }

    /// Stops the clock of an entry.
    pub(crate) fn sent(&self, contract: ContractId, seq: u64) -> Option<Duration> {
        let mut table = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = table.remove(&(contract, seq))?;
        Some(elapsed(self.clock.as_ref(), seen))
    }
}

const MOST: usize = 16_384;

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn an_entry_is_timed_once() {
        let latency = Latency::new(SystemClock::shared());
        latency.seen(B256::ZERO, 3);
        assert!(latency.sent(B256::ZERO, 4).is_none());
        assert!(latency.sent(B256::ZERO, 3).is_some());
        assert!(latency.sent(B256::ZERO, 3).is_none());
    }
}
