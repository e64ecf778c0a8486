// SPDX-License-Identifier: Apache-2.0
//! What the enclave answers.

use alloc::{boxed::Box, vec::Vec};

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

use super::FrameError;
use crate::{
    ContractId,
    abi::{
        AttestationStatement, ContractStatement, EpochAcknowledgement, EpochOpening, QueryReply,
    },
    batch::CompactSignature,
    entry::FinalityClass,
    id::TeeKind,
    result::{Head, Status},
};

/// An answer from enclave to host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Response {
    /// To `Hello`.
    Hello(Box<HelloReply>),
    /// To `Start`.
    Started(Box<Started>),
    /// To `Advance`.
    Advanced(Advanced),
    /// To `Quote`: an evidence bundle, as `subrosa-evidence` decodes it.
    Evidence(Bytes),
    /// To `Attest`.
    Attested(Box<Attested>),
    /// To `ProposeEpoch` and `RestoreEpoch`.
    Epoch(Box<EpochProposal>),
    /// To `ActivateEpoch`: envelopes of this epoch can now be opened.
    EpochActive(Box<PublishedEpoch>),
    /// To `Load`: where the contract stands.
    Loaded(Loaded),
    /// To `Load`: how many parts of the snapshot are taken; the rest is awaited.
    Loading(u32),
    /// To `Execute`.
    Executed(Box<Executed>),
    /// To `Anchor`: the position of the entry at which there is an anchor now.
    Anchored(u64),
    /// To `CheckCode`: it does.
    CodeOpens,
    /// To `Snapshot`.
    Snapshot(Box<StateBlob>),
    /// To `Sign`.
    Signed(Box<Signed>),
    /// To `Query`.
    Queried(Box<Queried>),
    /// To `Statement`.
    Statement(Box<SignedStatement>),
    /// There is no result; the enclave's state is unchanged.
    Error(FrameError),
}

/// Who answers, and what it holds: a host that reconnects resumes from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloReply {
    /// [`WIRE_VERSION`](super::WIRE_VERSION) of the enclave.
    pub wire_version: u16,
    /// Random, drawn when the enclave booted: another value means another enclave.
    pub boot_id: [u8; 16],
    /// If a configuration was fixed already.
    pub started: Option<Started>,
    /// The active epochs' public keys.
    pub epochs: Vec<PublishedEpoch>,
    /// Loaded contracts and their states.
    pub contracts: Vec<Loaded>,
}

/// An enclave with its configuration and keys fixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Hash of the configuration.
    pub config_hash: B256,
    /// [`start_hash`](crate::id::start_hash) of the checkpoint.
    pub start_hash: B256,
    /// Address of the signer key.
    pub signer: Address,
    /// Node transfer key (X-Wing public key, 1,216 bytes).
    pub transfer_key: Bytes,
    /// What kind of TEE quotes.
    pub tee: TeeKind,
    /// Root that vouches for its evidence.
    pub root_id: B256,
    /// keccak256 of the measurement.
    pub measurement_hash: B256,
    /// Id of the measurement.
    pub measurement_id: B256,
}

/// Evidence for a client, with what the signer says beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attested {
    /// An evidence bundle, as `subrosa-evidence` decodes it.
    pub bundle: Bytes,
    /// What is signed.
    pub statement: AttestationStatement,
    /// r ‖ s ‖ v, 65 bytes.
    pub signature: Bytes,
    /// If a payee was named: the answer to a challenge that was put on chain, which is about this bundle, byte
    /// for byte.
    pub answer: Option<Answered>,
}

/// What goes on chain beside the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// ABI encoding of the `PresentedAttestation`.
    pub presented: Bytes,
    /// The signature over the `AttestationAnswer`; r ‖ s ‖ v, 65 bytes.
    pub signature: Bytes,
}

/// Where header trust stands: the newest block that it vouches for by itself, if it knows of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advanced {
    /// That block.
    pub newest: Option<VouchedBlock>,
}

/// A block that header trust vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VouchedBlock {
    /// Block number.
    pub number: u64,
    /// keccak256 of the header.
    pub hash: B256,
    /// How finally it is part of the chain.
    pub class: FinalityClass,
}

/// An epoch and its public keys, as the enclave hands them out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedEpoch {
    /// Key group.
    pub group: u32,
    /// Epoch.
    pub epoch: u32,
    /// X-Wing public key, 1,216 bytes.
    pub xwing: Bytes,
    /// X25519 public key.
    pub x25519: B256,
}

/// An epoch that awaits its proof that the registry opened it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochProposal {
    /// What the registry must record.
    pub opening: EpochOpening,
    /// The signer's signature over `opening` (EIP-712, registry's domain), r ‖ s ‖ v, 65 bytes.
    pub signature: Bytes,
    /// That the registry must hear of from some of those that hold the secret.
    pub acknowledgement: EpochAcknowledgement,
    /// The signer's over `acknowledgement`, as `signature`.
    pub acknowledged: Bytes,
    /// Its public keys.
    pub keys: PublishedEpoch,
    /// The secret, sealed; empty if the recovery policy has no platform sealing.
    pub sealed: Bytes,
}

/// A sealed state blob with the public values its AEAD binds. Stored as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateBlob {
    /// Whether it stands alone. The blob of entry 0 is a snapshot of one part, those of all other
    /// entries are deltas.
    pub kind: BlobKind,
    /// Which part of a snapshot, from 0. A delta has one.
    pub part: u32,
    /// How many parts there are.
    pub parts: u32,
    /// Seq of the last entry this state has executed.
    pub seq: u64,
    /// That entry's digest.
    pub digest: B256,
    /// The head's commitment before that entry.
    pub previous_commitment: B256,
    /// Code commitment of the contract after that entry.
    pub code_commitment: B256,
    /// Key group whose epoch secret seals it.
    pub group: u32,
    /// Epoch whose secret seals it.
    pub epoch: u32,
    /// Version, kind, codec, size class, nonce and ciphertext.
    pub sealed: Bytes,
}

/// What a state blob holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BlobKind {
    /// A whole contract, or part of one.
    Snapshot,
    /// What one entry changed.
    Delta,
}

/// A contract in the enclave's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    /// The contract that was loaded.
    pub contract: ContractId,
    /// Executed entries and commitment.
    pub head: Head,
    /// Digest of the last executed entry.
    pub digest: B256,
    /// The oldest entry whose result can still be signed.
    pub signable_from: u64,
}

/// Results of executed entries, in order. They are final and stand, however the rest ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executed {
    /// One per executed entry.
    pub results: Vec<ExecutedEntry>,
    /// Why the entry after the last result has none.
    pub ended: Ended,
}

/// Why a request to execute ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// Every entry has a result.
    Complete,
    /// The entries took as much work as one request may: ask again for the rest.
    Budget,
    /// More results might not fit an answer: ask again for the rest.
    Full,
    /// There is no result of the next entry.
    Refused(FrameError),
}

/// The result of one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutedEntry {
    /// Position of the entry in the log.
    pub seq: u64,
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
    /// keccak256 of the sealed logs; zero for a contract without a log key, as all are yet.
    pub sealed_logs_hash: B256,
    /// Delta of this entry, or a snapshot. Must be durable before the result is submitted.
    pub blob: StateBlob,
}

/// A signature over a list of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Key group of every entry in the list.
    pub group: u32,
    /// Key epoch of every entry in the list.
    pub epoch: u32,
    /// Over `SignedResults` or `CosignedResults`, as was asked.
    pub signature: CompactSignature,
}

/// A signed reply to a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queried {
    /// What is signed.
    pub reply: QueryReply,
    /// `QueryOutput`, sealed to the query's reply key: caller, status and output.
    pub sealed: Bytes,
    /// r ‖ s ‖ v, 65 bytes.
    pub signature: Bytes,
}

/// A signed statement of what code runs under a contract id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedStatement {
    /// What is signed.
    pub statement: ContractStatement,
    /// r ‖ s ‖ v, 65 bytes.
    pub signature: Bytes,
}
