// SPDX-License-Identifier: Apache-2.0
//! A snapshot that is under way: a contract as it was when it was begun, sealed part after part.

use alloc::{format, sync::Arc, vec::Vec};

use alloy_primitives::{B256, keccak256};
use subrosa_types::frame::{ErrorCode, FrameError, StateBlob};
use subrosa_vm::StateWriter;
use zeroize::Zeroizing;

use crate::{
    blob::{self, Part, Record, Root, SignableRecord, SnapshotHead, Subject},
    contract::Contract,
    epoch::{Active, Epoch},
    fixed::Place,
    limits::PART_BYTES,
    step::Step,
};

/// A snapshot that is being taken.
pub(crate) struct Snapshotting {
    subject: Subject,
    epoch: Arc<Epoch>,
    pub(crate) step: Step,
    head: Zeroizing<Vec<u8>>,
    state: StateWriter,
    parts: u32,
    /// The part that was sealed last.
    last: Option<StateBlob>,
    /// keccak256 of the first part, once it is sealed.
    first: B256,
}

/// More than a head takes beside its results, and more than one of those takes.
const HEAD_BYTES: usize = 512;
const RESULT_BYTES: usize = 64;

impl Snapshotting {
    /// Begins a snapshot of the contract as it stands.
    pub(crate) fn begin(
        place: Place,
        epochs: &Active,
        contract: &Contract,
        results: Vec<SignableRecord>,
    ) -> Result<Self, FrameError> {
        let refuse = |message| FrameError::new(ErrorCode::Unsupported, message);
        let head = SnapshotHead {
            last: Record::of(&contract.last),
            engine: contract.engine,
            root: Root(*contract.root.expose()),
            results,
        };
        // Room for the whole part: what a growing buffer leaves behind is not wiped.
        let room = HEAD_BYTES + RESULT_BYTES * head.results.len() + contract.state.encoded_size();
        let room = PART_BYTES.min(room);
        let head = Zeroizing::new(
            postcard::to_extend(&head, Vec::with_capacity(room))
                .map_err(|_| refuse("a snapshot's head does not encode"))?,
        );
        let bytes = head.len() + contract.state.encoded_size();
        let parts = u32::try_from(bytes.div_ceil(PART_BYTES))
            .ok()
            .filter(|_| head.len() <= PART_BYTES)
            .ok_or_else(|| refuse("a snapshot of too many parts"))?;
        Ok(Self {
            subject: Subject {
                place,
                contract: contract.id,
                code_commitment: contract.code_commitment,
            },
            epoch: epochs.active(contract.position().epoch)?,
            step: contract.last.clone(),
            head,
            state: StateWriter::new(contract.state.clone()),
            parts,
            last: None,
            first: B256::ZERO,
        })
    }

    /// Seals the part asked for: the first, the next, or the last one again.
    pub(crate) fn part(&mut self, part: u32) -> Result<StateBlob, FrameError> {
        let next = self.last.as_ref().map_or(0, |last| last.part + 1);
        if let Some(last) = self.last.as_ref().filter(|last| last.part == part) {
            return Ok(last.clone());
        }
        if part != next || part >= self.parts {
            let message = format!("part {part} is asked for, {next} of {} is next", self.parts);
            return Err(FrameError::new(ErrorCode::OutOfOrder, message));
        }
        let mut plaintext = core::mem::take(&mut self.head);
        let room = PART_BYTES - plaintext.len();
        plaintext.extend(Zeroizing::new(self.state.part(room)).iter());
        let number = part;
        let part = Part {
            number,
            of: self.parts,
            first: self.first,
        };
        let blob = blob::seal_part(self.subject, &self.epoch, &self.step, part, &plaintext)?;
        if number == 0 {
            self.first = keccak256(&blob.sealed);
        }
        self.last = Some(blob.clone());
        Ok(blob)
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.last
            .as_ref()
            .is_some_and(|last| last.part + 1 == self.parts)
    }
}
