// SPDX-License-Identifier: Apache-2.0
//! Why a client's operation fails.

use std::time::Duration;

use alloy_primitives::{Address, B256};
use subrosa_types::{ContractId, result::Status};

use crate::{DeploymentError, NodeError, Refusal, mailbox::MailboxError};

/// Why a client's operation fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A check failed: what was presented must not be trusted. Nothing was encrypted to it.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// The deployment file is not usable.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// The node gave no usable answer.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// Nothing passes through the chain, or not in time.
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    /// The chain gave no usable answer, or refused a transaction.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The attestation is too old to encrypt to: attest again.
    #[error("attestation is {age} seconds old, at most {limit} are allowed; attest again")]
    AttestationExpired {
        /// Its age, seconds.
        age: u64,
        /// The limit, seconds.
        limit: u64,
    },
    /// The contract's log is in another epoch than the one that was attested.
    #[error(
        "contract {contract} is in key epoch {contract_epoch}, the attested epoch is \
         {attested_epoch}; attest again or advance the contract"
    )]
    OtherEpoch {
        /// The contract.
        contract: ContractId,
        /// What its log names.
        contract_epoch: u32,
        /// What was attested.
        attested_epoch: u32,
    },
    /// The session ended with its key epoch, or is one of another contract.
    #[error(
        "session {seq} of contract {contract} does not carry this call: its key epoch is over, or \
         the call is of another contract; open another session"
    )]
    SessionEnded {
        /// The session's contract.
        contract: ContractId,
        /// The entry that opened it.
        seq: u64,
    },
    /// The contract belongs to another key group than the one that was attested.
    #[error(
        "contract {contract} is of key group {contract_group}, the attested group is {attested_group}"
    )]
    OtherGroup {
        /// The contract.
        contract: ContractId,
        /// What its log names.
        contract_group: u32,
        /// What was attested.
        attested_group: u32,
    },
    /// The contract's code never changes.
    #[error("contract {0} was registered without an upgrade delay: its code never changes")]
    NotUpgradable(ContractId),
    /// A contract's policy would promise callbacks more gas than any transaction can carry.
    #[error("maximum callback gas is {found}, at most {most} can be promised")]
    CallbackGasTooHigh {
        /// What the policy names.
        found: u32,
        /// The limit.
        most: u32,
    },
    /// Other code is announced for the contract, or none.
    #[error(
        "code {code_commitment} is not announced for contract {contract}; announce it, or give the \
         code, arguments and salt that were"
    )]
    NotAnnounced {
        /// The contract.
        contract: ContractId,
        /// What the given code commits to.
        code_commitment: B256,
    },
    /// The input cannot be sealed.
    #[error("cannot seal")]
    Seal(#[from] subrosa_crypto::SealError),
    /// A sealed answer does not open.
    #[error("sealed reply of {bytes} bytes does not open with this reply key")]
    Reply {
        /// Its size.
        bytes: usize,
        /// Why.
        source: subrosa_crypto::ReplyError,
    },
    /// The entry was executed without success.
    #[error("entry {seq} of contract {contract} has status {status:?}")]
    Unsuccessful {
        /// The contract.
        contract: ContractId,
        /// The entry.
        seq: u64,
        /// What the enclave signed.
        status: Status,
    },
    /// The entry was not fulfilled in time. It may still be.
    #[error(
        "entry {seq} of contract {contract} is not fulfilled after {waited:?}; it may still be"
    )]
    NotFulfilled {
        /// The contract.
        contract: ContractId,
        /// The entry.
        seq: u64,
        /// How long it was waited for.
        waited: Duration,
    },
    /// No account can sign, or its key refuses.
    #[error("cannot sign")]
    Sign(#[source] alloy::signers::Error),
    /// The operating system gives no randomness.
    #[error("no randomness from the operating system")]
    Randomness(#[source] getrandom::Error),
}

/// Why the chain gave no usable answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No connection.
    #[error("no connection to the chain at {url}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// Why.
        source: Box<alloy::transports::TransportError>,
    },
    /// The endpoint is of another chain than the deployment: nothing was signed.
    #[error("the endpoint is of chain {found}, the deployment of chain {expected}")]
    OtherChain {
        /// Which the deployment names.
        expected: u64,
        /// Which the endpoint says.
        found: u64,
    },
    /// A call failed.
    #[error("{step} failed")]
    Transport {
        /// What was asked.
        step: &'static str,
        /// Why.
        source: Box<alloy::transports::TransportError>,
    },
    /// The chain does not say what data costs.
    #[error("{step} failed")]
    DataPrice {
        /// What was asked.
        step: &'static str,
        /// Why.
        source: Box<subrosa_chain::ChainError>,
    },
    /// Older events are not to be had.
    #[error("{step} failed")]
    Past {
        /// What was asked.
        step: &'static str,
        /// Why.
        source: Box<subrosa_chain::ChainError>,
    },
    /// The contracts refuse what was asked.
    #[error("{step}: the contracts refuse: {reason}")]
    Refused {
        /// What was asked.
        step: &'static str,
        /// The name of the contracts' error, with its arguments. `docs/reference/contracts.md` says what to do
        /// about each.
        reason: String,
    },
    /// A contract call failed, or reverted with what is no error of the contracts.
    #[error("{step} failed")]
    Contract {
        /// What was asked.
        step: &'static str,
        /// Why; for a revert, with its data.
        source: Box<alloy::contract::Error>,
    },
    /// A transaction's receipt did not arrive.
    #[error("{step}: no receipt of its transaction")]
    Pending {
        /// What was sent.
        step: &'static str,
        /// Why.
        source: Box<alloy::providers::PendingTransactionError>,
    },
    /// A transaction was mined and reverted.
    #[error("{step}: transaction {transaction} reverted")]
    Reverted {
        /// What was sent.
        step: &'static str,
        /// Its hash.
        transaction: B256,
    },
    /// A mined transaction lacks the event it must have.
    #[error("{step}: transaction {transaction} has no {event} event")]
    MissingEvent {
        /// What was sent.
        step: &'static str,
        /// Its hash.
        transaction: B256,
        /// What is missing.
        event: &'static str,
    },
    /// The oracle has no contract with this id.
    #[error("no contract {0} is registered with this oracle")]
    UnknownContract(ContractId),
    /// The oracle has no such entry.
    #[error("contract {contract} has no entry {seq}")]
    UnknownEntry {
        /// The contract.
        contract: ContractId,
        /// The entry.
        seq: u64,
    },
    /// There is no prepaid account at an address.
    #[error("{0} is no prepaid account")]
    NotPrepaid(Address),
    /// A prepaid account is one of another oracle.
    #[error("prepaid account {account} asks oracle {found}, the deployment's is {expected}")]
    OtherOracle {
        /// The account.
        account: Address,
        /// Which the deployment names.
        expected: Address,
        /// Which the account asks.
        found: Address,
    },
    /// An event says something that the oracle never emits.
    #[error("the chain's events are inconsistent: {0}")]
    Inconsistent(String),
}
