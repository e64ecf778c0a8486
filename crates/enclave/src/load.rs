// SPDX-License-Identifier: Apache-2.0
//! Loading a contract from its sealed blobs, and sealing it whole.
//!
//! Loading an old state is harmless by construction: the next entry must chain to its last digest,
//! and executing it again gives the same result.

use alloc::{collections::BTreeMap, format};

use subrosa_crypto::{ContractRoot, EpochId, sealing::StateKind};
use subrosa_types::{
    ContractId,
    frame::{ErrorCode, FrameError, StateBlob},
};
use subrosa_vm::{Engines, WriteSet};

use crate::{
    blob::{self, Delta, Snapshot},
    contract::Contract,
    epoch::Epochs,
    fixed::Place,
    step::Signable,
};

/// The contract that a snapshot and the deltas after it make. Deltas of a stateless contract only
/// make results signable again.
pub(crate) fn load(
    place: Place,
    engines: &Engines,
    epochs: &Epochs,
    id: ContractId,
    blobs: &[StateBlob],
) -> Result<Contract, FrameError> {
    let refuse = |message: &str| FrameError::new(ErrorCode::Blob, message);
    let (first, deltas) = blobs.split_first().ok_or_else(|| refuse("no blobs"))?;
    let mut loaded = open_snapshot(place, engines, epochs, id, first)?;
    for delta in deltas {
        apply_delta(place, epochs, &mut loaded, delta)?;
    }
    Ok(loaded)
}

/// Seals the whole of a contract as it stands.
pub(crate) fn snapshot(
    place: Place,
    epochs: &Epochs,
    contract: &Contract,
) -> Result<StateBlob, FrameError> {
    let epoch = epochs.active(contract.position().epoch)?;
    blob::seal_snapshot(place, contract, epoch, &contract.last)
}

fn open_snapshot(
    place: Place,
    engines: &Engines,
    epochs: &Epochs,
    id: ContractId,
    sealed: &StateBlob,
) -> Result<Contract, FrameError> {
    let epoch = epochs.active(epoch_of(sealed))?;
    let snapshot: Snapshot = blob::open(place, id, epoch, sealed, StateKind::Snapshot)?;
    let vm = engines.engine(snapshot.engine).ok_or_else(|| {
        let message = format!("engine {}", snapshot.engine);
        FrameError::new(ErrorCode::Unsupported, message)
    })?;
    let step = snapshot.last.step(sealed, WriteSet::default());
    Ok(Contract {
        id,
        code_commitment: sealed.code_commitment,
        engine: snapshot.engine,
        vm: vm.clone(),
        root: ContractRoot::from_bytes(&snapshot.root),
        state: blob::decode_state(&snapshot.state)?,
        results: BTreeMap::from([(step.seq(), Signable::of(&step))]),
        last: step,
    })
}

fn apply_delta(
    place: Place,
    epochs: &Epochs,
    contract: &mut Contract,
    sealed: &StateBlob,
) -> Result<(), FrameError> {
    let epoch = epochs.active(epoch_of(sealed))?;
    let delta: Delta = blob::open(place, contract.id, epoch, sealed, StateKind::Delta)?;
    let step = delta.last.step(sealed, blob::decode_writes(&delta.writes)?);
    if sealed.code_commitment != contract.code_commitment {
        return Err(FrameError::new(ErrorCode::Blob, "delta of other code"));
    }
    if step.is_stateless() {
        contract.remember(&step);
        return Ok(());
    }
    let continues = step.seq() == contract.position().head.seq
        && step.previous_commitment == contract.position().head.commitment;
    if !continues {
        let message = format!(
            "delta of seq {} does not continue seq {}",
            sealed.seq,
            contract.position().head.seq
        );
        return Err(FrameError::new(ErrorCode::Blob, message));
    }
    contract.apply(step);
    Ok(())
}

fn epoch_of(sealed: &StateBlob) -> EpochId {
    EpochId {
        group: sealed.group,
        epoch: sealed.epoch,
    }
}
