// SPDX-License-Identifier: Apache-2.0
//! Executing proven log entries.
//!
//! An entry is taken apart and proven ([`prove`]), then executed by its kind: code is brought in
//! ([`deploy`]), called ([`call`]), or what later entries mean is changed ([`change`]).

mod call;
mod change;
mod deploy;
mod prove;

use alloy_primitives::{B256, Bytes, keccak256};
use subrosa_crypto::Subject;
use subrosa_types::{
    ContractId,
    abi::Outcome,
    entry::EntryKind,
    frame::{
        ErrorCode, Executed, ExecutedEntry, FrameError, LoggedEntry, Reassignment, StateBlob,
        StorageProof,
    },
    result::{Status, fuel_bucket},
};
use subrosa_vm::{Call, WriteSet};

use self::prove::Proven;
use crate::{
    Enclave,
    contract::{Contract, Place, Step},
    input::is_stateless,
};

/// Most entries in one frame.
pub const MAX_ENTRIES: usize = 1_024;

/// Longest public or sealed output, bytes before sealing. Longer output is a failure.
pub const MAX_OUTPUT_BYTES: usize = 24 * 1024;

/// What came out of an entry, before it is hashed and sealed.
struct Ran {
    status: Status,
    fuel_used: u64,
    output: Bytes,
    sealed_output: Bytes,
    writes: WriteSet,
}

impl Enclave {
    /// Executes entries that continue `contract`'s log, one proof for all of them.
    ///
    /// Results before a refusal stand: they are functions of the log, and the host may persist and
    /// submit them.
    pub(crate) fn execute(
        &mut self,
        contract: ContractId,
        entries: &[LoggedEntry],
        code_envelope: Option<&Bytes>,
        reassignment: Option<&Reassignment>,
        proof: &StorageProof,
    ) -> Result<Executed, FrameError> {
        let proven = self.prove(contract, entries, reassignment, proof)?;
        let mut executed = Executed {
            results: Vec::with_capacity(proven.len()),
            refused: None,
        };
        for entry in &proven {
            match self.execute_one(contract, entry, code_envelope) {
                Ok(result) => executed.results.push(result),
                Err(refusal) if executed.results.is_empty() => return Err(refusal),
                Err(refusal) => {
                    executed.refused = Some(refusal);
                    break;
                }
            }
        }
        Ok(executed)
    }

    fn execute_one(
        &mut self,
        contract: ContractId,
        proven: &Proven<'_>,
        code_envelope: Option<&Bytes>,
    ) -> Result<ExecutedEntry, FrameError> {
        if subrosa_vm::limits::of(proven.generation).is_none() {
            let message = format!(
                "runtime generation {} is not in this build",
                proven.generation
            );
            return Err(FrameError::new(ErrorCode::Generation, message));
        }
        let stateless = is_stateless(proven.entry);
        match proven.execution.kind {
            EntryKind::Deploy => self.deploy(contract, proven, code_envelope),
            EntryKind::Call if stateless => self.call_stateless(contract, proven),
            EntryKind::Call => self.call(contract, proven),
            EntryKind::Upgrade if !stateless => self.upgrade(contract, proven, code_envelope),
            EntryKind::Epoch => self.change_epoch(contract, proven),
            EntryKind::Runtime => self.change_runtime(contract, proven),
            kind => {
                let message = format!("{kind:?} entries of such a log are not in this build");
                Err(FrameError::new(ErrorCode::Unsupported, message))
            }
        }
    }

    /// The contract, if the entry continues its loaded state.
    fn continued(&self, id: ContractId, proven: &Proven<'_>) -> Result<&Contract, FrameError> {
        let contract = self.contract(id)?;
        let position = contract.position();
        let continues = proven.entry.seq() == position.head.seq
            && proven.entry.previousDigest == position.digest;
        if continues {
            return Ok(contract);
        }
        let message = format!(
            "entry {} does not continue the loaded state, which awaits {}",
            proven.entry.seq(),
            position.head.seq
        );
        Err(FrameError::new(ErrorCode::Sequence, message))
    }
}

impl Ran {
    /// Nothing ran: the input is executable for no enclave.
    fn rejected() -> Self {
        Self::without_code(Status::Rejected, WriteSet::default())
    }

    /// An end for which no code ran, and what it changes all the same.
    fn without_code(status: Status, writes: WriteSet) -> Self {
        Self {
            status,
            fuel_used: 0,
            output: Bytes::new(),
            sealed_output: Bytes::new(),
            writes,
        }
    }

    fn outcome(&self) -> Outcome {
        Outcome {
            status: self.status as u8,
            outputHash: keccak256(&self.output),
            sealedOutputHash: keccak256(&self.sealed_output),
            fuelBucket: fuel_bucket(self.fuel_used),
        }
    }

    /// The answer to the host, once the step's blob is sealed.
    fn result(self, step: &Step) -> impl FnOnce(StateBlob) -> ExecutedEntry + use<> {
        let (seq, previous_commitment) = (step.seq(), step.previous_commitment);
        let (commitment, result_hash) = (step.position.head.commitment, step.result_hash());
        let fuel_bucket = step.outcome.fuelBucket;
        move |blob| ExecutedEntry {
            seq,
            status: self.status,
            fuel_bucket,
            previous_commitment,
            commitment,
            result_hash,
            output: self.output,
            sealed_output: self.sealed_output,
            blob,
        }
    }
}

/// What the virtual machine is told of an entry.
fn machine_call<'a>(
    place: Place,
    contract: &Contract,
    proven: &Proven<'_>,
    input: &'a [u8],
    envelope_id: Option<[u8; 16]>,
) -> Call<'a> {
    let mut randomness = B256::ZERO;
    contract
        .root
        .randomness(Subject::Entry(proven.digest))
        .fill(randomness.as_mut_slice());
    Call {
        chain_id: place.chain_id,
        contract: contract.address(),
        caller: proven.requester,
        context: proven.entry.context,
        contract_id: contract.id,
        seq: proven.entry.seq(),
        envelope_id,
        block_number: proven.execution.block_number,
        block_timestamp: proven.execution.block_timestamp,
        runtime_generation: proven.generation,
        fuel_limit: proven.execution.fuel_limit,
        randomness,
        is_static: false,
        input,
    }
}
