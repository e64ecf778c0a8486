// SPDX-License-Identifier: Apache-2.0
//! From logged entries to entries that are proven to be on the oracle's log.

use alloc::{format, string::String, vec::Vec};

use alloy_primitives::{B256, keccak256};
use subrosa_chain_proof::{ProvenHeader, verify_slot_at};
use subrosa_types::{
    ContractId,
    abi::Entry,
    change::RuntimeChange,
    entry::{EntryKind, Execution, FinalityClass, Settlement, mask_digest},
    frame::{
        ErrorCode, FrameError, LoggedEntry, MAX_BETWEEN, MAX_ENTRIES, Reassignment, StorageProof,
    },
    slot,
};

use super::proven::Proven;
use crate::fixed::Fixed;

/// Checks that the oracle's log holds these entries with these inputs, in this order.
///
/// Digests chain, so the slot of the last entry proves all before it.
pub(super) fn prove(
    fixed: &Fixed,
    contract: ContractId,
    entries: Vec<LoggedEntry>,
    reassignment: Option<&Reassignment>,
    proof: &StorageProof,
) -> Result<Vec<Proven>, FrameError> {
    let refuse = |message: String| FrameError::new(ErrorCode::Sequence, message);
    if entries.is_empty() || entries.len() > MAX_ENTRIES {
        return Err(refuse(format!(
            "{} entries, 1 to {MAX_ENTRIES} are executed",
            entries.len()
        )));
    }
    let mut proven: Vec<Proven> = Vec::with_capacity(entries.len());
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
        if input_hash(execution.kind, &input) != Some(entry.inputHash) {
            return Err(refuse(format!(
                "input of entry {} is not the logged one",
                entry.seq()
            )));
        }
        proven.push(Proven {
            digest: entry.digest(fixed.place.chain_id, fixed.config.oracle),
            generation: execution.runtime_generation,
            execution,
            requester: Settlement::unpack(entry.settlement).requester,
            entry,
            input,
        });
    }
    let Some(last) = proven.last() else {
        return Err(refuse("no entries".into()));
    };
    let header = fixed.prove_header(&proof.header)?;
    for entry in &proven {
        check_class(&entry.entry, &entry.execution, header.class())?;
    }
    prove_slot(fixed, header, &last.entry, last.digest, proof)?;
    if proven.iter().any(|entry| !is_known(entry.generation))
        && let Some(reassignment) = reassignment
    {
        let change = prove_reassignment(fixed, last, reassignment)?;
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
    fixed: &Fixed,
    last: &Proven,
    reassignment: &Reassignment,
) -> Result<RuntimeChange, FrameError> {
    let digest_of = |entry: &Entry| entry.digest(fixed.place.chain_id, fixed.config.oracle);
    let refuse = |message: String| FrameError::new(ErrorCode::Sequence, message);
    let Reassignment {
        between, runtime, ..
    } = reassignment;
    let entry = &runtime.entry;
    if entry.contractId != last.entry.contractId {
        return Err(refuse(format!("entry of {}", entry.contractId)));
    }
    let chains = if !last.entry.is_stateless() && !entry.is_stateless() {
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
        between.is_empty() && entry.is_stateless() && entry.seq() > last.entry.seq()
    };
    if !chains {
        return Err(refuse(format!(
            "runtime entry {} does not follow entry {}",
            entry.seq(),
            last.entry.seq()
        )));
    }
    let execution = Execution::unpack(entry.execution)
        .map_err(|error| FrameError::new(ErrorCode::Unsupported, error))?;
    let kind = execution.kind;
    if kind != EntryKind::Runtime || input_hash(kind, &runtime.input) != Some(entry.inputHash) {
        let message = format!("entry {} is no runtime entry with its input", entry.seq());
        return Err(refuse(message));
    }
    let proof = &reassignment.proof;
    let header = fixed.prove_header(&proof.header)?;
    check_class(entry, &execution, header.class())?;
    prove_slot(fixed, header, entry, digest_of(entry), proof)?;
    RuntimeChange::decode(&runtime.input).ok_or_else(|| {
        let message = format!("input of runtime entry {} does not decode", entry.seq());
        refuse(message)
    })
}

/// Checks that the oracle's slot of `entry` holds `digest` at a block.
fn prove_slot(
    fixed: &Fixed,
    header: ProvenHeader,
    entry: &Entry,
    digest: B256,
    proof: &StorageProof,
) -> Result<(), FrameError> {
    let slot = verify_slot_at(
        header,
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

/// An entry names the finality class that its block must have. Entries before the last have that of
/// the header under which the last one is proven.
fn check_class(
    entry: &Entry,
    execution: &Execution,
    class: FinalityClass,
) -> Result<(), FrameError> {
    if execution.finality_class == class {
        return Ok(());
    }
    let message = format!(
        "entry {} asks for {:?} headers, this one is {class:?}",
        entry.seq(),
        execution.finality_class
    );
    Err(FrameError::new(ErrorCode::Unsupported, message))
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
fn reassigned(proven: &Proven, change: &RuntimeChange) -> Result<u16, FrameError> {
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
