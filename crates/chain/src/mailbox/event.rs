// SPDX-License-Identifier: Apache-2.0
//! The mailbox's logs, decoded.

use alloy::{
    primitives::{Address, B256, Bytes, U256, keccak256},
    rpc::types::Log,
    sol_types::{SolEventInterface, SolValue},
};
use subrosa_types::ContractId;

use crate::bindings::SubrosaMailbox::{MailboxChallenge, SubrosaMailboxEvents};

/// One log of the mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxLog {
    /// Its block's number.
    pub block_number: u64,
    /// What it says.
    pub event: MailboxEvent,
}

/// What a log of the mailbox says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailboxEvent {
    /// A part of a code envelope was published by the contract's owner.
    CodePublished(CodePart),
    /// A signer was challenged.
    ChallengeAsked(AskedChallenge),
    /// A challenge was answered, or its escrow taken back.
    ChallengeOver {
        /// Which.
        id: B256,
    },
}

/// A part of a code envelope. What it says of the whole is its publisher's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodePart {
    /// Whose code it is.
    pub contract: ContractId,
    /// keccak256 of the whole envelope.
    pub envelope: B256,
    /// Which part, from 0.
    pub index: u16,
    /// How many parts there are.
    pub count: u16,
    /// The part.
    pub chunk: Bytes,
}

/// A challenge that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedChallenge {
    /// Who asked.
    pub asker: Address,
    /// The signer that is to answer.
    pub signer: Address,
    /// The asker's random bytes.
    pub challenge: B256,
    /// Wei for whoever brings the answer.
    pub escrow: U256,
    /// Unix seconds from which on it is not answered.
    pub deadline: u64,
}

impl AskedChallenge {
    /// How the mailbox names it.
    pub fn id(&self) -> B256 {
        keccak256(self.put().abi_encode())
    }

    /// The challenge as it was put.
    pub fn put(&self) -> MailboxChallenge {
        MailboxChallenge {
            asker: self.asker,
            signer: self.signer,
            challenge: self.challenge,
        }
    }
}

impl MailboxLog {
    /// What a mined log says; `None` if it is none of the mailbox's that anybody depends on.
    pub fn decode(log: &Log) -> Option<Self> {
        Some(Self {
            block_number: log.block_number?,
            event: MailboxEvent::decode(log)?,
        })
    }
}

impl MailboxEvent {
    /// What a log says; `None` if it is none of the mailbox's.
    pub fn decode(log: &Log) -> Option<Self> {
        let event = SubrosaMailboxEvents::decode_log(&log.inner).ok()?.data;
        Some(match event {
            SubrosaMailboxEvents::CodePublished(event) => Self::CodePublished(CodePart {
                contract: event.contractId,
                envelope: event.envelopeHash,
                index: event.index,
                count: event.count,
                chunk: event.chunk,
            }),
            SubrosaMailboxEvents::ChallengeAsked(event) => Self::ChallengeAsked(AskedChallenge {
                asker: event.asker,
                signer: event.signer,
                challenge: event.challenge,
                escrow: event.escrow,
                deadline: u64::try_from(event.deadline).ok()?,
            }),
            SubrosaMailboxEvents::ChallengeAnswered(event) => Self::ChallengeOver { id: event.id },
            SubrosaMailboxEvents::ChallengeReclaimed(event) => Self::ChallengeOver { id: event.id },
        })
    }
}
