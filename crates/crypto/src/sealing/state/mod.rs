// SPDX-License-Identifier: Apache-2.0
//! Sealed deltas and snapshots of a confidential contract's state.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, U256};
use zeroize::Zeroizing;

use super::{
    blob::{self, BlobKind},
    kind::StateKind,
};
use crate::{BlobError, EpochId, EpochSecret, SealError, domain};

/// Everything a state blob is bound to. All of it is known before the blob is opened: from the
/// log, from the enclave's configuration, and from the states before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateBinding {
    /// EIP-155 chain id, as configured.
    pub chain_id: u64,
    /// The oracle, as configured.
    pub oracle: Address,
    /// The confidential contract.
    pub contract_id: B256,
    /// What code the state belongs to.
    pub code_commitment: B256,
    /// Whose secret seals.
    pub epoch: EpochId,
    /// The entry after which the state holds.
    pub seq: u64,
    /// The commitment before that entry; zero before entry 0.
    pub previous_commitment: B256,
    /// The digest of that entry.
    pub digest: B256,
    /// Delta or snapshot.
    pub kind: StateKind,
    /// How the plaintext is encoded.
    pub codec: u8,
    /// Which part of the plaintext is sealed, from 0.
    pub part: u32,
    /// How many parts it has.
    pub parts: u32,
    /// keccak256 of the sealed first part, for those after it, so that parts of two snapshots are never
    /// taken for one; zero for a first or only part.
    pub first_part: B256,
}

/// Seals a delta or a snapshot. The same arguments give the same bytes.
///
/// # Errors
///
/// [`SealError::TooLong`] beyond 1 GiB.
pub fn seal_state(
    secret: &EpochSecret,
    binding: &StateBinding,
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    let keys = secret.state_keys(binding.kind, binding.contract_id, binding.seq);
    blob::seal(&keys, binding.outer(), &binding.to_bytes(), plaintext)
}

/// Opens a delta or a snapshot.
///
/// # Errors
///
/// [`BlobError`]: the host handed in another blob than the one `binding` describes, or altered it.
pub fn open_state(
    secret: &EpochSecret,
    binding: &StateBinding,
    blob: &[u8],
) -> Result<Zeroizing<Vec<u8>>, BlobError> {
    let keys = secret.state_keys(binding.kind, binding.contract_id, binding.seq);
    blob::open(&keys, binding.outer(), &binding.to_bytes(), blob)
}

impl StateBinding {
    fn outer(&self) -> (BlobKind, u8, u64) {
        let kind = match self.kind {
            StateKind::Delta => BlobKind::Delta,
            StateKind::Snapshot => BlobKind::Snapshot,
        };
        (kind, self.codec, self.seq)
    }

    /// Fixed-size fields in a fixed order; the header (kind, codec, size class, seq) follows them
    /// in the additional data.
    fn to_bytes(self) -> Vec<u8> {
        [
            domain::STATE_BLOB.as_slice(),
            &U256::from(self.chain_id).to_be_bytes::<32>(),
            self.oracle.as_slice(),
            self.contract_id.as_slice(),
            self.code_commitment.as_slice(),
            &self.epoch.group.to_be_bytes(),
            &self.epoch.epoch.to_be_bytes(),
            self.previous_commitment.as_slice(),
            self.digest.as_slice(),
            &self.part.to_be_bytes(),
            &self.parts.to_be_bytes(),
            self.first_part.as_slice(),
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests;
