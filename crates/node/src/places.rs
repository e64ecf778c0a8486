// SPDX-License-Identifier: Apache-2.0
//! Which of the slots that an entry may be in holds it.

use alloy_primitives::B256;
use subrosa_chain::FetchedSlot;
use subrosa_types::{entry::mask_digest, frame::SlotProof, slot::Place};

/// The proof of the slot that holds `digest`, of those of [`Place::ALL`] in their order; `None` if none
/// does: the entry is executed, and another one has its place in the ring.
pub(crate) fn slot_of(digest: B256, slots: Vec<FetchedSlot>) -> Option<SlotProof> {
    let mut slots = Place::ALL.into_iter().zip(slots);
    let (place, found) = slots.find(|(_, slot)| mask_digest(B256::from(slot.value)) == digest)?;
    Some(SlotProof {
        place,
        storage: found.proof,
    })
}
