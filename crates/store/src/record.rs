// SPDX-License-Identifier: Apache-2.0
//! What is stored.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use subrosa_types::{
    ContractId,
    abi::SignedResults,
    batch::CompactSignature,
    frame::{ExecutedEntry, LoggedEntry, ResultRef, StateBlob},
    result::Status,
};

/// The last block whose logs are in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Number.
    pub number: u64,
    /// Hash.
    pub hash: B256,
    /// Hash of the block before it.
    pub parent_hash: B256,
}

/// What one block (or a range of blocks without a reorganisation) appends to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where the store is afterwards.
    pub cursor: Cursor,
    /// Entries, none from a block after `cursor`.
    pub entries: Vec<EntryRecord>,
    /// Fulfillments, none from a block after `cursor`.
    pub fulfillments: Vec<(ContractId, u64, FulfillmentRecord)>,
}

/// A log entry and where the chain has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRecord {
    /// The entry and its input.
    pub logged: LoggedEntry,
    /// Block that appended it.
    pub block_number: u64,
    /// That block's hash.
    pub block_hash: B256,
    /// Transaction that appended it.
    pub tx_hash: B256,
}

/// A code envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CodeEnvelopeRecord {
    /// Of an upgrade: grows with every code envelope that is handed in for the contract.
    pub(crate) order: u64,
    pub(crate) envelope: Bytes,
}

/// A result, without the state blob that came with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultRecord {
    /// Number of the entry in its contract's log.
    pub seq: u64,
    /// Its digest.
    pub digest: B256,
    /// Public status.
    pub status: Status,
    /// Smallest b with fuel used <= 2^b.
    pub fuel_bucket: u8,
    /// The head's commitment before.
    pub previous_commitment: B256,
    /// The head's commitment after.
    pub commitment: B256,
    /// What is signed for it.
    pub result_hash: B256,
    /// Public output.
    pub output: Bytes,
    /// Output sealed to the requester's reply key.
    pub sealed_output: Bytes,
    /// keccak256 of the sealed logs; zero if the contract has none.
    pub sealed_logs_hash: B256,
}

impl From<&ExecutedEntry> for ResultRecord {
    fn from(executed: &ExecutedEntry) -> Self {
        Self {
            seq: executed.seq,
            digest: executed.blob.digest,
            status: executed.status,
            fuel_bucket: executed.fuel_bucket,
            previous_commitment: executed.previous_commitment,
            commitment: executed.commitment,
            result_hash: executed.result_hash,
            output: executed.output.clone(),
            sealed_output: executed.sealed_output.clone(),
            sealed_logs_hash: executed.sealed_logs_hash,
        }
    }
}

impl ResultRecord {
    /// The result as the enclave gave it, with its blob.
    pub fn with_blob(self, blob: StateBlob) -> ExecutedEntry {
        ExecutedEntry {
            seq: self.seq,
            status: self.status,
            fuel_bucket: self.fuel_bucket,
            previous_commitment: self.previous_commitment,
            commitment: self.commitment,
            result_hash: self.result_hash,
            output: self.output,
            sealed_output: self.sealed_output,
            sealed_logs_hash: self.sealed_logs_hash,
            blob,
        }
    }
}

/// That the chain has an entry's result, and how it came there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfillmentRecord {
    /// Block of the fulfillment.
    pub block_number: u64,
    /// That block's hash.
    pub block_hash: B256,
    /// Transaction of the fulfillment.
    pub tx_hash: B256,
    /// The head's commitment after the entry.
    pub commitment: B256,
    /// What a third party needs to verify the result; `None` if it was submitted by someone else
    /// through a contract whose calldata does not show it.
    pub receipt: Option<Receipt>,
}

/// The signatures under which a result was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// What was signed first. Further signers signed the same hashes.
    pub signed: SignedResults,
    /// The signatures, and who made them.
    pub signatures: Vec<(CompactSignature, Address)>,
}

/// An admission as a verifier signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdmissionRecord {
    /// ABI encoding of [`SignerAdmission`](subrosa_types::abi::SignerAdmission).
    pub admission: Bytes,
    /// Signatures of verifiers, r ‖ s ‖ v each, in the order in which they are submitted.
    pub signatures: Vec<Bytes>,
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum IntentKind {
    /// `fulfill`.
    Fulfill,
    /// `admit`.
    Admit,
    /// `openEpoch`.
    OpenEpoch,
    /// Takes a nonce that nothing else needs any more.
    Cancel,
    /// Anything else.
    Other,
}

/// A transaction that is about to be sent, or was sent and is not mined yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// What it is for.
    pub kind: IntentKind,
    /// The results a fulfillment carries.
    pub items: Vec<ResultRef>,
    /// Signed transactions under this nonce, each a replacement of the one before it.
    pub attempts: Vec<Bytes>,
}
