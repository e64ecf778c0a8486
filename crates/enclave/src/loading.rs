// SPDX-License-Identifier: Apache-2.0
//! A loading that is under way.

use alloy_primitives::B256;
use subrosa_types::frame::StateBlob;
use subrosa_vm::StateReader;

use crate::blob::SnapshotHead;

/// A snapshot whose parts are being taken in. Nothing of it is used before the last one is.
pub(crate) struct Loading {
    pub(crate) head: SnapshotHead,
    pub(crate) state: StateReader,
    /// The public values of the first part, which all others share.
    pub(crate) first: StateBlob,
    /// keccak256 of the sealed first part.
    pub(crate) first_hash: B256,
    pub(crate) taken: u32,
}

impl Loading {
    /// Whether all of it was taken.
    pub(crate) fn is_complete(&self) -> bool {
        self.taken >= self.first.parts
    }

    /// Whether a blob is its next part.
    pub(crate) fn is_followed_by(&self, blob: &StateBlob) -> bool {
        let values = |blob: &StateBlob| -> (u32, u64, B256, B256, B256, u32, u32) {
            (
                blob.parts,
                blob.seq,
                blob.digest,
                blob.previous_commitment,
                blob.code_commitment,
                blob.group,
                blob.epoch,
            )
        };
        blob.part == self.taken && values(blob) == values(&self.first)
    }
}
