// SPDX-License-Identifier: Apache-2.0
//! Attesting an enclave through the chain.

use std::time::Instant;

use alloy::rpc::types::Filter;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{SolEvent, SolValue};
use subrosa_attestation::bundle_of_files;
use subrosa_chain::{
    bindings::SubrosaMailbox::{ChallengeAnswered, ChallengeAsked},
    mailbox::{AskedChallenge, Mailbox},
};
use subrosa_evidence::challenge_hash;
use subrosa_types::{
    Challenge,
    abi::{AttestationAnswer, EnclaveConfig, PresentedAttestation},
    eip712,
};

use super::error::MailboxError;
use crate::{
    Account, Appraisal, AttestOptions, Attested, ClientError, Connection, WaitOptions,
    attest::{Asked, CHALLENGE_BYTES, NO_RESULT_THROUGH_CHAIN},
    chain::past,
    check::{Checklist, Subject},
    presented::Presented,
    random,
};

/// Whom to ask through the chain, and for how much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asking {
    /// The enclave's signer; `None` asks the one that the registry admitted last of those whose measurement
    /// the deployment lists.
    pub signer: Option<Address>,
    /// Wei for whoever brings the answer, all of it; `None` pays what
    /// [`quote_answer`](Connection::quote_answer) says.
    pub escrow: Option<U256>,
    /// What evidence lacks that its platform gives without: files as
    /// [`bundle_of_files`] takes them beside it. The answer is over what
    /// the enclave made, and no node adds to that.
    pub collateral: Vec<Vec<u8>>,
    /// For how long to wait for the answer.
    pub wait: WaitOptions,
}

/// A challenge that was put.
struct Put {
    asked: AskedChallenge,
    /// In this block.
    block: u64,
    /// At this time by the client's clock, at the latest.
    at: u64,
}

impl Connection {
    /// Challenges an enclave through the chain, without its node, and makes the checks that
    /// [`attest`](Self::attest) makes, in the same order. An attestation result is not among them: none
    /// passes through the chain. Costs the escrow and a transaction.
    ///
    /// # Errors
    ///
    /// As [`attest`](Self::attest); [`MailboxError`], after which the escrow may be lost or be taken back.
    pub async fn attest_through_chain(
        self,
        options: &AttestOptions,
        asking: &Asking,
        account: &Account,
    ) -> Result<Attested, ClientError> {
        let (mut checklist, config) = self.check_place(options).await?;
        if options.appraisal == Appraisal::Result {
            checklist.turn_to(Subject::AttestationResult);
            let expected = "an attestation result";
            checklist.record("ear.present", false, expected, NO_RESULT_THROUGH_CHAIN);
            return Err(checklist.refusal().into());
        }
        let mailbox = self.mailbox().await?;
        // Nobody is paid whose answer would be refused.
        let signer = self
            .choose_signer(&mut checklist, &config, asking.signer)
            .await?;
        let escrow = match asking.escrow {
            Some(escrow) => escrow,
            None => self.quote_answer().await?,
        };
        let put = self.put(&mailbox, signer, escrow, account).await?;
        let answer = self.answer(&mailbox, &put, asking.wait).await?;
        let presented = check_answer(&mut checklist, &config, &put.asked, &answer)?;
        let evidence = complete(&mut checklist, answer.evidence, &asking.collateral)?;
        let presented = Presented::through_chain(signer, evidence, presented);
        let asked = Asked {
            challenge: Challenge::Client(put.asked.challenge.to_vec()),
            at: put.at,
        };
        self.judge(checklist, &config, asked, presented, options)
            .await
    }

    /// The deployment's mailbox, if it serves the deployment's contracts.
    pub(crate) async fn mailbox(&self) -> Result<Mailbox, ClientError> {
        let address = self.deployment.mailbox.ok_or(MailboxError::None)?;
        let mailbox = self.chain.mailbox(address);
        let (oracle, registry) = mailbox
            .serves()
            .await
            .map_err(past("reading the mailbox"))?;
        let measured = &self.deployment.measured;
        let places = [
            ("oracle", measured.oracle, oracle),
            ("registry", measured.registry, registry),
        ];
        for (what, expected, found) in places {
            if expected != found {
                return Err(MailboxError::Elsewhere {
                    mailbox: address,
                    what,
                    expected,
                    found,
                }
                .into());
            }
        }
        Ok(mailbox)
    }

    async fn put(
        &self,
        mailbox: &Mailbox,
        signer: Address,
        escrow: U256,
        account: &Account,
    ) -> Result<Put, ClientError> {
        let step = "challenging the enclave";
        let fresh = B256::from(*random::bytes::<CHALLENGE_BYTES>()?);
        let at = self.clock.now();
        let contract = self.chain.mailbox_as(mailbox.address(), account);
        let call = contract.challenge(signer, fresh).value(escrow);
        let receipt = self.chain.send(step, call).await?;
        let mut asked = AskedChallenge {
            asker: account.address(),
            signer,
            challenge: fresh,
            escrow,
            deadline: 0,
        };
        let id = asked.id();
        let logs = receipt.inner.logs().iter();
        let event = logs
            .filter(|log| log.address() == mailbox.address())
            .filter_map(|log| ChallengeAsked::decode_log(&log.inner).ok())
            .find(|event| event.id == id);
        let event = event.ok_or(crate::ChainError::MissingEvent {
            step,
            transaction: receipt.transaction_hash,
            event: ChallengeAsked::SIGNATURE,
        })?;
        asked.deadline = u64::try_from(event.deadline).unwrap_or(u64::MAX);
        tracing::info!(%id, %signer, %escrow, "challenged");
        Ok(Put {
            asked,
            block: receipt.block_number.unwrap_or_default(),
            at,
        })
    }

    /// Waits for the answer.
    async fn answer(
        &self,
        mailbox: &Mailbox,
        put: &Put,
        wait: WaitOptions,
    ) -> Result<ChallengeAnswered, ClientError> {
        let started = Instant::now();
        let filter = Filter::new()
            .address(mailbox.address())
            .event_signature(ChallengeAnswered::SIGNATURE_HASH)
            .topic1(put.asked.id())
            .from_block(put.block);
        loop {
            let step = "looking for the answer";
            let found = self
                .chain
                .matching::<ChallengeAnswered>(step, &filter)
                .await?;
            if let Some(answer) = found.into_iter().next() {
                return Ok(answer);
            }
            if started.elapsed() >= wait.timeout {
                return Err(MailboxError::NotAnswered {
                    id: put.asked.id(),
                    signer: put.asked.signer,
                    deadline: put.asked.deadline,
                    waited: started.elapsed(),
                }
                .into());
            }
            tokio::time::sleep(wait.interval).await;
        }
    }
}

/// Evidence with what it lacked.
fn complete(
    checklist: &mut Checklist,
    evidence: Bytes,
    collateral: &[Vec<u8>],
) -> Result<Bytes, ClientError> {
    if collateral.is_empty() {
        return Ok(evidence);
    }
    match bundle_of_files(&evidence, collateral) {
        Ok(bundle) => Ok(bundle.encode().into()),
        Err(error) => {
            checklist.turn_to(Subject::Evidence);
            let expected = "an evidence bundle, and collateral for it";
            checklist.record("evidence.format", false, expected, error);
            Err(checklist.refusal().into())
        }
    }
}

/// Checks that an answer is the named signer's to the challenge that was put. The contract did as well,
/// if the chain is what the RPC says.
fn check_answer(
    checklist: &mut Checklist,
    config: &EnclaveConfig,
    asked: &AskedChallenge,
    answer: &ChallengeAnswered,
) -> Result<PresentedAttestation, ClientError> {
    checklist.turn_to(Subject::Answer);
    checklist.equal("answer.id", &asked.id(), &answer.id);
    checklist.equal("answer.signer", &asked.signer, &answer.signer);
    let message = AttestationAnswer {
        challengeHash: challenge_hash(&Challenge::Client(asked.challenge.to_vec())),
        evidenceHash: keccak256(&answer.evidence),
        statementHash: keccak256(&answer.statement),
        payee: answer.payee,
    };
    let domain = eip712::oracle_domain(config.chain_id(), config.oracle);
    let hash = eip712::signing_hash(&message, &domain);
    let (id, signature) = ("answer.signature", &answer.signature);
    checklist.signature(id, asked.signer, signature, hash);
    checklist.settle()?;
    match PresentedAttestation::abi_decode_validate(&answer.statement) {
        Ok(presented) => Ok(presented),
        Err(error) => {
            let expected = "an encoded PresentedAttestation";
            checklist.record("answer.format", false, expected, error);
            Err(checklist.refusal().into())
        }
    }
}

#[cfg(test)]
mod tests;
