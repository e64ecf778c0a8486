// SPDX-License-Identifier: Apache-2.0
//! From logged entries to entries that are proven to be on the oracle's log.

use alloc::{format, string::String, vec::Vec};

use alloy_primitives::{B256, keccak256};
use subrosa_types::{
    ContractId,
    abi::Entry,
    change::RuntimeChange,
    entry::{EntryKind, Execution, FinalityClass, Settlement},
    frame::{
        EntryProof, ErrorCode, FrameError, LoggedEntry, MAX_BETWEEN, MAX_ENTRIES, Reassignment,
    },
};
use subrosa_vm::{Runtime, Runtimes};

use super::{ground::Ground, proven::Proven};
use crate::fixed::Fixed;

/// Entries that are proven to be in the log and are of generations of this build.
pub(super) struct ProvenLog {
    pub(super) entries: Vec<Proven>,
    /// Why those after them were left out.
    pub(super) refusal: Option<FrameError>,
}

/// Checks that the oracle's log holds these entries with these inputs, in this order.
///
/// Digests chain, so what proves the last entry proves all before it.
pub(super) fn prove<J>(
    ground: Ground<'_, J>,
    runtimes: &Runtimes,
    entries: Vec<LoggedEntry>,
    reassignment: Option<&Reassignment>,
    proof: &EntryProof,
) -> Result<ProvenLog, FrameError> {
    let linked = link(ground.fixed, ground.cell.id, entries)?;
    let Some(last) = linked.last() else {
        return Err(FrameError::new(ErrorCode::Sequence, "no entries"));
    };
    let class = ground.prove(last.logged.entry.seq(), last.digest, proof)?;
    for linked in &linked {
        check_class(&linked.logged.entry, &linked.execution, class)?;
    }
    let is_unknown = |linked: &Linked| runtimes.runtime(linked.generation()).is_none();
    let change = match reassignment.filter(|_| linked.iter().any(is_unknown)) {
        Some(reassignment) => Some(prove_reassignment(ground, last, reassignment)?),
        None => None,
    };
    let mut proven = Vec::with_capacity(linked.len());
    let mut refusal = None;
    for linked in linked {
        let runtime = match (runtimes.runtime(linked.generation()), &change) {
            (Some(runtime), _) => runtime,
            (None, Some(change)) => reassigned(runtimes, &linked, change)?,
            (None, None) => {
                let generation = linked.generation();
                let message = format!("runtime generation {generation} is not in this build");
                refusal = Some(FrameError::new(ErrorCode::Generation, message));
                break;
            }
        };
        proven.push(linked.proven(runtime));
    }
    match refusal {
        Some(refusal) if proven.is_empty() => Err(refusal),
        refusal => Ok(ProvenLog {
            entries: proven,
            refusal,
        }),
    }
}

/// An entry that continues the one before it, with its input.
struct Linked {
    logged: LoggedEntry,
    digest: B256,
    execution: Execution,
}

impl Linked {
    fn generation(&self) -> u16 {
        self.execution.runtime_generation
    }

    fn proven(self, runtime: Runtime) -> Proven {
        let LoggedEntry { entry, input } = self.logged;
        Proven {
            digest: self.digest,
            runtime,
            execution: self.execution,
            requester: Settlement::unpack(entry.settlement).requester,
            entry,
            input,
        }
    }
}

/// Checks that entries have their inputs and follow each other.
fn link(
    fixed: &Fixed,
    contract: ContractId,
    entries: Vec<LoggedEntry>,
) -> Result<Vec<Linked>, FrameError> {
    let refuse = |message: String| FrameError::new(ErrorCode::Sequence, message);
    if entries.is_empty() || entries.len() > MAX_ENTRIES {
        return Err(refuse(format!(
            "{} entries, 1 to {MAX_ENTRIES} are executed",
            entries.len()
        )));
    }
    let mut linked: Vec<Linked> = Vec::with_capacity(entries.len());
    for logged in entries {
        let LoggedEntry { entry, input } = &logged;
        if entry.contractId != contract {
            return Err(refuse(format!("entry of {}", entry.contractId)));
        }
        if let Some(before) = linked.last() {
            let continues = entry.previousDigest == before.digest
                && entry.seq() == before.logged.entry.seq() + 1;
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
        linked.push(Linked {
            digest: entry.digest(fixed.place.chain_id, fixed.config.oracle),
            execution,
            logged,
        });
    }
    Ok(linked)
}

/// Checks that the log holds the RUNTIME entry, and holds it after `last`.
fn prove_reassignment<J>(
    ground: Ground<'_, J>,
    last: &Linked,
    reassignment: &Reassignment,
) -> Result<RuntimeChange, FrameError> {
    let fixed = ground.fixed;
    let digest_of = |entry: &Entry| entry.digest(fixed.place.chain_id, fixed.config.oracle);
    let refuse = |message: String| FrameError::new(ErrorCode::Sequence, message);
    let Reassignment {
        between, runtime, ..
    } = reassignment;
    let (entry, last_entry) = (&runtime.entry, &last.logged.entry);
    if entry.contractId != last_entry.contractId {
        return Err(refuse(format!("entry of {}", entry.contractId)));
    }
    let chains = if !last_entry.is_stateless() && !entry.is_stateless() {
        let mut before = (last_entry.seq(), last.digest);
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
        between.is_empty() && entry.is_stateless() && entry.seq() > last_entry.seq()
    };
    if !chains {
        return Err(refuse(format!(
            "runtime entry {} does not follow entry {}",
            entry.seq(),
            last_entry.seq()
        )));
    }
    let execution = Execution::unpack(entry.execution)
        .map_err(|error| FrameError::new(ErrorCode::Unsupported, error))?;
    let kind = execution.kind;
    if kind != EntryKind::Runtime || input_hash(kind, &runtime.input) != Some(entry.inputHash) {
        let message = format!("entry {} is no runtime entry with its input", entry.seq());
        return Err(refuse(message));
    }
    let class = ground.prove(entry.seq(), digest_of(entry), &reassignment.proof)?;
    check_class(entry, &execution, class)?;
    RuntimeChange::decode(&runtime.input).ok_or_else(|| {
        let message = format!("input of runtime entry {} does not decode", entry.seq());
        refuse(message)
    })
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
fn reassigned(
    runtimes: &Runtimes,
    pending: &Linked,
    change: &RuntimeChange,
) -> Result<Runtime, FrameError> {
    let (own, seq) = (pending.generation(), pending.logged.entry.seq());
    let is_known = |generation| runtimes.runtime(generation).is_some();
    let was_pending = change.head_seq <= seq;
    let leads_here = change.previous >= own
        && !(own..=change.previous).any(is_known)
        && change.next > change.previous;
    if was_pending
        && leads_here
        && let Some(runtime) = runtimes.runtime(change.next)
    {
        return Ok(runtime);
    }
    let message = format!(
        "entry {seq} of runtime generation {own} is not reassigned by a change from {} to {} at head {}",
        change.previous, change.next, change.head_seq
    );
    Err(FrameError::new(ErrorCode::Generation, message))
}
