// SPDX-License-Identifier: Apache-2.0
//! Between whoever follows the chain and whoever sees to the mail.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::{Address, B256};
use subrosa_chain::mailbox::{AskedChallenge, MailboxEvent, MailboxLog};
use subrosa_types::ContractId;
use tokio::sync::Notify;

use super::{challenges::Challenges, parts::Parts};

/// What came, and is to be seen to.
#[derive(Debug, Default)]
pub(crate) struct Mailroom {
    state: Mutex<State>,
    code: Notify,
    challenged: Notify,
}

#[derive(Debug, Default)]
struct State {
    parts: Parts,
    /// Contracts whose code is to be looked for, in the order in which it came.
    queue: VecDeque<ContractId>,
    /// Where: of each contract what was published last.
    wanted: BTreeMap<ContractId, Published>,
    challenges: Challenges,
    /// The last block that was followed.
    block: u64,
}

/// Where a code envelope is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Published {
    /// Which; `None` for whichever there is.
    pub(super) envelope: Option<B256>,
    /// The first block that can have a part of it.
    pub(super) from: u64,
}

impl Mailroom {
    /// Takes in what blocks brought, up to `block`.
    pub(crate) fn deliver(&self, mail: &[MailboxLog], block: u64) {
        let mut state = self.lock();
        state.block = block;
        for log in mail {
            match &log.event {
                MailboxEvent::CodePublished(part) => {
                    if let Some(from) = state.parts.see(part, log.block_number) {
                        let envelope = Some(part.envelope);
                        state.want(part.contract, Published { envelope, from });
                    }
                }
                MailboxEvent::ChallengeAsked(asked) => state.challenges.ask(asked.clone()),
                MailboxEvent::ChallengeOver { id } => state.challenges.over(*id),
                _ => {}
            }
        }
        if !state.queue.is_empty() {
            self.code.notify_one();
        }
        self.challenged.notify_one();
    }

    /// The chain went back to `block`.
    pub(crate) fn rewind(&self, block: u64) {
        let mut state = self.lock();
        state.block = block;
        state.parts.rewind(block);
        state.challenges.rewind(block);
    }

    /// Has a contract's code looked for, unless something that was published is already.
    pub(super) fn look_for(&self, contract: ContractId, from: u64) {
        let mut state = self.lock();
        if !state.wanted.contains_key(&contract) {
            let envelope = None;
            state.want(contract, Published { envelope, from });
        }
        self.code.notify_one();
    }

    /// Takes the contract whose code is to be looked for next.
    pub(super) fn next_code(&self) -> Option<(ContractId, Published)> {
        let mut state = self.lock();
        let contract = state.queue.pop_front()?;
        let published = state.wanted.remove(&contract)?;
        Some((contract, published))
    }

    /// Completes when there may be more of it.
    pub(super) async fn code(&self) {
        self.code.notified().await;
    }

    /// Notes a challenge that was put earlier.
    pub(super) fn recall(&self, asked: AskedChallenge) {
        self.lock().challenges.ask(asked);
    }

    /// The challenge of `signer` to be answered next.
    pub(super) fn next_challenge(&self, signer: Address) -> Option<AskedChallenge> {
        let state = self.lock();
        state.challenges.best(signer, state.block)
    }

    /// Notes that a challenge was answered by this node.
    pub(super) fn answered(&self, asked: AskedChallenge) {
        self.lock().challenges.answered(asked);
    }

    /// Puts a challenge off that does not pay now. Returns whether it was not put off before.
    pub(super) fn put_off(&self, id: B256) -> bool {
        let mut state = self.lock();
        let block = state.block;
        state.challenges.put_off(id, block)
    }

    /// Gives a challenge up.
    pub(super) fn drop_challenge(&self, id: B256) {
        self.lock().challenges.over(id);
    }

    /// Completes when blocks came.
    pub(super) async fn challenged(&self) {
        self.challenged.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn want(&mut self, contract: ContractId, published: Published) {
        if self.wanted.insert(contract, published).is_none() {
            self.queue.push_back(contract);
        }
        // Who comes last is left to publish again.
        if self.queue.len() > MAX_WANTED
            && let Some(last) = self.queue.pop_back()
        {
            self.wanted.remove(&last);
        }
    }
}

/// Most contracts whose code is looked for.
const MAX_WANTED: usize = 16_384;

#[cfg(test)]
mod tests {
    use alloy_primitives::Bytes;
    use subrosa_chain::mailbox::CodePart;

    use super::*;

    fn published(contract: u8, envelope: u8, block_number: u64) -> MailboxLog {
        MailboxLog {
            block_number,
            event: MailboxEvent::CodePublished(CodePart {
                contract: B256::repeat_byte(contract),
                envelope: B256::repeat_byte(envelope),
                index: 0,
                count: 1,
                chunk: Bytes::from_static(b"all of it"),
            }),
        }
    }

    #[test]
    fn of_a_contract_what_was_published_last_is_looked_for_once() {
        let room = Mailroom::default();
        let mail = [published(1, 1, 4), published(2, 1, 4), published(1, 2, 5)];
        room.deliver(&mail, 5);
        room.look_for(B256::repeat_byte(2), 1);
        let first = room.next_code().unwrap();
        assert_eq!(first.0, B256::repeat_byte(1));
        let envelope = Some(B256::repeat_byte(2));
        assert_eq!(first.1, Published { envelope, from: 5 });
        let (_, second) = room.next_code().unwrap();
        assert_eq!(second.envelope, Some(B256::repeat_byte(1)));
        assert_eq!(room.next_code(), None);
        room.look_for(B256::repeat_byte(2), 1);
        let envelope = None;
        let expected = Published { envelope, from: 1 };
        assert_eq!(room.next_code(), Some((B256::repeat_byte(2), expected)));
    }
}
