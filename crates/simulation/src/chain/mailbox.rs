// SPDX-License-Identifier: Apache-2.0
//! What the mailbox does.

use alloy_primitives::{Address, B256, Signature, U256, keccak256};
use subrosa_chain::{
    bindings::SubrosaMailbox::answerChallengeCall,
    mailbox::{AskedChallenge, CodePart, MailboxEvent, PendingChallenge},
};
use subrosa_evidence::challenge_hash;
use subrosa_types::{Challenge, ContractId, abi::AttestationAnswer, eip712};

use super::{
    SimulatedChain,
    contracts::{Contracts, Moment, Revert},
    letters::code_parts,
};

impl Contracts {
    /// What is held for the answer to a challenge.
    pub fn pending(&self, challenge: B256) -> Option<PendingChallenge> {
        self.mailbox.pending.get(&challenge).copied()
    }

    /// How a challenge was answered.
    pub fn answered(&self, challenge: B256) -> Option<&answerChallengeCall> {
        self.mailbox.answers.get(&challenge)
    }

    /// Wei that an account was paid for answers.
    pub fn paid(&self, account: Address) -> U256 {
        self.mailbox.paid.get(&account).copied().unwrap_or_default()
    }

    fn publish(&self, owner: Address, part: CodePart) -> Result<MailboxEvent, Revert> {
        if self.mailbox.owners.get(&part.contract) != Some(&owner) {
            return Err(Revert::NotTheOwner);
        }
        if part.index >= part.count || part.chunk.is_empty() {
            return Err(Revert::Malformed);
        }
        Ok(MailboxEvent::CodePublished(part))
    }

    fn challenge(&mut self, moment: Moment, asked: AskedChallenge) -> Result<MailboxEvent, Revert> {
        self.check_admitted(moment, asked.signer)?;
        let id = asked.id();
        if self.mailbox.pending.contains_key(&id) {
            return Err(Revert::AlreadyAsked);
        }
        let asked = AskedChallenge {
            deadline: moment.timestamp + PATIENCE,
            ..asked
        };
        let pending = PendingChallenge {
            escrow: asked.escrow,
            deadline: asked.deadline,
        };
        self.mailbox.pending.insert(id, pending);
        Ok(MailboxEvent::ChallengeAsked(asked))
    }

    pub(super) fn answer_challenge(
        &mut self,
        moment: Moment,
        sender: Address,
        call: &answerChallengeCall,
    ) -> Result<MailboxEvent, Revert> {
        let asked = AskedChallenge {
            asker: call.asked.asker,
            signer: call.asked.signer,
            challenge: call.asked.challenge,
            escrow: U256::ZERO,
            deadline: 0,
        };
        let id = asked.id();
        let pending = self.pending(id).ok_or(Revert::NotAsked)?;
        if moment.timestamp >= pending.deadline {
            return Err(Revert::TooLate);
        }
        self.check_admitted(moment, asked.signer)?;
        let answer = AttestationAnswer {
            challengeHash: challenge_hash(&Challenge::Client(asked.challenge.to_vec())),
            evidenceHash: keccak256(&call.evidence),
            statementHash: keccak256(&call.statement),
            payee: call.payee,
        };
        let hash = eip712::signing_hash(&answer, &self.oracle_domain());
        let found = Signature::from_raw(&call.signature)
            .ok()
            .and_then(|signature| signature.recover_address_from_prehash(&hash).ok());
        if found != Some(asked.signer) {
            return Err(Revert::Signer);
        }
        self.mailbox.pending.remove(&id);
        let payee = if call.payee.is_zero() {
            sender
        } else {
            call.payee
        };
        *self.mailbox.paid.entry(payee).or_default() += pending.escrow;
        self.mailbox.answers.insert(id, call.clone());
        Ok(MailboxEvent::ChallengeOver { id })
    }

    fn check_admitted(&self, moment: Moment, signer: Address) -> Result<(), Revert> {
        let until = self.lease(signer).unwrap_or_default();
        if until > moment.timestamp {
            return Ok(());
        }
        Err(Revert::NotAdmitted)
    }
}

impl SimulatedChain {
    /// Has `owner` publish a part of a code envelope.
    ///
    /// # Errors
    ///
    /// [`Revert::NotTheOwner`]; [`Revert::Malformed`] if there is no such part.
    pub fn publish(&self, owner: Address, part: CodePart) -> Result<(), Revert> {
        self.transact(|contracts, _| match contracts.publish(owner, part) {
            Ok(event) => (Ok(()), vec![event]),
            Err(revert) => (Err(revert), Vec::new()),
        })
    }

    /// Has `owner` publish a code envelope in parts of `size` bytes, a block each.
    ///
    /// # Errors
    ///
    /// [`Revert::NotTheOwner`].
    pub fn publish_code(
        &self,
        owner: Address,
        contract: ContractId,
        envelope: &[u8],
        size: usize,
    ) -> Result<(), Revert> {
        for part in code_parts(contract, envelope, size) {
            self.publish(owner, part)?;
        }
        Ok(())
    }

    /// Has `asker` challenge a signer. Returns the challenge's id.
    ///
    /// # Errors
    ///
    /// [`Revert::NotAdmitted`]; [`Revert::AlreadyAsked`].
    pub fn challenge(
        &self,
        asker: Address,
        signer: Address,
        challenge: B256,
        escrow: U256,
    ) -> Result<B256, Revert> {
        let asked = AskedChallenge {
            asker,
            signer,
            challenge,
            escrow,
            deadline: 0,
        };
        let id = asked.id();
        self.transact(
            |contracts, moment| match contracts.challenge(moment, asked) {
                Ok(event) => (Ok(id), vec![event]),
                Err(revert) => (Err(revert), Vec::new()),
            },
        )
    }
}

/// As long as the mailbox's.
const PATIENCE: u64 = 3_600;
