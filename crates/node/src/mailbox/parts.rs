// SPDX-License-Identifier: Apache-2.0
//! Which parts of which code envelopes were published. Pure, and bounded whatever owners publish: of an
//! envelope nothing is kept but which of its parts were seen, and where to look for them.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use subrosa_chain::mailbox::CodePart;
use subrosa_types::ContractId;

/// Envelopes of which parts were seen. One that is complete is kept as well: the chain may drop a part of it,
/// and then brings that one alone again.
#[derive(Debug, Default)]
pub(super) struct Parts {
    envelopes: BTreeMap<Envelope, Seen>,
    /// The envelopes by when they were last touched.
    order: BTreeMap<u64, Envelope>,
    touches: u64,
}

/// An envelope as its parts name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Envelope {
    contract: ContractId,
    hash: B256,
    count: u16,
}

#[derive(Debug)]
struct Seen {
    /// Bit n: part n.
    parts: u64,
    /// The first block with a part.
    from: u64,
    touched: u64,
    /// How often a part came that left nothing missing.
    complete: u8,
}

impl Parts {
    /// Notes a part. Returns the first block with one if by now all of them were seen.
    pub(super) fn see(&mut self, part: &CodePart, block: u64) -> Option<u64> {
        if part.count > MAX_PARTS || part.index >= part.count || part.chunk.is_empty() {
            return None;
        }
        let envelope = Envelope {
            contract: part.contract,
            hash: part.envelope,
            count: part.count,
        };
        self.touches += 1;
        let touched = self.touches;
        let seen = self.envelopes.entry(envelope).or_insert(Seen {
            parts: 0,
            from: block,
            touched,
            complete: 0,
        });
        self.order.remove(&seen.touched);
        seen.touched = touched;
        seen.parts |= 1 << part.index;
        let is_complete = seen.parts == u64::MAX >> (MAX_PARTS - part.count);
        seen.complete += u8::from(is_complete);
        let (from, complete) = (seen.from, seen.complete);
        if complete == MAX_COMPLETE {
            self.envelopes.remove(&envelope);
        } else {
            self.order.insert(touched, envelope);
            self.bound(part.contract);
        }
        is_complete.then_some(from)
    }

    /// Forgets what was published in blocks after `block`, as far as that can be told: envelopes that
    /// began there. Of others a part may be missing, which shows when they are read.
    pub(super) fn rewind(&mut self, block: u64) {
        let order = &mut self.order;
        self.envelopes.retain(|_, seen| {
            let stays = seen.from <= block;
            if !stays {
                order.remove(&seen.touched);
            }
            stays
        });
    }

    /// Forgets those that were touched longest ago: of a contract's own, so that it crowds out itself
    /// first, and of all.
    fn bound(&mut self, contract: ContractId) {
        let own = Envelope {
            contract,
            hash: B256::ZERO,
            count: 0,
        };
        let own = self.envelopes.range(own..);
        let own: Vec<_> = own
            .take_while(|(envelope, _)| envelope.contract == contract)
            .map(|(envelope, seen)| (seen.touched, *envelope))
            .collect();
        if own.len() > MAX_OF_A_CONTRACT
            && let Some((touched, envelope)) = own.into_iter().min()
        {
            self.order.remove(&touched);
            self.envelopes.remove(&envelope);
        }
        if self.envelopes.len() > MAX_ENVELOPES
            && let Some((_, envelope)) = self.order.pop_first()
        {
            self.envelopes.remove(&envelope);
        }
    }
}

/// Most parts of an envelope.
pub(super) const MAX_PARTS: u16 = 64;
/// How often an envelope is looked at for parts that came again, before all of them have to.
const MAX_COMPLETE: u8 = 8;
/// Most envelopes of a contract.
const MAX_OF_A_CONTRACT: usize = 2;
/// Most envelopes: some two megabytes. To have one forgotten, others have to
/// publish as many parts, for half a billion gas, between two of its own.
const MAX_ENVELOPES: usize = 16_384;

#[cfg(test)]
mod tests {
    use alloy_primitives::Bytes;

    use super::*;

    fn part(contract: u8, envelope: u8, index: u16, count: u16) -> CodePart {
        CodePart {
            contract: B256::repeat_byte(contract),
            envelope: B256::repeat_byte(envelope),
            index,
            count,
            chunk: Bytes::from_static(b"part"),
        }
    }

    #[test]
    fn parts_come_in_any_order_and_more_than_once() {
        let mut parts = Parts::default();
        for (index, block) in [(2, 7), (0, 8), (2, 9)] {
            assert_eq!(parts.see(&part(1, 1, index, 3), block), None);
        }
        // What a reorganization drops and brings again is looked at again, and not for ever.
        for _ in 0..MAX_COMPLETE {
            assert_eq!(parts.see(&part(1, 1, 1, 3), 10), Some(7));
        }
        assert_eq!(parts.see(&part(1, 1, 1, 3), 10), None);
        assert_eq!(parts.see(&part(1, 1, 0, 1), 11), Some(11));
        let last = (0..MAX_PARTS).map(|index| parts.see(&part(1, 2, index, MAX_PARTS), 12));
        assert_eq!(last.last(), Some(Some(12)));
    }

    #[test]
    fn parts_that_are_none_are_passed_over() {
        let mut parts = Parts::default();
        for (index, count) in [(0, 0), (3, 3), (0, MAX_PARTS + 1), (u16::MAX, u16::MAX)] {
            assert_eq!(parts.see(&part(1, 1, index, count), 1), None);
        }
        let empty = CodePart {
            chunk: Bytes::new(),
            ..part(1, 1, 0, 1)
        };
        assert_eq!(parts.see(&empty, 1), None);
        assert!(parts.envelopes.is_empty());
        // Another count is another envelope.
        assert_eq!(parts.see(&part(1, 1, 0, 2), 1), None);
        assert_eq!(parts.see(&part(1, 1, 1, 3), 1), None);
        assert_eq!(parts.see(&part(1, 1, 1, 2), 1), Some(1));
    }

    #[test]
    fn what_began_in_blocks_that_are_gone_is_forgotten() {
        let mut parts = Parts::default();
        parts.see(&part(1, 1, 0, 2), 5);
        parts.see(&part(2, 1, 0, 2), 6);
        parts.rewind(5);
        assert_eq!(parts.see(&part(2, 1, 1, 2), 6), None);
        assert_eq!(parts.see(&part(1, 1, 1, 2), 6), Some(5));
        assert_eq!(parts.order.len(), parts.envelopes.len());
    }

    #[test]
    fn what_owners_leave_unfinished_is_bounded_and_crowds_out_their_own_first() {
        let mut parts = Parts::default();
        parts.see(&part(1, 1, 0, 2), 1);
        for envelope in 0..200 {
            parts.see(&part(2, envelope, 0, 2), 1);
        }
        assert_eq!(parts.envelopes.len(), 1 + MAX_OF_A_CONTRACT);
        assert_eq!(parts.see(&part(1, 1, 1, 2), 1), Some(1));
        for contract in 0..MAX_ENVELOPES as u64 + 10 {
            let contract = B256::left_padding_from(&contract.to_be_bytes());
            let part = CodePart {
                contract,
                ..part(0, 1, 0, 2)
            };
            parts.see(&part, 1);
        }
        assert_eq!(parts.envelopes.len(), MAX_ENVELOPES);
        assert_eq!(parts.order.len(), MAX_ENVELOPES);
    }
}
