// SPDX-License-Identifier: Apache-2.0
//! Challenges to this node's enclave that wait for an answer. Pure, and bounded: who pays least is
//! forgotten first.

use std::collections::{BTreeMap, VecDeque};

use alloy_primitives::{Address, B256};
use subrosa_chain::mailbox::AskedChallenge;

/// Challenges, of whichever signer.
#[derive(Debug, Default)]
pub(super) struct Challenges {
    waiting: BTreeMap<B256, Waiting>,
    /// Those answered last, the latest at the end.
    answered: VecDeque<AskedChallenge>,
}

#[derive(Clone, Debug)]
struct Waiting {
    asked: AskedChallenge,
    /// It is not answered before this block.
    from: u64,
    /// Whether it was put off because it did not pay.
    is_put_off: bool,
}

impl Waiting {
    fn from(block: u64, asked: AskedChallenge) -> Self {
        Self {
            asked,
            from: block,
            is_put_off: false,
        }
    }
}

impl Challenges {
    /// Notes one that was put. One that was answered is not answered again.
    pub(super) fn ask(&mut self, asked: AskedChallenge) {
        let id = asked.id();
        let is_answered = self.answered.iter().any(|answered| *answered == asked);
        if is_answered || self.waiting.contains_key(&id) {
            return;
        }
        self.waiting.insert(id, Waiting::from(0, asked));
        if self.waiting.len() > MAX_WAITING {
            let least = self.waiting.iter();
            let least = least.min_by_key(|(_, waiting)| waiting.asked.escrow);
            if let Some(id) = least.map(|(id, _)| *id) {
                self.waiting.remove(&id);
            }
        }
    }

    /// Forgets one that was answered by whomever, or reclaimed.
    pub(super) fn over(&mut self, id: B256) {
        self.waiting.remove(&id);
    }

    /// The challenge of `signer` that pays best among those that may be answered at this block.
    pub(super) fn best(&self, signer: Address, block: u64) -> Option<AskedChallenge> {
        let due = self.waiting.values();
        let due = due.filter(|waiting| waiting.asked.signer == signer && waiting.from <= block);
        due.max_by_key(|waiting| waiting.asked.escrow)
            .map(|waiting| waiting.asked.clone())
    }

    /// Puts one off that does not pay at this block: gas may be cheaper later. Returns whether it was not
    /// put off before.
    pub(super) fn put_off(&mut self, id: B256, block: u64) -> bool {
        let Some(waiting) = self.waiting.get_mut(&id) else {
            return false;
        };
        waiting.from = block.saturating_add(CHEAPER_BLOCKS);
        !std::mem::replace(&mut waiting.is_put_off, true)
    }

    /// Notes that one was answered.
    pub(super) fn answered(&mut self, asked: AskedChallenge) {
        self.waiting.remove(&asked.id());
        self.answered.push_back(asked);
        if self.answered.len() > MAX_ANSWERED {
            self.answered.pop_front();
        }
    }

    /// The chain went back to `block`: answers may be gone. As a rule they are mined again, so they are
    /// looked at after some blocks only.
    pub(super) fn rewind(&mut self, block: u64) {
        for asked in self.answered.drain(..) {
            let from = block.saturating_add(SETTLE_BLOCKS);
            self.waiting.insert(asked.id(), Waiting::from(from, asked));
        }
    }
}

/// Most challenges that wait.
const MAX_WAITING: usize = 1_024;
/// Answers that a reorganization may take back.
const MAX_ANSWERED: usize = 256;
/// Blocks after which gas may be cheaper.
const CHEAPER_BLOCKS: u64 = 10;
/// Blocks in which a transaction that a reorganization took back is mined again.
const SETTLE_BLOCKS: u64 = 3;

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;

    use super::*;

    const OWN: Address = Address::repeat_byte(1);

    fn asked(signer: Address, number: u64) -> AskedChallenge {
        AskedChallenge {
            asker: Address::repeat_byte(9),
            signer,
            challenge: B256::left_padding_from(&number.to_be_bytes()),
            escrow: U256::from(number),
            deadline: 3_600,
        }
    }

    #[test]
    fn who_pays_best_is_answered_first_and_foreign_signers_never() {
        let mut challenges = Challenges::default();
        challenges.ask(asked(Address::repeat_byte(2), 9));
        assert_eq!(challenges.best(OWN, u64::MAX), None);
        for number in [1, 3, 2, 3] {
            challenges.ask(asked(OWN, number));
        }
        for number in [3, 2, 1] {
            let best = challenges.best(OWN, 5).unwrap();
            assert_eq!(best, asked(OWN, number));
            challenges.answered(best.clone());
            challenges.ask(best);
        }
        assert_eq!(challenges.best(OWN, 5), None);
        challenges.ask(asked(OWN, 4));
        challenges.over(asked(OWN, 4).id());
        assert_eq!(challenges.best(OWN, u64::MAX), None);
    }

    #[test]
    fn answers_that_may_be_gone_are_looked_at_again_after_some_blocks() {
        let mut challenges = Challenges::default();
        challenges.answered(asked(OWN, 1));
        challenges.rewind(10);
        assert!(challenges.best(OWN, u64::MAX).is_some());
        assert_eq!(challenges.best(OWN, 12), None);
        assert_eq!(challenges.best(OWN, 13), Some(asked(OWN, 1)));
        challenges.over(asked(OWN, 1).id());
        assert_eq!(challenges.best(OWN, u64::MAX), None);
    }

    #[test]
    fn what_does_not_pay_is_put_off_and_announced_once() {
        let mut challenges = Challenges::default();
        let id = asked(OWN, 1).id();
        assert!(!challenges.put_off(id, 5));
        challenges.ask(asked(OWN, 1));
        assert!(challenges.put_off(id, 5));
        assert_eq!(challenges.best(OWN, 14), None);
        assert!(challenges.best(OWN, 15).is_some());
        assert!(!challenges.put_off(id, 15));
    }

    #[test]
    fn strangers_crowd_out_those_who_pay_less() {
        let mut challenges = Challenges::default();
        for number in 0..2 * MAX_WAITING as u64 {
            challenges.ask(asked(OWN, number));
            challenges.ask(asked(OWN, 0));
        }
        assert_eq!(challenges.waiting.len(), MAX_WAITING);
        let least = challenges.waiting.values().map(|w| w.asked.escrow).min();
        assert_eq!(least, Some(U256::from(MAX_WAITING)));
        for number in 0..2 * MAX_ANSWERED as u64 {
            challenges.answered(asked(OWN, number));
        }
        assert_eq!(challenges.answered.len(), MAX_ANSWERED);
    }
}
