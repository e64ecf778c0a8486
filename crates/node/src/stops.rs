// SPDX-License-Identifier: Apache-2.0
//! Logs that cannot go on, and why, for whoever asks.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use metrics::Gauge;
use subrosa_types::{
    ContractId,
    frame::{ErrorCode, FrameError},
    rpc::{Stop, StopReason},
};

/// What stops which log.
#[derive(Debug)]
pub(crate) struct Stops {
    stops: Mutex<HashMap<ContractId, (Cause, Stop)>>,
    /// How many there are.
    count: Gauge,
}

/// What a log is stopped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// An entry has no result.
    Entry,
    /// What is before it cannot be loaded.
    Load,
}

impl Stops {
    /// Nothing is stopped. `count` shows how many logs are.
    pub(crate) fn new(count: Gauge) -> Self {
        Self {
            stops: Mutex::default(),
            count,
        }
    }

    /// Notes that an entry has no result, and why.
    pub(crate) fn stopped(&self, contract: ContractId, cause: Cause, stop: Stop) {
        self.change(|stops| {
            stops.insert(contract, (cause, stop));
        });
    }

    /// Notes that a log goes on.
    pub(crate) fn goes_on(&self, contract: ContractId) {
        self.change(|stops| {
            stops.remove(&contract);
        });
    }

    /// Notes that a contract is loaded. What stopped its log otherwise stops it still.
    pub(crate) fn loaded(&self, contract: ContractId) {
        self.change(|stops| {
            if stops
                .get(&contract)
                .is_some_and(|(cause, _)| *cause == Cause::Load)
            {
                stops.remove(&contract);
            }
        });
    }

    /// What stops a log, if anything does.
    pub(crate) fn of(&self, contract: ContractId) -> Option<Stop> {
        self.lock().get(&contract).map(|(_, stop)| stop.clone())
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<ContractId, (Cause, Stop)>)) {
        let mut stops = self.lock();
        change(&mut stops);
        self.count.set(stops.len() as f64);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ContractId, (Cause, Stop)>> {
        self.stops.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stop that a refusal to execute entry `seq`, or to load what is before it, is; `None` if trying again at once may help.
pub(crate) fn stop_of(seq: u64, refusal: &FrameError) -> Option<Stop> {
    let reason = match refusal.code {
        ErrorCode::CodeEnvelope => StopReason::Code,
        ErrorCode::MissingKey => StopReason::Key,
        ErrorCode::Generation | ErrorCode::Unsupported => StopReason::Build,
        ErrorCode::Broken => StopReason::Broken,
        ErrorCode::Blob => StopReason::State,
        _ => return None,
    };
    Some(Stop {
        seq,
        reason,
        message: refusal.message.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_seen_until_the_log_goes_on() {
        let stops = Stops::new(Gauge::noop());
        let contract = ContractId::repeat_byte(1);
        let refusal = FrameError::new(ErrorCode::Broken, "the engine broke");
        let stop = stop_of(4, &refusal).unwrap();
        assert_eq!(stop.reason, StopReason::Broken);
        stops.stopped(contract, Cause::Entry, stop.clone());
        stops.loaded(contract);
        assert_eq!(stops.of(contract), Some(stop.clone()));
        stops.goes_on(contract);
        assert_eq!(stops.of(contract), None);
        stops.stopped(contract, Cause::Load, stop);
        stops.loaded(contract);
        assert_eq!(stops.of(contract), None);
        // A proof is fetched again, a state is loaded again.
        for code in [ErrorCode::Proof, ErrorCode::Sequence, ErrorCode::Busy] {
            assert_eq!(stop_of(4, &FrameError::new(code, "")), None);
        }
    }
}
