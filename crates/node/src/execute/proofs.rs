// SPDX-License-Identifier: Apache-2.0
//! Proofs of entries, as enclaves want to see them.

use std::collections::BTreeSet;

use subrosa_store::EntryRecord;
use subrosa_types::{
    ContractId,
    entry::Link,
    frame::{EntryProof, SlotProof},
    slot::{self, Place},
};

use super::{
    needs::Needs,
    plan::{MAX_BATCH, frame_before},
};
use crate::{enclave::Link as Enclave, places::slot_of, step::Fault};

/// What is shown of one contract's entries.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    /// Entries at which the enclave keeps anchors, as far as known.
    anchors: BTreeSet<u64>,
    /// Entries whose stored proofs were refused, and that have no slot any more.
    refused: BTreeSet<u64>,
}

impl Proofs {
    /// The proof of an entry: as kept at inclusion, or else at the tip now; or an anchor, if the entry's
    /// slot is another one's by now.
    pub(super) async fn of(
        &mut self,
        needs: &Needs,
        enclave: &Enclave,
        entry: &EntryRecord,
    ) -> Result<EntryProof, Fault> {
        let (contract, seq) = place_of(entry);
        if !self.refused.contains(&seq)
            && let Some(proof) = needs.store.proof(contract, seq).await?
        {
            return Ok(EntryProof::Slot(Box::new(proof)));
        }
        if self.anchors.contains(&seq) {
            return Ok(EntryProof::Anchor);
        }
        if let Some(proof) = afresh(needs, entry).await? {
            return Ok(EntryProof::Slot(Box::new(proof)));
        }
        if self.walk_back(needs, enclave, contract, seq).await? {
            return Ok(EntryProof::Anchor);
        }
        // The enclave will say that there is none, and it is looked for again.
        Ok(EntryProof::Anchor)
    }

    /// Entries before this one are executed.
    pub(super) fn pass(&mut self, seq: u64) {
        self.anchors = self.anchors.split_off(&seq);
        self.refused = self.refused.split_off(&seq);
    }

    /// The stored proof of an entry is of no use.
    pub(super) fn refuse(&mut self, seq: u64) {
        self.refused.insert(seq);
    }

    /// What the enclave keeps is not known any more.
    pub(super) fn forget(&mut self) {
        self.anchors.clear();
    }

    /// Shows the enclave the log from its tip back to an entry, so that it keeps an anchor there and where
    /// frames after it end. `false` if the tip is not proven: the store is behind the chain, or on a
    /// branch that is gone.
    async fn walk_back(
        &mut self,
        needs: &Needs,
        enclave: &Enclave,
        contract: ContractId,
        to: u64,
    ) -> Result<bool, Fault> {
        let Some(tip) = needs.store.last_entry(contract).await? else {
            return Ok(false);
        };
        let (mut last, mut proof) = match self.anchors.range(to..).next() {
            Some(anchor) => (*anchor, EntryProof::Anchor),
            None => match afresh(needs, &tip).await? {
                Some(proof) => (tip.logged.entry.seq(), EntryProof::Slot(Box::new(proof))),
                None => return Ok(false),
            },
        };
        while last > to {
            let before = frame_before(last).max(to);
            let count = usize::try_from(last - before).unwrap_or(MAX_BATCH);
            let entries = needs.store.entries(contract, before + 1, count).await?;
            let whole = entries.len() == count
                && entries
                    .last()
                    .is_some_and(|entry| entry.logged.entry.seq() == last);
            let Some(first) = entries.first().filter(|_| whole) else {
                return Ok(false);
            };
            let digest = first.logged.entry.previousDigest;
            let links: Vec<Link> = entries
                .iter()
                .map(|entry| entry.logged.entry.link())
                .collect();
            last = enclave.anchor(contract, digest, links, proof).await?;
            proof = EntryProof::Anchor;
            self.anchors.insert(last);
        }
        Ok(last == to)
    }
}

/// The proof of an entry's slot at the tip now, which is kept; `None` if no slot is its.
pub(super) async fn afresh(needs: &Needs, entry: &EntryRecord) -> Result<Option<SlotProof>, Fault> {
    let (contract, seq) = place_of(entry);
    let tip = needs.chain.tip().await?;
    let slots = Place::ALL.map(|place| slot::entry(contract, place.position(seq)));
    let fetched = needs.chain.proofs(needs.oracle, &slots, tip.hash).await?;
    let digest = entry.logged.entry.digest(needs.chain_id, needs.oracle);
    let Some(proof) = slot_of(digest, fetched) else {
        return Ok(None);
    };
    needs.store.put_proof(contract, seq, proof.clone()).await?;
    Ok(Some(proof))
}

fn place_of(entry: &EntryRecord) -> (ContractId, u64) {
    let entry = &entry.logged.entry;
    (entry.contractId, entry.seq())
}
