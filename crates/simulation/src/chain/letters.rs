// SPDX-License-Identifier: Apache-2.0
//! What the mailbox holds.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use subrosa_chain::{
    bindings::SubrosaMailbox::answerChallengeCall,
    mailbox::{CodePart, PendingChallenge},
};
use subrosa_types::ContractId;

/// The mailbox after some block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mailbox {
    pub(super) owners: BTreeMap<ContractId, Address>,
    pub(super) pending: BTreeMap<B256, PendingChallenge>,
    /// Wei that was paid for answers.
    pub(super) paid: BTreeMap<Address, U256>,
    pub(super) answers: BTreeMap<B256, answerChallengeCall>,
}

impl Mailbox {
    pub(super) fn own(&mut self, contract: ContractId, owner: Address) {
        self.owners.insert(contract, owner);
    }
}

/// A code envelope in parts of `size` bytes.
pub fn code_parts(contract: ContractId, envelope: &[u8], size: usize) -> Vec<CodePart> {
    let chunks = envelope.chunks(size.max(1));
    let count = u16::try_from(chunks.len()).unwrap_or(u16::MAX);
    let parts = chunks.zip(0..).map(|(chunk, index)| CodePart {
        contract,
        envelope: keccak256(envelope),
        index,
        count,
        chunk: Bytes::copy_from_slice(chunk),
    });
    parts.collect()
}
