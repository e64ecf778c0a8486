// SPDX-License-Identifier: Apache-2.0
//! Logs that cannot go on, and why, for whoever asks.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use subrosa_types::{
    ContractId,
    frame::{ErrorCode, FrameError},
    rpc::{Stop, StopReason},
};

/// What stops which log.
#[derive(Debug, Default)]
pub(crate) struct Stops(Mutex<HashMap<ContractId, Stop>>);

impl Stops {
    /// Notes that entry `seq` has no result, and why. Returns how many logs are stopped.
    pub(crate) fn stopped(&self, contract: ContractId, stop: Stop) -> usize {
        let mut stops = self.lock();
        stops.insert(contract, stop);
        stops.len()
    }

    /// Notes that a log goes on. Returns how many are stopped.
    pub(crate) fn goes_on(&self, contract: ContractId) -> usize {
        let mut stops = self.lock();
        stops.remove(&contract);
        stops.len()
    }

    /// What stops a log, if anything does.
    pub(crate) fn of(&self, contract: ContractId) -> Option<Stop> {
        self.lock().get(&contract).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ContractId, Stop>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let stops = Stops::default();
        let contract = ContractId::repeat_byte(1);
        let refusal = FrameError::new(ErrorCode::Broken, "the engine broke");
        let stop = stop_of(4, &refusal).unwrap();
        assert_eq!(stop.reason, StopReason::Broken);
        assert_eq!(stops.stopped(contract, stop.clone()), 1);
        assert_eq!(stops.stopped(contract, stop.clone()), 1);
        assert_eq!(stops.of(contract), Some(stop));
        assert_eq!(stops.goes_on(contract), 0);
        assert_eq!(stops.of(contract), None);
        // A proof is fetched again, a state is loaded again.
        for code in [ErrorCode::Proof, ErrorCode::Sequence, ErrorCode::Busy] {
            assert_eq!(stop_of(4, &FrameError::new(code, "")), None);
        }
    }
}
