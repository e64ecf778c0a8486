// SPDX-License-Identifier: Apache-2.0
//! How much a contract remembers for whom: the ids of envelopes, and sessions.
//!
//! Both belong to a [`Holder`]. What decides is the contract's state alone, so that every enclave
//! decides alike, and of what a stranger sends nothing counts against another holder's own place:
//! beyond it a holder may have more while its requester's share has room. Only a holder's own
//! sessions are ever ended before their time, and an envelope's id is never forgotten before it
//! expires, or the envelope would open again.

use subrosa_vm::{Holder, State, StateKey, WriteSet};

use crate::limits::{
    ENVELOPES_KEPT, MAX_FORGOTTEN, MAX_HOLDER_ENVELOPES, MAX_HOLDER_SESSIONS, MAX_KEPT_BYTES,
    MAX_REQUESTER_ENVELOPES, MAX_REQUESTER_SESSIONS, SESSIONS_KEPT,
};

/// Whether one more envelope's id can be remembered for `holder`.
pub(super) fn takes_envelope(state: &State, holder: &Holder) -> bool {
    let own = state.envelopes_of(holder);
    let share = state.share_of(holder.requester).envelopes;
    let has_place = own < ENVELOPES_KEPT;
    let has_more = own < MAX_HOLDER_ENVELOPES && share < MAX_REQUESTER_ENVELOPES;
    (has_place || has_more) && state.kept_size() < MAX_KEPT_BYTES
}

/// Whether one more session can be remembered for `holder`, in the place of its oldest if need be.
pub(super) fn takes_session(state: &State, holder: &Holder) -> bool {
    state.kept_size() < MAX_KEPT_BYTES || !state.sessions_of(holder).is_empty()
}

/// Ends the oldest of `holder`'s sessions if one more would be too many.
pub(super) fn make_room_for_session(state: &State, holder: &Holder, writes: &mut WriteSet) {
    let own = state.sessions_of(holder);
    let share = state.share_of(holder.requester).sessions;
    let has_place = own.len() < SESSIONS_KEPT;
    let has_more = own.len() < MAX_HOLDER_SESSIONS && share < MAX_REQUESTER_SESSIONS;
    if (has_place || has_more) && state.kept_size() < MAX_KEPT_BYTES {
        return;
    }
    if let Some(seq) = own.first() {
        writes.remove(StateKey::Session {
            seq: *seq,
            holder: *holder,
        });
    }
}

/// Forgets a few envelopes' ids, whoever's, that have expired by `now`.
pub(super) fn forget_expired(state: &State, now: u64, writes: &mut WriteSet) {
    for expired in state.seen_expired(now).take(MAX_FORGOTTEN) {
        writes.remove(expired);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use alloy_primitives::Address;

    use super::*;

    fn holder(requester: u8, user: u32) -> Holder {
        Holder {
            requester: Address::repeat_byte(requester),
            user: Address::left_padding_from(&user.to_be_bytes()),
        }
    }

    fn remember(state: &mut State, holder: Holder, count: usize) {
        let before = state.envelopes_of(&holder);
        for number in before..before + count {
            let key = StateKey::Seen {
                expiry: 1_000,
                holder,
                id: (number as u128).to_be_bytes(),
            };
            state.insert(key, Vec::new()).unwrap();
        }
    }

    #[test]
    fn a_holder_with_as_many_envelopes_as_it_may_have_is_refused_and_others_are_not() {
        let mut state = State::new();
        let greedy = holder(1, 1);
        remember(&mut state, greedy, MAX_HOLDER_ENVELOPES - 1);
        assert!(takes_envelope(&state, &greedy));
        remember(&mut state, greedy, 1);
        assert!(!takes_envelope(&state, &greedy));
        assert!(takes_envelope(&state, &holder(1, 2)));
        assert!(takes_envelope(&state, &holder(2, 1)));
        // What has expired makes room, a few at a time.
        let mut writes = WriteSet::new();
        forget_expired(&state, 1_001, &mut writes);
        assert_eq!(writes.len(), MAX_FORGOTTEN);
        state.apply(&writes);
        assert!(takes_envelope(&state, &greedy));
    }

    #[test]
    fn a_full_share_leaves_every_holder_behind_the_requester_its_place() {
        let mut state = State::new();
        for user in 0.. {
            if state.share_of(Address::repeat_byte(1)).envelopes >= MAX_REQUESTER_ENVELOPES {
                break;
            }
            remember(&mut state, holder(1, user), MAX_HOLDER_ENVELOPES);
        }
        let latecomer = holder(1, u32::MAX);
        remember(&mut state, latecomer, ENVELOPES_KEPT - 1);
        assert!(takes_envelope(&state, &latecomer));
        remember(&mut state, latecomer, 1);
        assert!(!takes_envelope(&state, &latecomer));
        // Another requester's share is its own.
        let elsewhere = holder(2, 1);
        remember(&mut state, elsewhere, ENVELOPES_KEPT);
        assert!(takes_envelope(&state, &elsewhere));
    }
}
