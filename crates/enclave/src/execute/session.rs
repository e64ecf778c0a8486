// SPDX-License-Identifier: Apache-2.0
//! Sessions, which are part of a contract's state: whether one is open is a function of the log,
//! so an envelope that names none is rejected by every enclave alike.

use alloc::vec::Vec;

use subrosa_crypto::{
    Suite,
    envelope::{Session, SessionSecret},
};
use subrosa_types::frame::{ErrorCode, FrameError};
use subrosa_vm::{Holder, State, StateKey, WriteSet};

use super::places::make_room_for_session;
use crate::limits::{MAX_FORGOTTEN, MAX_SESSION_LIFETIME};

/// What is kept of a session.
pub(crate) struct SessionRecord {
    /// Timestamp of the entry that opened it.
    pub(crate) opened_at: u64,
    pub(crate) suite: Suite,
    pub(crate) secret: SessionSecret,
    /// Whether outputs are sealed, as the opening call said by naming a reply key.
    pub(crate) seals_outputs: bool,
}

impl SessionRecord {
    /// The session of `holder` that entry `seq` opened, unless it has ended by `now`.
    pub(crate) fn find(state: &State, holder: Holder, seq: u64, now: u64) -> Option<Self> {
        let record = Self::decode(state.get(&StateKey::Session { seq, holder })?)?;
        (!record.has_ended(now)).then_some(record)
    }

    /// What opens the envelopes of session `seq`, and seals the replies to them.
    pub(crate) fn session(&self, seq: u64) -> Session {
        Session::new(seq, self.suite, &self.secret)
    }

    /// Adds the session that entry `seq` opens for `holder`, in the place of its oldest if it has
    /// no room otherwise, and forgets a few that ended, whoever's.
    pub(crate) fn remember(
        &self,
        state: &State,
        writes: &mut WriteSet,
        holder: Holder,
        seq: u64,
    ) -> Result<(), FrameError> {
        for (seq, holder, value) in state.sessions().take(MAX_FORGOTTEN) {
            if Self::decode(value).is_none_or(|record| record.has_ended(self.opened_at)) {
                writes.remove(StateKey::Session { seq, holder });
            }
        }
        make_room_for_session(state, &holder, writes);
        writes
            .insert(StateKey::Session { seq, holder }, self.encode())
            .map_err(|error| FrameError::new(ErrorCode::Unsupported, error))
    }

    fn has_ended(&self, now: u64) -> bool {
        now.saturating_sub(self.opened_at) > MAX_SESSION_LIFETIME
    }

    /// opened at u64 ‖ suite u8 ‖ whether outputs are sealed u8 ‖ secret 32.
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(42);
        out.extend_from_slice(&self.opened_at.to_be_bytes());
        out.extend_from_slice(&[self.suite as u8, u8::from(self.seals_outputs)]);
        out.extend_from_slice(self.secret.expose());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (opened_at, rest) = bytes.split_first_chunk()?;
        let (&[suite, seals_outputs], secret) = rest.split_first_chunk()?;
        Some(Self {
            opened_at: u64::from_be_bytes(*opened_at),
            suite: Suite::try_from(suite).ok()?,
            secret: SessionSecret::from_bytes(secret.try_into().ok()?),
            seals_outputs: seals_outputs != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;

    use super::*;
    use crate::limits::{MAX_HOLDER_SESSIONS, MAX_REQUESTER_SESSIONS, SESSIONS_KEPT};

    const ALICE: Holder = holder(0xa);

    const fn holder(user: u8) -> Holder {
        Holder {
            requester: Address::repeat_byte(1),
            user: Address::repeat_byte(user),
        }
    }

    fn record(opened_at: u64) -> SessionRecord {
        SessionRecord {
            opened_at,
            suite: Suite::XWing,
            secret: SessionSecret::from_bytes(&[7; 32]),
            seals_outputs: true,
        }
    }

    /// Opens session `seq` at `now`.
    fn open(state: &mut State, holder: Holder, seq: u64, now: u64) {
        let mut writes = WriteSet::default();
        record(now)
            .remember(state, &mut writes, holder, seq)
            .unwrap();
        state.apply(&writes);
    }

    fn seqs(state: &State) -> Vec<u64> {
        state.sessions().map(|(seq, ..)| seq).collect()
    }

    #[test]
    fn what_is_kept_of_a_session_is_found_again_by_its_holder() {
        let mut state = State::new();
        open(&mut state, ALICE, 5, 1_000);
        let find = |holder, seq, now| SessionRecord::find(&state, holder, seq, now);
        let found = find(ALICE, 5, 1_000).unwrap();
        assert_eq!(found.encode(), record(1_000).encode());
        assert!(find(ALICE, 6, 1_000).is_none());
        assert!(find(holder(0xb), 5, 1_000).is_none());
        assert!(find(ALICE, 5, 1_000 + MAX_SESSION_LIFETIME).is_some());
        assert!(find(ALICE, 5, 1_001 + MAX_SESSION_LIFETIME).is_none());
    }

    #[test]
    fn ones_own_oldest_session_makes_room_once_there_is_none() {
        let mut state = State::new();
        let most = MAX_HOLDER_SESSIONS as u64;
        open(&mut state, holder(0xb), 0, 1_000);
        for seq in 1..=most {
            open(&mut state, ALICE, seq, 1_000);
        }
        assert_eq!(seqs(&state), (0..=most).collect::<Vec<_>>());
        open(&mut state, ALICE, most + 1, 1_000);
        let left: Vec<_> = [0].into_iter().chain(2..=most + 1).collect();
        assert_eq!(seqs(&state), left);
    }

    #[test]
    fn a_full_share_leaves_everybody_a_place_and_ends_no_session_of_another() {
        let mut state = State::new();
        let mut next = 0;
        let mut user = 0u16;
        while state.share_of(ALICE.requester).sessions < MAX_REQUESTER_SESSIONS {
            let mut stranger = holder(0xee);
            stranger.user.0[..2].copy_from_slice(&user.to_be_bytes());
            user += 1;
            for _ in 0..MAX_HOLDER_SESSIONS {
                open(&mut state, stranger, next, 1_000);
                next += 1;
            }
        }
        let strangers = seqs(&state);
        let mut own = Vec::new();
        for _ in 0..=SESSIONS_KEPT {
            open(&mut state, ALICE, next, 1_000);
            own.push(next);
            next += 1;
        }
        assert_eq!(state.sessions_of(&ALICE), own[1..]);
        let expected: Vec<_> = strangers.into_iter().chain(own.drain(1..)).collect();
        assert_eq!(seqs(&state), expected);
    }

    #[test]
    fn sessions_that_ended_are_forgotten_a_few_at_a_time() {
        let mut state = State::new();
        let few = MAX_FORGOTTEN as u64;
        for seq in 0..few + 2 {
            open(&mut state, holder(seq as u8), seq, 1_000);
        }
        let later = 1_001 + MAX_SESSION_LIFETIME;
        open(&mut state, ALICE, few + 2, later);
        assert_eq!(seqs(&state), [few, few + 1, few + 2]);
        open(&mut state, ALICE, few + 3, later);
        assert_eq!(seqs(&state), [few + 2, few + 3]);
    }
}
