// SPDX-License-Identifier: Apache-2.0
//! What a state keeps for its users apart from the guest, counted as entries come and go.

use alloc::{collections::BTreeSet, vec::Vec};

use alloy_primitives::Address;
use imbl::OrdMap;

use super::{holder::Holder, key::StateKey};

/// Follows from a state's entries alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Kept {
    holders: OrdMap<Holder, Place>,
    requesters: OrdMap<Address, Share>,
    bytes: usize,
}

/// What is kept for one holder.
#[derive(Clone, Default, PartialEq, Eq)]
struct Place {
    envelopes: usize,
    sessions: BTreeSet<u64>,
}

/// How much is kept for all the holders behind one requester.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Envelopes seen.
    pub envelopes: usize,
    /// Open sessions.
    pub sessions: usize,
}

impl Kept {
    /// Counts an entry of `bytes` bytes that is put where none was.
    pub(super) fn add(&mut self, key: &StateKey, bytes: usize) {
        match key {
            StateKey::Seen { holder, .. } => {
                self.holders.entry(*holder).or_default().envelopes += 1;
                self.requesters
                    .entry(holder.requester)
                    .or_default()
                    .envelopes += 1;
            }
            StateKey::Session { holder, seq } => {
                let place = self.holders.entry(*holder).or_default();
                place.sessions.insert(*seq);
                self.requesters
                    .entry(holder.requester)
                    .or_default()
                    .sessions += 1;
            }
            _ => return,
        }
        self.bytes += bytes;
    }

    /// Counts an entry of `bytes` bytes that is taken away.
    pub(super) fn remove(&mut self, key: &StateKey, bytes: usize) {
        let (StateKey::Seen { holder, .. } | StateKey::Session { holder, .. }) = key else {
            return;
        };
        self.bytes -= bytes;
        let share = self.requesters.entry(holder.requester).or_default();
        let place = self.holders.entry(*holder).or_default();
        if let StateKey::Session { seq, .. } = key {
            share.sessions -= 1;
            place.sessions.remove(seq);
        } else {
            share.envelopes -= 1;
            place.envelopes -= 1;
        }
        if place.envelopes == 0 && place.sessions.is_empty() {
            self.holders.remove(holder);
        }
        if *share == Share::default() {
            self.requesters.remove(&holder.requester);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn envelopes_of(&self, holder: &Holder) -> usize {
        self.holders.get(holder).map_or(0, |place| place.envelopes)
    }

    pub(super) fn sessions_of(&self, holder: &Holder) -> Vec<u64> {
        let place = self.holders.get(holder);
        place.map_or_else(Vec::new, |place| place.sessions.iter().copied().collect())
    }

    pub(super) fn share_of(&self, requester: Address) -> Share {
        self.requesters.get(&requester).copied().unwrap_or_default()
    }
}
