// SPDX-License-Identifier: Apache-2.0
//! Sessions, which are part of a contract's state: whether one is open is a function of the log,
//! so an envelope that names none is rejected by every enclave alike.

use alloc::vec::Vec;

use subrosa_crypto::{
    Suite,
    envelope::{Session, SessionSecret},
};
use subrosa_types::frame::{ErrorCode, FrameError};
use subrosa_vm::{State, StateKey, WriteSet};

use crate::limits::{MAX_FORGOTTEN, MAX_SESSION_LIFETIME, MAX_SESSIONS};

/// What is kept of a session.
pub(crate) struct SessionRecord {
    /// Timestamp of the entry that opened it.
    pub(crate) opened_at: u64,
    pub(crate) suite: Suite,
    pub(crate) secret: SessionSecret,
    /// Where outputs are sealed to, as the opening call named it; empty if they are public.
    pub(crate) reply_key: Vec<u8>,
}

impl SessionRecord {
    /// The session that entry `seq` opened, unless it has ended by `now`.
    pub(crate) fn find(state: &State, seq: u64, now: u64) -> Option<Self> {
        let record = Self::decode(state.get(&StateKey::Session { seq })?)?;
        (!record.has_ended(now)).then_some(record)
    }

    /// What opens the envelopes of session `seq`.
    pub(crate) fn session(&self, seq: u64) -> Session {
        Session::new(seq, self.suite, &self.secret)
    }

    /// Adds the session that entry `seq` opens, in the place of some that ended and, if there is no
    /// room otherwise, of the oldest.
    pub(crate) fn remember(
        &self,
        state: &State,
        writes: &mut WriteSet,
        seq: u64,
    ) -> Result<(), FrameError> {
        let full = state.sessions().count() >= MAX_SESSIONS;
        for (position, (seq, value)) in state.sessions().take(MAX_FORGOTTEN).enumerate() {
            let ended = Self::decode(value).is_none_or(|record| record.has_ended(self.opened_at));
            if ended || (full && position == 0) {
                writes.remove(StateKey::Session { seq });
            }
        }
        writes
            .insert(StateKey::Session { seq }, self.encode())
            .map_err(|error| FrameError::new(ErrorCode::Unsupported, error))
    }

    fn has_ended(&self, now: u64) -> bool {
        now.saturating_sub(self.opened_at) > MAX_SESSION_LIFETIME
    }

    /// opened at u64 ‖ suite u8 ‖ secret 32 ‖ reply key.
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(41 + self.reply_key.len());
        out.extend_from_slice(&self.opened_at.to_be_bytes());
        out.push(self.suite as u8);
        out.extend_from_slice(self.secret.expose());
        out.extend_from_slice(&self.reply_key);
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (opened_at, rest) = bytes.split_first_chunk()?;
        let (&suite, rest) = rest.split_first()?;
        let (secret, reply_key) = rest.split_first_chunk()?;
        Some(Self {
            opened_at: u64::from_be_bytes(*opened_at),
            suite: Suite::try_from(suite).ok()?,
            secret: SessionSecret::from_bytes(secret),
            reply_key: reply_key.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(opened_at: u64) -> SessionRecord {
        SessionRecord {
            opened_at,
            suite: Suite::XWing,
            secret: SessionSecret::from_bytes(&[7; 32]),
            reply_key: vec![9; 33],
        }
    }

    /// Opens session `seq` at `now`.
    fn open(state: &mut State, seq: u64, now: u64) {
        let mut writes = WriteSet::default();
        record(now).remember(state, &mut writes, seq).unwrap();
        state.apply(&writes);
    }

    fn seqs(state: &State) -> Vec<u64> {
        state.sessions().map(|(seq, _)| seq).collect()
    }

    #[test]
    fn what_is_kept_of_a_session_is_found_again() {
        let mut state = State::new();
        open(&mut state, 5, 1_000);
        let found = SessionRecord::find(&state, 5, 1_000).unwrap();
        assert_eq!(found.encode(), record(1_000).encode());
        assert!(SessionRecord::find(&state, 6, 1_000).is_none());
        assert!(SessionRecord::find(&state, 5, 1_000 + MAX_SESSION_LIFETIME).is_some());
        assert!(SessionRecord::find(&state, 5, 1_001 + MAX_SESSION_LIFETIME).is_none());
    }

    #[test]
    fn the_oldest_session_makes_room_once_there_is_none() {
        let mut state = State::new();
        let most = MAX_SESSIONS as u64;
        for seq in 0..most {
            open(&mut state, seq, 1_000);
        }
        assert_eq!(seqs(&state), (0..most).collect::<Vec<_>>());
        open(&mut state, most, 1_000);
        assert_eq!(seqs(&state), (1..=most).collect::<Vec<_>>());
    }

    #[test]
    fn sessions_that_ended_are_forgotten_a_few_at_a_time() {
        let mut state = State::new();
        for seq in 0..6 {
            open(&mut state, seq, 1_000);
        }
        let later = 1_001 + MAX_SESSION_LIFETIME;
        open(&mut state, 6, later);
        assert_eq!(seqs(&state), [4, 5, 6]);
        open(&mut state, 7, later);
        assert_eq!(seqs(&state), [6, 7]);
    }
}
