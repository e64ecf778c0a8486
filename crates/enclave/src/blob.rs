// SPDX-License-Identifier: Apache-2.0
//! State blobs: what a step or a whole contract looks like before it is sealed and after.
//!
//! Codec 3: a delta is the [postcard](https://postcard.jamesmunns.com/wire-format) of its record, followed
//! by the engine-independent encoding of its write set; a snapshot is that of its head, followed by the
//! encoding of the state, cut into parts. Every blob carries the result of the last entry it has executed, so that
//! whoever loads it can sign that result again; a snapshot carries all that could be signed.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use subrosa_crypto::{
    EpochId,
    sealing::{self, StateBinding, StateKind},
};
use subrosa_types::{
    ContractId,
    abi::Outcome,
    frame::{BlobKind, ErrorCode, FrameError, StateBlob},
    result::Head,
};
use subrosa_vm::WriteSet;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    epoch::Epoch,
    fixed::Place,
    step::{Position, Signable, Step},
};

/// The result of the last executed entry, and what continuing from it needs.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    history: B256,
    commitment: B256,
    block_number: u64,
    block_timestamp: u64,
    outcome: Outcome,
}

/// What a snapshot begins with.
#[derive(Serialize, Deserialize)]
pub(crate) struct SnapshotHead {
    pub(crate) last: Record,
    pub(crate) engine: u8,
    pub(crate) root: Root,
    pub(crate) results: Vec<SignableRecord>,
}

/// A result that can be signed.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct SignableRecord {
    seq: u64,
    result_hash: B256,
    group: u32,
    epoch: u32,
}

/// What a blob is of.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) place: Place,
    pub(crate) contract: ContractId,
    /// Of the contract after the step.
    pub(crate) code_commitment: B256,
}

/// Which part of what is sealed.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(crate) number: u32,
    pub(crate) of: u32,
    /// [`StateBinding::first_part`].
    pub(crate) first: B256,
}

impl Part {
    const ONLY: Self = Self {
        number: 0,
        of: 1,
        first: B256::ZERO,
    };
}

/// A contract's root, wiped once it is not needed any more.
#[derive(Serialize, Deserialize)]
pub(crate) struct Root(pub(crate) [u8; 32]);

impl Drop for Root {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

const CODEC: u8 = 4;

/// More than a record takes.
const RECORD_BYTES: usize = 256;

impl Record {
    pub(crate) fn of(step: &Step) -> Self {
        Self {
            history: step.position.history,
            commitment: step.position.head.commitment,
            block_number: step.position.block_number,
            block_timestamp: step.position.block_timestamp,
            outcome: step.outcome.clone(),
        }
    }

    /// The step that this record, found in `blob`, describes.
    pub(crate) fn step(self, blob: &StateBlob) -> Step {
        let position = Position {
            head: Head {
                seq: blob.seq.saturating_add(1),
                commitment: self.commitment,
            },
            digest: blob.digest,
            history: self.history,
            block_number: self.block_number,
            block_timestamp: self.block_timestamp,
            epoch: epoch_of(blob),
        };
        let outcome_hash = self.outcome.hash();
        let outcome = (self.outcome, outcome_hash);
        let previous = blob.previous_commitment;
        Step::new(position, outcome, Zeroizing::default(), previous)
    }
}

impl SignableRecord {
    pub(crate) fn of((seq, signable): (&u64, &Signable)) -> Self {
        Self {
            seq: *seq,
            result_hash: signable.result_hash,
            group: signable.epoch.group,
            epoch: signable.epoch.epoch,
        }
    }

    pub(crate) fn signable(self) -> (u64, Signable) {
        let signable = Signable {
            result_hash: self.result_hash,
            epoch: EpochId {
                group: self.group,
                epoch: self.epoch,
            },
        };
        (self.seq, signable)
    }
}

/// Seals what `step` changed.
pub(crate) fn seal_delta(
    subject: Subject,
    epoch: &Epoch,
    step: &Step,
) -> Result<StateBlob, FrameError> {
    // Room for all of it: what a growing buffer leaves behind is not wiped.
    let room = Vec::with_capacity(RECORD_BYTES + step.writes.len());
    let record = postcard::to_extend(&Record::of(step), room).map_err(refuse)?;
    let mut plaintext = Zeroizing::new(record);
    plaintext.extend_from_slice(&step.writes);
    seal(
        subject,
        epoch,
        step,
        (StateKind::Delta, Part::ONLY),
        &plaintext,
    )
}

/// Seals a part of a snapshot of the contract right after `step`.
pub(crate) fn seal_part(
    subject: Subject,
    epoch: &Epoch,
    step: &Step,
    part: Part,
    plaintext: &[u8],
) -> Result<StateBlob, FrameError> {
    seal(subject, epoch, step, (StateKind::Snapshot, part), plaintext)
}

/// Opens a delta: what it says of its entry, and what that changed.
pub(crate) fn open_delta(
    place: Place,
    contract: ContractId,
    epoch: &Epoch,
    blob: &StateBlob,
) -> Result<(Record, WriteSet), FrameError> {
    let plaintext = open(place, contract, epoch, blob, (StateKind::Delta, B256::ZERO))?;
    let (record, writes) = postcard::take_from_bytes(&plaintext).map_err(|_| malformed(blob))?;
    let writes =
        WriteSet::decode(writes).map_err(|error| FrameError::new(ErrorCode::Blob, error))?;
    Ok((record, writes))
}

/// Opens a part of a snapshot, of which `first` is the hash of the sealed first part; zero for that one.
pub(crate) fn open_part(
    place: Place,
    contract: ContractId,
    epoch: &Epoch,
    blob: &StateBlob,
    first: B256,
) -> Result<Zeroizing<Vec<u8>>, FrameError> {
    open(place, contract, epoch, blob, (StateKind::Snapshot, first))
}

/// Reads the head off a snapshot's first part; what follows is of the state.
pub(crate) fn read_head<'a>(
    blob: &StateBlob,
    plaintext: &'a [u8],
) -> Result<(SnapshotHead, &'a [u8]), FrameError> {
    postcard::take_from_bytes(plaintext).map_err(|_| malformed(blob))
}

/// The key epoch whose secret seals a blob.
pub(crate) fn epoch_of(blob: &StateBlob) -> EpochId {
    EpochId {
        group: blob.group,
        epoch: blob.epoch,
    }
}

fn seal(
    subject: Subject,
    epoch: &Epoch,
    step: &Step,
    (kind, part): (StateKind, Part),
    plaintext: &[u8],
) -> Result<StateBlob, FrameError> {
    let binding = StateBinding {
        chain_id: subject.place.chain_id,
        oracle: subject.place.oracle,
        contract_id: subject.contract,
        code_commitment: subject.code_commitment,
        epoch: step.position.epoch,
        seq: step.seq(),
        previous_commitment: step.previous_commitment,
        digest: step.position.digest,
        kind,
        codec: CODEC,
        part: part.number,
        parts: part.of,
        first_part: part.first,
    };
    let sealed = sealing::seal_state(&epoch.secret, &binding, plaintext).map_err(refuse)?;
    Ok(StateBlob {
        kind: public_kind(kind),
        part: part.number,
        parts: part.of,
        seq: binding.seq,
        digest: binding.digest,
        previous_commitment: binding.previous_commitment,
        code_commitment: binding.code_commitment,
        group: binding.epoch.group,
        epoch: binding.epoch.epoch,
        sealed: sealed.into(),
    })
}

fn open(
    place: Place,
    contract: ContractId,
    epoch: &Epoch,
    blob: &StateBlob,
    (kind, first_part): (StateKind, B256),
) -> Result<Zeroizing<Vec<u8>>, FrameError> {
    let refuse = |message: String| FrameError::new(ErrorCode::Blob, message);
    if blob.kind != public_kind(kind) {
        return Err(refuse(format!("blob of seq {} is no {kind:?}", blob.seq)));
    }
    let binding = StateBinding {
        chain_id: place.chain_id,
        oracle: place.oracle,
        contract_id: contract,
        code_commitment: blob.code_commitment,
        epoch: epoch_of(blob),
        seq: blob.seq,
        previous_commitment: blob.previous_commitment,
        digest: blob.digest,
        kind,
        codec: CODEC,
        part: blob.part,
        parts: blob.parts,
        first_part,
    };
    sealing::open_state(&epoch.secret, &binding, &blob.sealed)
        .map_err(|error| refuse(format!("{kind:?} of seq {}: {error}", blob.seq)))
}

fn malformed(blob: &StateBlob) -> FrameError {
    let message = format!("blob of seq {} does not decode", blob.seq);
    FrameError::new(ErrorCode::Blob, message)
}

fn refuse(error: impl ToString) -> FrameError {
    FrameError::new(ErrorCode::Unsupported, error.to_string())
}

fn public_kind(kind: StateKind) -> BlobKind {
    match kind {
        StateKind::Snapshot => BlobKind::Snapshot,
        StateKind::Delta => BlobKind::Delta,
    }
}
