// SPDX-License-Identifier: Apache-2.0
//! The oracle's logs, decoded.

use alloy::{
    primitives::{Address, B256, Bytes, U256, aliases::U48, keccak256},
    rpc::types::Log,
    sol_types::SolEventInterface,
};
use subrosa_types::{
    ContractId,
    abi::Entry,
    entry::{EntryError, EntryKind, Execution},
    frame::LoggedEntry,
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
        /// Position of the entry in its log.
        seq: u64,
        /// As [`unpack_result`](subrosa_types::result::unpack_result) reads it.
        result: U256,
        /// Public output, then sealed output.
        data: Bytes,
    },
    /// Items of a fulfillment were not applied.
    ItemsSkipped {
        /// The contract.
        contract: ContractId,
        /// The first entry concerned.
        seq: u64,
        /// 1 already executed, 2 does not continue the head, 3 not on the log, 4 other key epoch.
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
    /// A callback failed and can be retried.
    CallbackFailed {
        /// The contract.
        contract: ContractId,
        /// Position of the entry in its log.
        seq: u64,
    },
    /// A fee was returned.
    Refunded {
        /// The contract.
        contract: ContractId,
        /// Position of the entry in its log.
        seq: u64,
    },
    /// An event that following has no use for (policy, ownership, payments).
    Other,
}

/// An appended entry, without the digest of the one before, which the event does not carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Which contract.
    pub contract: ContractId,
    /// Which entry.
    pub seq: u64,
    /// As in [`Entry`].
    pub context: B256,
    /// As in [`Entry`].
    pub execution: U256,
    /// As in [`Entry`].
    pub settlement: U256,
    /// As in [`Entry`].
    pub payment: U256,
    /// The input; for entry 0 and upgrades the code commitment.
    pub input: Bytes,
}

impl Appended {
    /// The entry, given the digest of the one before it (zero for entry 0 and in stateless
    /// contracts).
    ///
    /// # Errors
    ///
    /// [`EntryError`] if its kind is unknown: then it is also unknown what its input hash is.
    pub fn into_logged(self, previous_digest: B256) -> Result<LoggedEntry, EntryError> {
        let input_hash = match Execution::unpack(self.execution)?.kind {
            EntryKind::Deploy | EntryKind::Upgrade => {
                B256::try_from(self.input.as_ref()).unwrap_or_else(|_| keccak256(&self.input))
            }
            _ => keccak256(&self.input),
        };
        Ok(LoggedEntry {
            entry: Entry {
                contractId: self.contract,
                seq: U48::saturating_from(self.seq),
                previousDigest: previous_digest,
                context: self.context,
                inputHash: input_hash,
                execution: self.execution,
                settlement: self.settlement,
                payment: self.payment,
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
                    seq: seq(event.seq)?,
                    context: event.context,
                    execution: event.execution,
                    settlement: event.settlement,
                    payment: event.payment,
                    input: event.input,
                }),
                SubrosaOracleEvents::EntryFulfilled(event) => Self::EntryFulfilled {
                    contract: event.contractId,
                    seq: seq(event.seq)?,
                    result: event.result,
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
                SubrosaOracleEvents::CallbackFailed(event) => Self::CallbackFailed {
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
