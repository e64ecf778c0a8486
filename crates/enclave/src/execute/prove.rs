// SPDX-License-Identifier: Apache-2.0
//! From logged entries to entries that are proven to be on the oracle's log.

use alloy_primitives::{Address, B256, keccak256};
use subrosa_chain_proof::verify_slot;
use subrosa_types::{
    ContractId,
    abi::Entry,
    change::RuntimeChange,
    entry::{EntryKind, Execution, Settlement, mask_digest},
    frame::{ErrorCode, FrameError, LoggedEntry, MAX_BETWEEN, Reassignment, StorageProof},
    slot,
};

use super::MAX_ENTRIES;
use crate::{Enclave, contract::StepEntry, input::named_epoch};

/// An entry that is proven to be in the oracle's log, taken apart.
pub(super) struct Proven<'a> {
    pub(super) entry: &'a Entry,
    pub(super) input: &'a [u8],
    pub(super) digest: B256,
    pub(super) execution: Execution,
    /// Its own runtime generation, or the one it was reassigned to.
    pub(super) generation: u16,
    pub(super) requester: Address,
}

impl Enclave {
    /// Checks that the oracle's log holds these entries with these inputs, in this order.
    ///
    /// Digests chain, so the slot of the last entry proves all before it.
    pub(super) fn prove<'a>(
        &self,
        contract: ContractId,
        entries: &'a [LoggedEntry],
        reassignment: Option<&Reassignment>,
        proof: &StorageProof,
    ) -> Result<Vec<Proven<'a>>, FrameError> {
        let fixed = self.fixed()?;
        let refuse = |message: String| FrameError::new(ErrorCode::Sequence, message);
        if entries.is_empty() || entries.len() > MAX_ENTRIES {
            return Err(refuse(format!(
                "{} entries, 1 to {MAX_ENTRIES} are executed",
                entries.len()
            )));
        }
        let mut proven: Vec<Proven<'a>> = Vec::with_capacity(entries.len());
        for LoggedEntry { entry, input } in entries {
            if entry.contractId != contract {
                return Err(refuse(format!("entry of {}", entry.contractId)));
            }
            if let Some(before) = proven.last() {
                let continues =
                    entry.previousDigest == before.digest && entry.seq() == before.entry.seq() + 1;
                if !continues {
                    return Err(refuse(format!("entry {} does not chain", entry.seq())));
                }
            }
            let execution = Execution::unpack(entry.execution)
                .map_err(|error| FrameError::new(ErrorCode::Unsupported, error))?;
            if input_hash(execution.kind, input) != Some(entry.inputHash) {
                return Err(refuse(format!(
                    "input of entry {} is not the logged one",
                    entry.seq()
                )));
            }
            if execution.finality_class != fixed.trust.class() {
                let message = format!(
                    "entry {} asks for {:?} headers, this enclave has {:?}",
                    entry.seq(),
                    execution.finality_class,
                    fixed.trust.class()
                );
                return Err(FrameError::new(ErrorCode::Unsupported, message));
            }
            proven.push(Proven {
                entry,
                input,
                digest: entry.digest(fixed.chain_id, fixed.config.oracle),
                generation: execution.runtime_generation,
                execution,
                requester: Settlement::unpack(entry.settlement).requester,
            });
        }
        let Some(last) = proven.last() else {
            return Err(refuse("no entries".into()));
        };
        self.prove_slot(last.entry, last.digest, proof)?;
        if proven.iter().any(|entry| !is_known(entry.generation))
            && let Some(reassignment) = reassignment
        {
            let change = self.prove_reassignment(last, reassignment)?;
            let unknown = proven
                .iter_mut()
                .filter(|entry| !is_known(entry.generation));
            for entry in unknown {
                entry.generation = reassigned(entry, &change)?;
            }
        }
        Ok(proven)
    }

    /// Checks that the log holds the RUNTIME entry, and holds it after `last`.
    fn prove_reassignment(
        &self,
        last: &Proven<'_>,
        reassignment: &Reassignment,
    ) -> Result<RuntimeChange, FrameError> {
        let fixed = self.fixed()?;
        let digest_of = |entry: &Entry| entry.digest(fixed.chain_id, fixed.config.oracle);
        let refuse = |message: String| FrameError::new(ErrorCode::Sequence, message);
        let Reassignment {
            between, runtime, ..
        } = reassignment;
        let entry = &runtime.entry;
        if entry.contractId != last.entry.contractId {
            return Err(refuse(format!("entry of {}", entry.contractId)));
        }
        let chains = if is_chained(last.entry) && is_chained(entry) {
            let mut before = (last.entry.seq(), last.digest);
            between.len() <= MAX_BETWEEN
                && between.iter().chain([entry]).all(|next| {
                    let continues = next.contractId == entry.contractId
                        && next.seq() == before.0.saturating_add(1)
                        && next.previousDigest == before.1;
                    before = (next.seq(), digest_of(next));
                    continues
                })
        } else {
            // Of a stateless contract: its entries stand alone.
            between.is_empty() && !is_chained(entry) && entry.seq() > last.entry.seq()
        };
        if !chains {
            return Err(refuse(format!(
                "runtime entry {} does not follow entry {}",
                entry.seq(),
                last.entry.seq()
            )));
        }
        let kind = Execution::unpack(entry.execution)
            .map_err(|error| FrameError::new(ErrorCode::Unsupported, error))?
            .kind;
        if kind != EntryKind::Runtime || input_hash(kind, &runtime.input) != Some(entry.inputHash) {
            let message = format!("entry {} is no runtime entry with its input", entry.seq());
            return Err(refuse(message));
        }
        self.prove_slot(entry, digest_of(entry), &reassignment.proof)?;
        RuntimeChange::decode(&runtime.input).ok_or_else(|| {
            let message = format!("input of runtime entry {} does not decode", entry.seq());
            refuse(message)
        })
    }

    /// Checks that the oracle's slot of `entry` holds `digest`.
    fn prove_slot(
        &self,
        entry: &Entry,
        digest: B256,
        proof: &StorageProof,
    ) -> Result<(), FrameError> {
        let fixed = self.fixed()?;
        let slot = verify_slot(
            fixed.trust.as_ref(),
            proof,
            fixed.config.oracle,
            fixed.config.oracleCodeHash,
            slot::entry(entry.contractId, entry.seq()),
        )
        .map_err(|error| FrameError::new(ErrorCode::Proof, error))?;
        if mask_digest(slot.value()) != digest {
            let message = format!("slot of entry {} holds another digest", entry.seq());
            return Err(FrameError::new(ErrorCode::Proof, message));
        }
        Ok(())
    }
}

impl Proven<'_> {
    /// What a step needs of it.
    pub(super) fn step(&self) -> StepEntry {
        StepEntry {
            seq: self.entry.seq(),
            digest: self.digest,
            block_number: self.execution.block_number,
            block_timestamp: self.execution.block_timestamp,
            epoch: named_epoch(self.entry),
        }
    }
}

/// Whether its log is one of entries that chain. Entry 0 is of either.
fn is_chained(entry: &Entry) -> bool {
    entry.seq() == 0 || !entry.previousDigest.is_zero()
}

/// What `inputHash` must be: of a deployment the commitment itself, which is its input.
fn input_hash(kind: EntryKind, input: &[u8]) -> Option<B256> {
    match kind {
        EntryKind::Deploy | EntryKind::Upgrade => B256::try_from(input).ok(),
        _ => Some(keccak256(input)),
    }
}

/// The generation in which an entry of an unknown one is executed.
///
/// Generations only grow along a log. So of all its RUNTIME entries at most one leads from where
/// this build knows nothing, neither the entry's own generation nor any after it, to where it does.
fn reassigned(proven: &Proven<'_>, change: &RuntimeChange) -> Result<u16, FrameError> {
    let own = proven.generation;
    let was_pending = change.head_seq <= proven.entry.seq();
    let leads_here = change.previous >= own
        && !(own..=change.previous).any(is_known)
        && change.next > change.previous
        && is_known(change.next);
    if was_pending && leads_here {
        return Ok(change.next);
    }
    let message = format!(
        "entry {} of runtime generation {own} is not reassigned by a change from {} to {} at head {}",
        proven.entry.seq(),
        change.previous,
        change.next,
        change.head_seq
    );
    Err(FrameError::new(ErrorCode::Generation, message))
}

/// Whether this build has the generation.
fn is_known(generation: u16) -> bool {
    subrosa_vm::limits::of(generation).is_some()
}
