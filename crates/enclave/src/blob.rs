// SPDX-License-Identifier: Apache-2.0
//! State blobs: what a step or a whole contract looks like before it is sealed and after.
//!
//! Codec 1: [postcard](https://postcard.jamesmunns.com/wire-format) of the structs below, with
//! states and write sets in their own engine-independent encodings. Every blob carries the result
//! of the last entry it has executed, so that whoever loads it can sign that result again.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use alloy_primitives::B256;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
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
use subrosa_vm::{State, WriteSet};
use zeroize::Zeroizing;

use crate::{
    contract::Contract,
    epoch::Epoch,
    fixed::Place,
    step::{Position, Step},
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

/// What one entry changed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Delta {
    pub(crate) last: Record,
    pub(crate) writes: Vec<u8>,
}

/// A whole contract.
#[derive(Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) last: Record,
    pub(crate) engine: u8,
    pub(crate) root: [u8; 32],
    pub(crate) state: Vec<u8>,
}

const CODEC: u8 = 1;

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
    pub(crate) fn step(self, blob: &StateBlob, writes: WriteSet) -> Step {
        Step {
            position: Position {
                head: Head {
                    seq: blob.seq.saturating_add(1),
                    commitment: self.commitment,
                },
                digest: blob.digest,
                history: self.history,
                block_number: self.block_number,
                block_timestamp: self.block_timestamp,
                epoch: EpochId {
                    group: blob.group,
                    epoch: blob.epoch,
                },
            },
            outcome: self.outcome,
            writes,
            previous_commitment: blob.previous_commitment,
        }
    }
}

/// Seals what `step` changed.
pub(crate) fn seal_delta(
    place: Place,
    contract: &Contract,
    epoch: &Epoch,
    step: &Step,
) -> Result<StateBlob, FrameError> {
    let delta = Delta {
        last: Record::of(step),
        writes: step.writes.encode(),
    };
    seal(place, contract, epoch, step, StateKind::Delta, &delta)
}

/// Seals the whole contract, which must stand right after `step`.
pub(crate) fn seal_snapshot(
    place: Place,
    contract: &Contract,
    epoch: &Epoch,
    step: &Step,
) -> Result<StateBlob, FrameError> {
    let snapshot = Snapshot {
        last: Record::of(step),
        engine: contract.engine,
        root: *contract.root.expose(),
        state: contract.state.encode(),
    };
    seal(place, contract, epoch, step, StateKind::Snapshot, &snapshot)
}

/// Opens a blob as the kind it must be.
pub(crate) fn open<T: DeserializeOwned>(
    place: Place,
    contract: ContractId,
    epoch: &Epoch,
    blob: &StateBlob,
    kind: StateKind,
) -> Result<T, FrameError> {
    let refuse = |message: String| FrameError::new(ErrorCode::Blob, message);
    if blob.kind != public_kind(kind) {
        return Err(refuse(format!("blob of seq {} is no {kind:?}", blob.seq)));
    }
    let binding = StateBinding {
        chain_id: place.chain_id,
        oracle: place.oracle,
        contract_id: contract,
        code_commitment: blob.code_commitment,
        epoch: EpochId {
            group: blob.group,
            epoch: blob.epoch,
        },
        seq: blob.seq,
        previous_commitment: blob.previous_commitment,
        digest: blob.digest,
        kind,
        codec: CODEC,
    };
    let plaintext = sealing::open_state(&epoch.secret, &binding, &blob.sealed)
        .map_err(|error| refuse(format!("{kind:?} of seq {}: {error}", blob.seq)))?;
    match postcard::take_from_bytes(&plaintext) {
        Ok((value, [])) => Ok(value),
        _ => Err(refuse(format!(
            "{kind:?} of seq {} does not decode",
            blob.seq
        ))),
    }
}

/// Decodes a state that was sealed.
pub(crate) fn decode_state(encoded: &[u8]) -> Result<State, FrameError> {
    State::decode(encoded).map_err(|error| FrameError::new(ErrorCode::Blob, error))
}

/// Decodes a write set that was sealed.
pub(crate) fn decode_writes(encoded: &[u8]) -> Result<WriteSet, FrameError> {
    WriteSet::decode(encoded).map_err(|error| FrameError::new(ErrorCode::Blob, error))
}

fn seal<T: Serialize>(
    place: Place,
    contract: &Contract,
    epoch: &Epoch,
    step: &Step,
    kind: StateKind,
    value: &T,
) -> Result<StateBlob, FrameError> {
    let refuse = |error: String| FrameError::new(ErrorCode::Unsupported, error);
    let plaintext =
        Zeroizing::new(postcard::to_allocvec(value).map_err(|error| refuse(error.to_string()))?);
    let binding = StateBinding {
        chain_id: place.chain_id,
        oracle: place.oracle,
        contract_id: contract.id,
        code_commitment: contract.code_commitment,
        epoch: step.position.epoch,
        seq: step.seq(),
        previous_commitment: step.previous_commitment,
        digest: step.position.digest,
        kind,
        codec: CODEC,
    };
    let sealed = sealing::seal_state(&epoch.secret, &binding, &plaintext)
        .map_err(|error| refuse(error.to_string()))?;
    Ok(StateBlob {
        kind: public_kind(kind),
        seq: binding.seq,
        digest: binding.digest,
        previous_commitment: binding.previous_commitment,
        code_commitment: binding.code_commitment,
        group: binding.epoch.group,
        epoch: binding.epoch.epoch,
        sealed: sealed.into(),
    })
}

fn public_kind(kind: StateKind) -> BlobKind {
    match kind {
        StateKind::Snapshot => BlobKind::Snapshot,
        StateKind::Delta => BlobKind::Delta,
    }
}
