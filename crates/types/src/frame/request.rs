// SPDX-License-Identifier: Apache-2.0
//! What the host asks.

use alloc::{boxed::Box, vec::Vec};

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

use super::{EntryProof, HeaderFrame, StateBlob, StorageProof, bounded};
use crate::{
    ContractId,
    abi::{Entry, EpochMember},
    entry::Link,
};

/// A request from host to enclave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Request {
    /// Opens a stream. Answered by [`Response::Hello`](super::Response::Hello) whatever the
    /// enclave's state.
    Hello {
        /// [`WIRE_VERSION`](super::WIRE_VERSION) of the host.
        wire_version: u16,
    },
    /// Fixes the configuration and where header trust starts, once per boot; repeating the same
    /// is harmless.
    Start {
        /// ABI encoding of [`EnclaveConfig`](crate::abi::EnclaveConfig).
        config: Bytes,
        /// What header trust starts from, at most [`MAX_CHECKPOINT_BYTES`]; empty for
        /// host-asserted. The enclave starts from no other in this boot, and evidence and admissions
        /// bind its [`start_hash`](crate::id::start_hash).
        checkpoint: Bytes,
    },
    /// Brings header trust forward. Answered by where it stands then.
    Advance {
        /// What the kind of header trust takes, at most [`MAX_UPDATE_BYTES`].
        update: Bytes,
    },
    /// Asks for evidence that registers the enclave's signer, or renews its lease: it binds keys,
    /// configuration and start, and answers a recent block. No client ever has use for it.
    Quote {
        /// Hash of the block.
        block_hash: B256,
        /// Who sends the transaction.
        registrant: Address,
    },
    /// Asks for evidence for a client, and for the signer's statement of what to encrypt to. The
    /// evidence registers nobody, whatever the challenge is.
    Attest {
        /// The client's, 16 to 64 bytes.
        challenge: Vec<u8>,
        /// The epoch whose keys are stated, which must be active.
        epoch: u32,
        /// A header that header trust vouches for: where it stands, if it stands anywhere.
        header: HeaderFrame,
        /// If the challenge was put on chain: whom its escrow is to be paid to, zero for whoever brings
        /// the answer.
        payee: Option<Address>,
    },
    /// Draws a fresh epoch secret and proposes its public key.
    ProposeEpoch {
        /// The epoch to open.
        epoch: u32,
        /// Who may hold its secret, as governance scheduled it; must include this enclave's own
        /// measurement and configuration. At most [`MAX_MEMBERS`].
        #[serde(deserialize_with = "bounded::list::<_, _, MAX_MEMBERS>")]
        members: Vec<EpochMember>,
    },
    /// Brings back an epoch secret that this platform sealed.
    RestoreEpoch {
        /// [`EpochProposal::sealed`](super::EpochProposal::sealed).
        sealed: Bytes,
    },
    /// Proves that the registry opened the proposed or restored epoch with this public key.
    ActivateEpoch {
        /// The epoch to take into use.
        epoch: u32,
        /// Of the registry's slot [`slot::epoch`](crate::slot::epoch).
        proof: Box<StorageProof>,
    },
    /// Restores a contract from a snapshot and the deltas after it. May be spread over several
    /// requests, of which each goes on where the one before it ended: first the snapshot's parts in
    /// order, of which nothing is used before the last one is there, then the deltas. Answered by where
    /// the contract stands then, or by [`Response::Loading`](super::Response::Loading) while parts are
    /// missing. The first part of a snapshot starts over.
    Load {
        /// The contract to restore.
        contract: ContractId,
        /// What comes next, at most [`MAX_BLOBS`].
        #[serde(deserialize_with = "bounded::list::<_, _, MAX_BLOBS>")]
        blobs: Vec<StateBlob>,
    },
    /// Executes entries that continue the loaded log.
    Execute {
        /// The contract meant.
        contract: ContractId,
        /// Consecutive entries (for a stateless contract: exactly one), at most
        /// [`MAX_ENTRIES`].
        #[serde(deserialize_with = "bounded::list::<_, _, MAX_ENTRIES>")]
        entries: Vec<LoggedEntry>,
        /// The envelope that carries code; needed if one of them is entry 0 or an upgrade.
        code_envelope: Option<Bytes>,
        /// Looked at only for entries whose runtime generation the enclave does not know.
        reassignment: Option<Box<Reassignment>>,
        /// Of the *last* entry: digests chain, so it proves them all.
        proof: EntryProof,
    },
    /// Shows entries that come before one that is proven, for a log that is far behind: the slots of its
    /// next entries hold others' digests by now. The enclave keeps the digest before the first link, as
    /// an anchor on which later requests rest, until its entry is executed or the contract leaves
    /// memory; of more than [`MAX_ANCHORS`] it drops those of the newest entries. Answered by
    /// [`Response::Anchored`](super::Response::Anchored).
    Anchor {
        /// The contract meant, which must be loaded.
        contract: ContractId,
        /// Digest of the entry before the first link; that is where the anchor will be.
        before: B256,
        /// What consecutive entries add to the chain of digests, at most [`MAX_LINKS`].
        #[serde(deserialize_with = "bounded::list::<_, _, MAX_LINKS>")]
        links: Vec<Link>,
        /// Of the last link's entry.
        proof: EntryProof,
    },
    /// Asks whether a code envelope opens for an entry and holds the code it commits to. Nothing is
    /// proven, and nothing comes of it: it tells a host which of several envelopes to keep.
    CheckCode {
        /// Entry 0 or an upgrade.
        entry: Box<Entry>,
        /// The code envelope.
        envelope: Bytes,
    },
    /// Asks for a part of a snapshot. The first part is of the loaded state, which is kept as it is
    /// while execution goes on, until the last part is asked for or another snapshot is begun. Parts
    /// are asked for in order; the one that was asked for last can be asked for again.
    Snapshot {
        /// The contract meant.
        contract: ContractId,
        /// Which part, from 0.
        part: u32,
    },
    /// Signs results that were executed or loaded.
    Sign {
        /// In the order in which they will be submitted. At most [`MAX_SIGNED_RESULTS`].
        #[serde(deserialize_with = "bounded::list::<_, _, MAX_SIGNED_RESULTS>")]
        results: Vec<ResultRef>,
        /// Whose signature of the batch it will be.
        role: SignerRole,
    },
    /// A static, off-chain call.
    Query {
        /// The contract meant.
        contract: ContractId,
        /// Query envelope.
        envelope: Bytes,
    },
    /// Asks for a signed statement of the code commitment.
    Statement {
        /// The contract meant.
        contract: ContractId,
        /// The client's.
        nonce: B256,
    },
}

/// A log entry with the input whose hash it carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedEntry {
    /// As the oracle logged it.
    pub entry: Entry,
    /// For entry 0 and upgrades the 32-byte code commitment.
    pub input: Bytes,
}

/// Shows that a log was moved to another runtime generation before its pending entries were
/// executed, so that they are executed in that one.
///
/// Counts for entries at or after the head that the RUNTIME entry's input names, and only if the
/// enclave knows neither their own generation nor any between theirs and the one that the log was
/// moved from. So there is at most one entry that can be shown, and a host has no choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reassignment {
    /// The entries after the last of [`Request::Execute::entries`], up to the RUNTIME entry, which
    /// the chain of their digests leads to. At most [`MAX_BETWEEN`]; none for a stateless contract.
    #[serde(deserialize_with = "bounded::list::<_, _, MAX_BETWEEN>")]
    pub between: Vec<Entry>,
    /// The RUNTIME entry, which comes after every entry to be executed.
    pub runtime: LoggedEntry,
    /// Of the RUNTIME entry.
    pub proof: EntryProof,
}

/// Most entries in [`Reassignment::between`]; 17 MB of a frame.
///
/// This is the window of a change of runtime: of more pending entries than this before a RUNTIME
/// entry, the oldest cannot be shown to be reassigned, and wait for a build that has their own
/// generation. Whoever appends them pays for every one.
pub const MAX_BETWEEN: usize = 65_536;

/// Which signature of a batch is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignerRole {
    /// The first, over `SignedResults`.
    First {
        /// Who earns the fees; zero for whoever sends the transaction.
        payee: Address,
    },
    /// A further one, over `CosignedResults`.
    Further,
}

/// Most links in one request: 6 MB of a frame.
pub const MAX_LINKS: usize = 65_536;

/// Most anchors that are kept for a contract.
pub const MAX_ANCHORS: usize = 1_024;

/// Most entries in one request.
pub const MAX_ENTRIES: usize = 1_024;

/// Most blobs in one request.
pub const MAX_BLOBS: usize = 4_096;

/// Most results under one signature.
pub const MAX_SIGNED_RESULTS: usize = 1_024;

/// Most members of an epoch's set, which is one word on chain.
pub const MAX_MEMBERS: usize = 8;

/// Longest checkpoint, bytes. The largest known is that of a sync committee: 512 keys of 48 bytes
/// with their proofs, about 26 kB.
pub const MAX_CHECKPOINT_BYTES: usize = 64 * 1024;

/// Longest update, bytes. As long as a checkpoint, and the signatures that vouch for it.
pub const MAX_UPDATE_BYTES: usize = 128 * 1024;

/// Names one executed entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ResultRef {
    /// The contract meant.
    pub contract: ContractId,
    /// Its position in the log.
    pub seq: u64,
}
