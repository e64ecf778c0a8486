// SPDX-License-Identifier: Apache-2.0
//! JSON-RPC of a node: parameters and results.
//!
//! Methods: `subrosa_status`, `subrosa_attestation`, `subrosa_deploy`, `subrosa_query`,
//! `subrosa_contract`, `subrosa_request`, `subrosa_receipt`. Each takes one object by position.
//! Bytes are 0x-prefixed hex, integers that fit 64 bits are JSON numbers.

use alloc::{string::String, vec::Vec};

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use crate::{ContractId, abi, result::Status};

/// Parameters of `subrosa_attestation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttestationRequest {
    /// Fresh random bytes, 16 to 64, chosen by the client.
    pub challenge: Bytes,
}

/// Result of `subrosa_attestation`: everything a client appraises before it encrypts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attestation {
    /// Evidence bundle (quote and collateral).
    pub bundle: Bytes,
    /// The verifier's attestation result over the same evidence (EAR, JWT); `None` if the node has
    /// no verifier, and the evidence is all there is.
    pub ear: Option<String>,
    /// ABI encoding of the enclave's `EnclaveConfig`.
    pub config: Bytes,
    /// Address of the enclave's signer.
    pub signer: Address,
    /// Node transfer key (X-Wing public key).
    pub transfer_key: Bytes,
    /// H\["start"\] of the checkpoint that the enclave's header trust started from.
    pub start_hash: B256,
    /// Public keys of the current epoch.
    pub epoch: EpochPublicKeys,
    /// What the registry recorded for that epoch.
    pub epoch_opening: EpochOpening,
    /// ABI encoding of the signer's `AttestationStatement`, over the same challenge as the evidence.
    pub statement: Bytes,
    /// The signer's signature over it, r ‖ s ‖ v.
    pub signature: Bytes,
}

/// An epoch's public keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EpochPublicKeys {
    /// Key group.
    pub group: u32,
    /// Epoch.
    pub epoch: u32,
    /// X-Wing public key, 1,216 bytes.
    pub xwing: Bytes,
    /// X25519 public key.
    pub x25519: B256,
}

/// The opening of an epoch, as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EpochOpening {
    /// Key group.
    pub key_group: u32,
    /// Epoch.
    pub key_epoch: u32,
    /// H\["epoch-key"\](…).
    pub public_key_hash: B256,
    /// Configuration of the enclave that opened it.
    pub config_hash: B256,
    /// H\["epoch-set"\] of those that may hold its secret.
    pub set_hash: B256,
    /// Recovery policy word.
    pub recovery: U256,
}

/// Parameters of `subrosa_deploy`: the code envelope of a deployment, or of an upgrade if its entry
/// or its code is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeployRequest {
    /// The registered contract.
    pub contract: ContractId,
    /// The code envelope: an envelope of purpose deploy.
    pub code_envelope: Bytes,
    /// Position of the upgrade on the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Commitment of the upgrade's code. Enough for one that is announced and not on the log yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_commitment: Option<B256>,
}

/// Result of `subrosa_deploy`: the code envelope is stored durably, and executed once its entry is
/// proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeployAccepted {
    /// The contract.
    pub contract: ContractId,
    /// Where the deployment or upgrade stands.
    pub state: RequestState,
}

/// Parameters of `subrosa_query`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueryRequest {
    /// The contract meant.
    pub contract: ContractId,
    /// Query envelope.
    pub envelope: Bytes,
}

/// Result of `subrosa_query`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryResponse {
    /// ABI encoding of the signed `QueryReply`.
    pub reply: Bytes,
    /// `QueryOutput`, sealed to the reply key: caller, status and output.
    pub sealed: Bytes,
    /// r ‖ s ‖ v.
    pub signature: Bytes,
}

/// Parameters of `subrosa_contract`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContractRequest {
    /// The contract meant.
    pub contract: ContractId,
    /// Chosen by the client.
    pub nonce: B256,
}

/// Result of `subrosa_contract`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractResponse {
    /// ABI encoding of the signed `ContractStatement`.
    pub statement: Bytes,
    /// r ‖ s ‖ v.
    pub signature: Bytes,
    /// Why its log does not go on, if it does not.
    pub stop: Option<Stop>,
}

/// Why a log does not go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    /// The entry that has no result. Those after it wait.
    pub seq: u64,
    /// What is missing.
    pub reason: StopReason,
    /// What the enclave said.
    pub message: String,
}

/// What is missing for a log to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StopReason {
    /// A code envelope that opens: whoever registered or announced the code hands it in.
    Code,
    /// The key of the entry's epoch, which the node's enclave does not hold.
    Key,
    /// A build that has what the entry asks for, its runtime generation for one.
    Build,
    /// A build whose engine does not break at the entry. Governance withdraws the generation, and the
    /// owner moves the log into one without the fault.
    Broken,
    /// The state before it, which the node has lost or the enclave does not take. It is tried again.
    State,
}

/// Parameters of `subrosa_request` and `subrosa_receipt`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntryRequest {
    /// The contract meant.
    pub contract: ContractId,
    /// Position of the entry in its log.
    pub seq: u64,
}

/// Result of `subrosa_request`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestStatus {
    /// The contract meant.
    pub contract: ContractId,
    /// Position of the entry in its log.
    pub seq: u64,
    /// How far it is.
    pub state: RequestState,
    /// Public status, once executed.
    pub status: Option<Status>,
    /// Public output, once executed.
    pub output: Option<Bytes>,
    /// Sealed output, once executed.
    pub sealed_output: Option<Bytes>,
    /// Transaction that fulfilled it, once mined.
    pub transaction: Option<B256>,
    /// Why it is not executed, if something stops it or an entry before it.
    pub stop: Option<Stop>,
}

/// How far an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RequestState {
    /// The node has not seen the entry.
    Unknown,
    /// Seen on chain, not executed yet.
    Pending,
    /// Executed, not fulfilled on chain yet.
    Executed,
    /// Fulfilled on chain.
    Fulfilled,
}

/// Result of `subrosa_receipt`: everything needed to verify one fulfilled entry offline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Version of this object, 2.
    pub version: u16,
    /// Chain the oracle lives on.
    pub chain_id: u64,
    /// The oracle.
    pub oracle: Address,
    /// The registry.
    pub registry: Address,
    /// ABI encoding of the `Entry`.
    pub entry: Bytes,
    /// The entry's input.
    pub input: Bytes,
    /// ABI encoding of the `Outcome`.
    pub outcome: Bytes,
    /// Public output.
    pub output: Bytes,
    /// Sealed output.
    pub sealed_output: Bytes,
    /// The head's commitment before.
    pub previous_commitment: B256,
    /// The head's commitment after.
    pub commitment: B256,
    /// ABI encoding of the `SignedResults` that holds this entry's result hash.
    pub signed_results: Bytes,
    /// The signatures of its batch, with who made them.
    pub signatures: Vec<ReceiptSignature>,
    /// Transaction that fulfilled the entry.
    pub transaction: Option<B256>,
}

/// A signature of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptSignature {
    /// r. The first signature is over the `SignedResults`, the others over the `CosignedResults` of the same
    /// hashes.
    pub r: B256,
    /// s with the parity of y in its top bit (EIP-2098).
    pub vs: B256,
    /// The signer's admission: ABI encoding of `SignerAdmission`.
    pub admission: Bytes,
    /// The verifier's signature over the admission, r ‖ s ‖ v.
    pub admission_signature: Bytes,
}

/// Result of `subrosa_status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    /// Version of the node.
    pub version: String,
    /// Version of the host-enclave protocol.
    pub wire_version: u16,
    /// Chain.
    pub chain_id: u64,
    /// Registry.
    pub registry: Address,
    /// Oracle.
    pub oracle: Address,
    /// Whether evidence roots in the development root: such a node protects nothing.
    pub development: bool,
    /// Hash of the enclave's configuration.
    pub config_hash: B256,
    /// Signer, once the enclave has started.
    pub signer: Option<Address>,
    /// Last block the node has processed.
    pub block: u64,
    /// Contracts it serves.
    pub contracts: Vec<ContractId>,
}

impl From<abi::EpochOpening> for EpochOpening {
    fn from(opening: abi::EpochOpening) -> Self {
        Self {
            key_group: opening.keyGroup,
            key_epoch: opening.keyEpoch,
            public_key_hash: opening.publicKeyHash,
            config_hash: opening.configHash,
            set_hash: opening.setHash,
            recovery: opening.recovery,
        }
    }
}

impl From<EpochOpening> for abi::EpochOpening {
    fn from(opening: EpochOpening) -> Self {
        Self {
            keyGroup: opening.key_group,
            keyEpoch: opening.key_epoch,
            publicKeyHash: opening.public_key_hash,
            configHash: opening.config_hash,
            setHash: opening.set_hash,
            recovery: opening.recovery,
        }
    }
}
