// SPDX-License-Identifier: Apache-2.0
//! Keys, ordered so that a scan of a contract's keys runs in log order.

use alloy_primitives::{Address, B256};
use subrosa_types::{
    ContractId,
    frame::{BlobKind, StateBlob},
};

use crate::CodeOf;

/// contract 32 ‖ seq 8 (big-endian).
pub(crate) fn entry(contract: ContractId, seq: u64) -> [u8; 40] {
    let mut key = [0; 40];
    key[..32].copy_from_slice(contract.as_slice());
    key[32..].copy_from_slice(&seq.to_be_bytes());
    key
}

/// contract 32 ‖ seq 8 ‖ kind 1 ‖ number of parts 4 ‖ part 4. A snapshot comes before the delta of the
/// same entry.
pub(crate) fn blob(contract: ContractId, blob: BlobName) -> [u8; 49] {
    let mut key = [0; 49];
    key[..40].copy_from_slice(&entry(contract, blob.seq));
    key[40] = match blob.kind {
        BlobKind::Snapshot => 0,
        BlobKind::Delta => 1,
    };
    key[41..45].copy_from_slice(&blob.parts.to_be_bytes());
    key[45..].copy_from_slice(&blob.part.to_be_bytes());
    key
}

/// Which blob of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BlobName {
    pub(crate) seq: u64,
    pub(crate) kind: BlobKind,
    pub(crate) parts: u32,
    pub(crate) part: u32,
}

impl BlobName {
    pub(crate) fn of(blob: &StateBlob) -> Self {
        Self {
            seq: blob.seq,
            kind: blob.kind,
            parts: blob.parts,
            part: blob.part,
        }
    }

    /// Before all blobs of an entry.
    pub(crate) fn first(seq: u64) -> Self {
        Self {
            seq,
            kind: BlobKind::Snapshot,
            parts: 0,
            part: 0,
        }
    }

    /// After all blobs of an entry.
    pub(crate) fn last(seq: u64) -> Self {
        Self {
            seq,
            kind: BlobKind::Delta,
            parts: u32::MAX,
            part: u32::MAX,
        }
    }

    /// Reads a [`blob`] key.
    pub(crate) fn parse(key: &[u8]) -> Option<Self> {
        let (_, seq) = parse_entry(key.get(..40)?)?;
        let kind = match key.get(40)? {
            0 => BlobKind::Snapshot,
            1 => BlobKind::Delta,
            _ => return None,
        };
        Some(Self {
            seq,
            kind,
            parts: u32::from_be_bytes(key.get(41..45)?.try_into().ok()?),
            part: u32::from_be_bytes(key.get(45..)?.try_into().ok()?),
        })
    }
}

/// contract 32 ‖ 0 for entry 0 or 1 for an upgrade ‖ the upgrade's code commitment 32.
pub(crate) fn code_envelope(contract: ContractId, code: CodeOf) -> Vec<u8> {
    match code {
        CodeOf::Deploy => [contract.as_slice(), &[0]].concat(),
        CodeOf::Upgrade(commitment) => {
            [upgrades(contract).as_slice(), commitment.as_slice()].concat()
        }
    }
}

/// What the [`code_envelope`] keys of a contract's upgrades begin with.
pub(crate) fn upgrades(contract: ContractId) -> [u8; 33] {
    let mut key = [1; 33];
    key[..32].copy_from_slice(contract.as_slice());
    key
}

/// group 4 ‖ epoch 4.
pub(crate) fn epoch(group: u32, epoch: u32) -> [u8; 8] {
    let mut key = [0; 8];
    key[..4].copy_from_slice(&group.to_be_bytes());
    key[4..].copy_from_slice(&epoch.to_be_bytes());
    key
}

/// sender 20 ‖ nonce 8.
pub(crate) fn intent(sender: Address, nonce: u64) -> [u8; 28] {
    let mut key = [0; 28];
    key[..20].copy_from_slice(sender.as_slice());
    key[20..].copy_from_slice(&nonce.to_be_bytes());
    key
}

/// What a block left in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trace {
    Entry,
    Fulfillment,
}

/// block 8 ‖ trace 1 ‖ contract 32 ‖ seq 8.
pub(crate) fn trace(block: u64, trace: Trace, contract: ContractId, seq: u64) -> [u8; 49] {
    let mut key = [0; 49];
    key[..8].copy_from_slice(&block.to_be_bytes());
    key[8] = match trace {
        Trace::Entry => 0,
        Trace::Fulfillment => 1,
    };
    key[9..].copy_from_slice(&entry(contract, seq));
    key
}

/// Reads a [`trace`] key.
pub(crate) fn parse_trace(key: &[u8]) -> Option<(Trace, ContractId, u64)> {
    let (_, rest) = key.split_first_chunk::<8>()?;
    let (kind, rest) = rest.split_first()?;
    let kind = match kind {
        0 => Trace::Entry,
        1 => Trace::Fulfillment,
        _ => return None,
    };
    let (contract, seq) = parse_entry(rest)?;
    Some((kind, contract, seq))
}

/// Reads an [`entry`] key.
pub(crate) fn parse_entry(key: &[u8]) -> Option<(ContractId, u64)> {
    let (contract, seq) = key.split_first_chunk::<32>()?;
    Some((contract.into(), u64::from_be_bytes(seq.try_into().ok()?)))
}

/// Reads the code commitment of an upgrade's [`code_envelope`] key.
pub(crate) fn parse_upgrade(key: &[u8]) -> Option<B256> {
    let (_, commitment) = key.split_first_chunk::<33>()?;
    B256::try_from(commitment).ok()
}

/// Reads an [`epoch`] key.
pub(crate) fn parse_epoch(key: &[u8]) -> Option<(u32, u32)> {
    let (group, epoch) = key.split_first_chunk::<4>()?;
    Some((
        u32::from_be_bytes(*group),
        u32::from_be_bytes(epoch.try_into().ok()?),
    ))
}

/// Reads the nonce of an [`intent`] key.
pub(crate) fn parse_intent(key: &[u8]) -> Option<u64> {
    let (_, nonce) = key.split_first_chunk::<20>()?;
    Some(u64::from_be_bytes(nonce.try_into().ok()?))
}
