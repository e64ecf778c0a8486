// SPDX-License-Identifier: Apache-2.0
//! Loading a contract from its sealed blobs, a request at a time.
//!
//! Loading an old state is harmless by construction: the next entry must chain to its last digest,
//! and executing it again gives the same result.

use alloc::{format, sync::Arc, vec::Vec};

use alloy_primitives::{B256, keccak256};
use subrosa_crypto::ContractRoot;
use subrosa_types::{
    ContractId,
    frame::{BlobKind, ErrorCode, FrameError, Response, StateBlob},
};
use subrosa_vm::{Engines, StateReader};

use crate::{
    blob::{self, epoch_of},
    cell::{Cell, Published, not_loaded},
    contract::Contract,
    epoch::Active,
    fixed::Place,
    loading::Loading,
    step::Signable,
};

/// What loading needs besides the blobs.
pub(crate) struct Loader<'a> {
    pub(crate) place: Place,
    pub(crate) engines: &'a Engines,
    pub(crate) epochs: &'a Active,
}

impl Loader<'_> {
    /// Takes in what comes next of a snapshot and the deltas after it.
    pub(crate) fn load<W>(
        &self,
        cell: &Cell<W>,
        blobs: Vec<StateBlob>,
    ) -> Result<Response, FrameError> {
        if blobs.is_empty() {
            return Err(refuse("no blobs"));
        }
        // Taken out, so that opening blobs holds nobody up.
        let mut loading = cell.lock().take_loading();
        let mut loaded: Option<Published> = None;
        let mut replaces = false;
        let mut base: Option<Arc<Contract>> = None;
        for blob in blobs {
            match blob.kind {
                BlobKind::Snapshot
                    if blob.part > 0
                        && loading
                            .as_ref()
                            .is_some_and(|loading| !loading.is_followed_by(&blob)) =>
                {
                    // Somebody else's, or out of order: what is taken stays.
                    let displaced = cell.lock().put_loading(loading);
                    drop(displaced);
                    let message = format!("part {} of a snapshot does not come next", blob.part);
                    return Err(refuse(&message));
                }
                BlobKind::Snapshot => {
                    loading = Some(self.part(cell.id, loading.take(), blob)?);
                    if let Some(complete) = loading.take_if(|loading| loading.is_complete()) {
                        loaded = Some(self.complete(cell.id, complete)?);
                        replaces = true;
                    }
                }
                BlobKind::Delta if loading.is_some() => {
                    return Err(refuse("a delta before the last part of its snapshot"));
                }
                BlobKind::Delta => {
                    let before = match loaded.take() {
                        Some(before) => before,
                        None => {
                            let contract = cell
                                .contract()
                                .map_err(|_| refuse("a delta of what is not loaded"))?;
                            base = Some(Arc::clone(&contract));
                            Published {
                                contract: Some(contract),
                                results: Vec::new(),
                                whole_in: None,
                            }
                        }
                    };
                    loaded = Some(self.delta(before, &blob)?);
                }
            }
        }
        let (_displaced, _left);
        let mut inner = cell.lock();
        if let Some(loaded) = loaded {
            if replaces {
                _displaced = inner.replace(loaded);
            } else {
                let stands = match (&base, inner.contract()) {
                    (Some(base), Some(now)) => Arc::ptr_eq(base, &now),
                    _ => false,
                };
                if !stands {
                    let message = format!("{} went on while deltas were loaded", cell.id);
                    return Err(FrameError::new(ErrorCode::Sequence, message));
                }
                _displaced = inner.publish(loaded);
            }
        }
        if let Some(loading) = loading {
            let taken = loading.taken;
            _left = inner.put_loading(Some(loading));
            return Ok(Response::Loading(taken));
        }
        let summary = inner.summary().ok_or_else(|| not_loaded(cell.id))?;
        Ok(Response::Loaded(summary))
    }

    /// Takes in a part of a snapshot; the first one starts over.
    fn part(
        &self,
        id: ContractId,
        loading: Option<Loading>,
        blob: StateBlob,
    ) -> Result<Loading, FrameError> {
        let epoch = self.epochs.active(epoch_of(&blob))?;
        if blob.part == 0 {
            let plaintext = blob::open_part(self.place, id, &epoch, &blob, B256::ZERO)?;
            let (head, rest) = blob::read_head(&blob, &plaintext)?;
            let mut state = StateReader::new();
            read(&mut state, rest)?;
            return Ok(Loading {
                head,
                state,
                first_hash: keccak256(&blob.sealed),
                first: StateBlob {
                    sealed: Default::default(),
                    ..blob
                },
                taken: 1,
            });
        }
        let Some(mut loading) = loading else {
            let message = format!("part {} of a snapshot without its first", blob.part);
            // The host's, or what was taken was dropped to make room.
            return Err(FrameError::new(ErrorCode::OutOfOrder, message));
        };
        let plaintext = blob::open_part(self.place, id, &epoch, &blob, loading.first_hash)?;
        read(&mut loading.state, &plaintext)?;
        loading.taken += 1;
        Ok(loading)
    }

    /// The contract of a snapshot whose last part is there.
    fn complete(&self, id: ContractId, loading: Loading) -> Result<Published, FrameError> {
        let Loading {
            head, state, first, ..
        } = loading;
        let vm = self.engines.engine(head.engine).ok_or_else(|| {
            FrameError::new(ErrorCode::Unsupported, format!("engine {}", head.engine))
        })?;
        let state = state
            .finish()
            .map_err(|error| FrameError::new(ErrorCode::Blob, error))?;
        let results = head.results.iter().map(|record| record.signable());
        let mut results: Vec<(u64, Signable)> = results.collect();
        let last = head.last.step(&first);
        results.push((last.seq(), Signable::of(&last)));
        let contract = Contract {
            id,
            code_commitment: first.code_commitment,
            engine: head.engine,
            vm: Arc::clone(vm),
            root: Arc::new(ContractRoot::from_bytes(&head.root.0)),
            state,
            last,
        };
        Ok(Published {
            contract: Some(Arc::new(contract)),
            results,
            whole_in: Some(first.epoch),
        })
    }

    /// Applies a delta. Those of a stateless contract only make results signable again.
    fn delta(&self, before: Published, blob: &StateBlob) -> Result<Published, FrameError> {
        let Published {
            contract,
            mut results,
            whole_in,
        } = before;
        let contract = contract.ok_or_else(|| refuse("a delta of what is not loaded"))?;
        let epoch = self.epochs.active(epoch_of(blob))?;
        let (record, writes) = blob::open_delta(self.place, contract.id, &epoch, blob)?;
        let step = record.step(blob);
        results.push((step.seq(), Signable::of(&step)));
        let mut contract = Arc::unwrap_or_clone(contract);
        if step.is_stateless() {
            if blob.code_commitment != contract.code_commitment {
                return Err(refuse("delta of other code"));
            }
            contract.turn_to_epoch_of(&step);
        } else {
            let position = contract.position();
            let continues = step.seq() == position.head.seq
                && step.previous_commitment == position.head.commitment;
            if !continues {
                let message = format!(
                    "delta of seq {} does not continue seq {}",
                    blob.seq, position.head.seq
                );
                return Err(refuse(&message));
            }
            contract.apply(&step, &writes);
            // Another one is that of an upgrade, whose delta brought the code.
            contract.code_commitment = blob.code_commitment;
        }
        Ok(Published {
            contract: Some(Arc::new(contract)),
            results,
            whole_in,
        })
    }
}

fn read(state: &mut StateReader, part: &[u8]) -> Result<(), FrameError> {
    state
        .read(part)
        .map_err(|error| FrameError::new(ErrorCode::Blob, error))
}

fn refuse(message: &str) -> FrameError {
    FrameError::new(ErrorCode::Blob, message)
}
