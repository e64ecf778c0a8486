// SPDX-License-Identifier: Apache-2.0
//! Entries of a log that are proven by those after them, for an enclave that is far behind: see
//! [`Request::Anchor`](subrosa_types::frame::Request::Anchor).

use alloc::collections::BTreeMap;

use alloy_primitives::B256;
use subrosa_types::{entry::FinalityClass, frame::MAX_ANCHORS};

/// An entry that is proven to be on the log, with all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) digest: B256,
    /// Of the header under which it was proven.
    pub(crate) class: FinalityClass,
}

/// The anchors of one log, by position.
#[derive(Debug, Default)]
pub(crate) struct Anchors(BTreeMap<u64, Anchor>);

impl Anchors {
    pub(crate) fn at(&self, seq: u64) -> Option<Anchor> {
        self.0.get(&seq).copied()
    }

    /// Keeps an anchor. Of too many, those of the newest entries go: the ones that are needed first stay.
    pub(crate) fn keep(&mut self, seq: u64, anchor: Anchor) {
        self.0.insert(seq, anchor);
        while self.0.len() > MAX_ANCHORS {
            self.0.pop_last();
        }
    }

    /// Forgets what is executed: the entries before `seq`.
    pub(crate) fn pass(&mut self, seq: u64) {
        while self.0.first_key_value().is_some_and(|(at, _)| *at < seq) {
            self.0.pop_first();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of memory, about.
    pub(crate) fn memory(&self) -> usize {
        self.0.len() * 96
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_the_oldest_stay_until_they_are_executed() {
        let mut anchors = Anchors::default();
        let anchor = Anchor {
            digest: B256::ZERO,
            class: FinalityClass::HostAsserted,
        };
        let most = MAX_ANCHORS as u64;
        for seq in (0..=most).rev() {
            anchors.keep(seq, anchor);
        }
        assert_eq!(anchors.at(0), Some(anchor));
        assert_eq!(anchors.at(most), None);
        anchors.pass(5);
        assert_eq!(anchors.at(4), None);
        assert_eq!(anchors.at(5), Some(anchor));
    }
}
