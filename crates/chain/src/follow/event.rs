// SPDX-License-Identifier: Apache-2.0
//! The oracle's logs, decoded.

use alloy::{
    primitives::{Address, B256, Bytes, U256, keccak256},
    rpc::types::Log,
    sol_types::SolEventInterface,
};
use subrosa_types::{
    ContractId,
    abi::{Entry, Outstanding},
    entry::{EntryError, EntryKind, Execution, Payment},
    frame::LoggedEntry,
    result::LoggedResult,
};

use crate::{
    ChainError,
    bindings::SubrosaOracle::{self, SubrosaOracleEvents},
};

/// One log of the oracle.
#[derive(Clone, Debug, PartialEq)]
pub struct OracleLog {
    /// Its block's number.
    pub block_number: u64,
    /// Its block's hash.
    pub block_hash: B256,
    /// Its transaction.
    pub tx_hash: B256,
    /// Its index in the block.
    pub log_index: u64,
    /// What it says.
    pub event: OracleEvent,
}

/// What a log of the oracle says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OracleEvent {
    /// A contract was registered; its entry 0 follows.
    Registered {
        /// The contract.
        contract: ContractId,
        /// Who owns it.
        owner: Address,
        /// What code it will have.
        code_commitment: B256,
    },
    /// An entry was appended.
    EntryAppended(Appended),
    /// An entry was executed.
    EntryFulfilled {
        /// The contract.
        contract: ContractId,
        /// What it yielded, with the first bits of the commitment.
        outcome: LoggedResult,
        /// Public output ‖ sealed output ‖ hash of the sealed logs, if any.
        data: Bytes,
    },
    /// Items of a fulfillment were not applied.
    ItemsSkipped {
        /// The contract.
        contract: ContractId,
        /// The first entry concerned.
        seq: u64,
        /// 1 already executed, 2 does not continue the head, 3 not on the log, 4 too few signers.
        reason: u8,
    },
    /// A fulfillment ran out of gas before this entry.
    BatchEnded {
        /// The contract.
        contract: ContractId,
        /// Position of the entry in its log.
        seq: u64,
        /// Gas that must be left for it.
        required_gas: U256,
    },
    /// Something is left to be done about an executed entry.
    EntryOutstanding {
        /// The contract.
        contract: ContractId,
        /// Position of the entry in its log.
        seq: u64,
        /// As in [`subrosa_types::outstanding`].
        flags: u8,
        /// What the oracle has stored the hash of.
        outstanding: Outstanding,
    },
    /// A callback that was due was made.
    CallbackMade {
        /// The contract.
        contract: ContractId,
        /// Position of the entry in its log.
        seq: u64,
    },
    /// A pending entry's landing part was topped up.
    FeeAdded {
        /// The contract.
        contract: ContractId,
        /// Position of the entry in its log.
        seq: u64,
        /// Wei.
        amount: U256,
    },
    /// A pending entry's callback was cancelled.
    Cancelled {
        /// The contract.
        contract: ContractId,
        /// Position of the entry in its log.
        seq: u64,
    },
    /// Parts of a fee were returned.
    Refunded {
        /// The contract.
        contract: ContractId,
        /// Position of the entry in its log.
        seq: u64,
    },
    /// An event that following has no use for (policy, ownership, payments).
    Other,
}

/// An appended entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Which contract.
    pub contract: ContractId,
    /// Digest of the entry before; zero for entry 0 and in stateless contracts.
    pub previous_digest: B256,
    /// As in [`Entry`].
    pub context: B256,
    /// As in [`Entry`].
    pub execution: U256,
    /// As in [`Entry`].
    pub settlement: U256,
    /// As in [`Entry`].
    pub payment: U256,
    /// As in [`Entry`].
    pub refund_to: Address,
    /// The input; for entry 0 and upgrades the code commitment.
    pub input: Bytes,
}

impl Appended {
    /// The entry's position in its log.
    pub fn seq(&self) -> u64 {
        Payment::unpack(self.payment).seq
    }

    /// The entry with its input.
    ///
    /// # Errors
    ///
    /// [`EntryError`] if its kind is unknown: then it is also unknown what its input hash is.
    pub fn into_logged(self) -> Result<LoggedEntry, EntryError> {
        let input_hash = match Execution::unpack(self.execution)?.kind {
            EntryKind::Deploy | EntryKind::Upgrade => {
                B256::try_from(self.input.as_ref()).unwrap_or_else(|_| keccak256(&self.input))
            }
            _ => keccak256(&self.input),
        };
        Ok(LoggedEntry {
            entry: Entry {
                contractId: self.contract,
                previousDigest: self.previous_digest,
                context: self.context,
                inputHash: input_hash,
                execution: self.execution,
                settlement: self.settlement,
                payment: self.payment,
                refundTo: self.refund_to,
            },
            input: self.input,
        })
    }
}

impl OracleLog {
    /// Decodes a mined log.
    ///
    /// # Errors
    ///
    /// [`ChainError::UndecodableLog`] if it is not an event of the oracle,
    /// [`ChainError::Inconsistent`] if it is not mined.
    pub(super) fn decode(log: &Log) -> Result<Self, ChainError> {
        let (Some(block_number), Some(block_hash), Some(tx_hash), Some(log_index)) = (
            log.block_number,
            log.block_hash,
            log.transaction_hash,
            log.log_index,
        ) else {
            return Err(ChainError::Inconsistent("a log without block"));
        };
        if log.removed {
            return Err(ChainError::Inconsistent("a log of a dropped block"));
        }
        let event = OracleEvent::decode(log).ok_or(ChainError::UndecodableLog {
            block: block_number,
            index: log_index,
        })?;
        Ok(Self {
            block_number,
            block_hash,
            tx_hash,
            log_index,
            event,
        })
    }
}

impl OracleEvent {
    /// What a log says; `None` if it is none of the oracle's events.
    pub fn decode(log: &Log) -> Option<Self> {
        let seq = |seq: U256| u64::try_from(seq).ok();
        Some(
            match SubrosaOracleEvents::decode_log(&log.inner).ok()?.data {
                SubrosaOracleEvents::Registered(SubrosaOracle::Registered {
                    contractId,
                    owner,
                    codeCommitment,
                }) => Self::Registered {
                    contract: contractId,
                    owner,
                    code_commitment: codeCommitment,
                },
                SubrosaOracleEvents::EntryAppended(event) => Self::EntryAppended(Appended {
                    contract: event.contractId,
                    previous_digest: event.previousDigest,
                    context: event.context,
                    execution: event.execution,
                    settlement: event.settlement,
                    payment: event.payment,
                    refund_to: event.refundTo,
                    input: event.input,
                }),
                SubrosaOracleEvents::EntryFulfilled(event) => Self::EntryFulfilled {
                    contract: event.contractId,
                    outcome: LoggedResult::unpack(event.outcome),
                    data: event.data,
                },
                SubrosaOracleEvents::ItemsSkipped(event) => Self::ItemsSkipped {
                    contract: event.contractId,
                    seq: seq(event.seq)?,
                    reason: event.reason,
                },
                SubrosaOracleEvents::BatchEnded(event) => Self::BatchEnded {
                    contract: event.contractId,
                    seq: seq(event.seq)?,
                    required_gas: event.requiredGas,
                },
                SubrosaOracleEvents::EntryOutstanding(event) => Self::EntryOutstanding {
                    contract: event.contractId,
                    seq: seq(event.seq)?,
                    flags: event.flags,
                    outstanding: event.outstanding.into(),
                },
                SubrosaOracleEvents::CallbackMade(event) => Self::CallbackMade {
                    contract: event.contractId,
                    seq: seq(event.seq)?,
                },
                SubrosaOracleEvents::FeeAdded(event) => Self::FeeAdded {
                    contract: event.contractId,
                    seq: seq(event.seq)?,
                    amount: event.amount,
                },
                SubrosaOracleEvents::Cancelled(event) => Self::Cancelled {
                    contract: event.contractId,
                    seq: seq(event.seq)?,
                },
                SubrosaOracleEvents::Refunded(event) => Self::Refunded {
                    contract: event.contractId,
                    seq: seq(event.seq)?,
                },
                _ => Self::Other,
            },
        )
    }
}
