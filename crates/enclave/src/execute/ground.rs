// SPDX-License-Identifier: Apache-2.0
//! What shows that an entry is on the oracle's log: its slot, or an anchor that was kept of it.

use alloc::format;

use alloy_primitives::B256;
use subrosa_chain_proof::verify_slot_at;
use subrosa_types::{
    entry::{FinalityClass, Link, mask_digest},
    frame::{EntryProof, ErrorCode, FrameError, MAX_LINKS, SlotProof},
    slot,
};

use crate::{anchors::Anchor, cell::Cell, fixed::Fixed};

/// What is known of one contract's log.
pub(super) struct Ground<'a, J> {
    pub(super) fixed: &'a Fixed,
    pub(super) cell: &'a Cell<J>,
}

impl<J> Clone for Ground<'_, J> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<J> Copy for Ground<'_, J> {}

impl<J> Ground<'_, J> {
    /// Checks that entry `seq` is on the log with this digest, and so all before it. Returns how finally.
    pub(super) fn prove(
        self,
        seq: u64,
        digest: B256,
        proof: &EntryProof,
    ) -> Result<FinalityClass, FrameError> {
        match proof {
            EntryProof::Slot(proof) => self.prove_slot(seq, digest, proof),
            EntryProof::Anchor => match self.cell.lock().anchor(seq) {
                Some(anchor) if anchor.digest == digest => Ok(anchor.class),
                _ => {
                    let message = format!("no anchor is kept at this entry {seq}");
                    Err(FrameError::new(ErrorCode::Proof, message))
                }
            },
        }
    }

    /// Checks that the oracle's slot of an entry holds its digest at a block. Whatever else the slot held
    /// before and after: the digest says whose entry it is, and where.
    fn prove_slot(
        self,
        seq: u64,
        digest: B256,
        proof: &SlotProof,
    ) -> Result<FinalityClass, FrameError> {
        let SlotProof { place, storage } = proof;
        let config = &self.fixed.config;
        let header = self.fixed.prove_header(&storage.header)?;
        let slot = verify_slot_at(
            header,
            storage,
            config.oracle,
            config.oracleCodeHash,
            slot::entry(self.cell.id, place.position(seq)),
        )
        .map_err(|error| FrameError::new(ErrorCode::Proof, error))?;
        if mask_digest(slot.value()) != digest {
            let message = format!("slot of entry {seq} holds another digest");
            return Err(FrameError::new(ErrorCode::Proof, message));
        }
        Ok(header.class())
    }
}

/// Keeps an anchor at the entry whose digest is `before`, as the links after it lead to one that is
/// proven. Returns its position.
pub(crate) fn anchor<J>(
    fixed: &Fixed,
    cell: &Cell<J>,
    (before, links): (B256, &[Link]),
    proof: &EntryProof,
) -> Result<u64, FrameError> {
    let refuse = |message| Err(FrameError::new(ErrorCode::Sequence, message));
    let (Some(first), Some(last)) = (links.first(), links.last()) else {
        return refuse(format!("no links, 1 to {MAX_LINKS} are taken"));
    };
    let Some(seq) = first.seq().checked_sub(1).filter(|_| !before.is_zero()) else {
        return refuse(format!("nothing comes before entry {}", first.seq()));
    };
    if links.len() > MAX_LINKS {
        return refuse(format!("{} links, 1 to {MAX_LINKS} are taken", links.len()));
    }
    let log = (fixed.place.chain_id, fixed.place.oracle, cell.id);
    let digest = links
        .iter()
        .fold(before, |before, link| link.digest(log, before));
    let class = Ground { fixed, cell }.prove(last.seq(), digest, proof)?;
    let anchor = Anchor {
        digest: before,
        class,
    };
    cell.lock().keep_anchor(seq, anchor);
    Ok(seq)
}
