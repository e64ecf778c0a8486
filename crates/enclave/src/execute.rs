// SPDX-License-Identifier: Apache-2.0
//! Executing proven log entries.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use subrosa_chain_proof::verify_slot;
use subrosa_crypto::{
    Subject,
    envelope::{self, Binding, Expected, Purpose},
    plaintext,
    reply::{self, ReplyBinding},
};
use subrosa_types::{
    ContractId,
    abi::{DeployPlaintext, Entry, Outcome},
    entry::{EntryKind, Execution, Settlement, mask_digest},
    frame::{ErrorCode, Executed, ExecutedEntry, FrameError, LoggedEntry, StateBlob, StorageProof},
    id,
    result::{Head, Status, fuel_bucket},
    slot,
};
use subrosa_vm::{Call, State, WriteSet};

use crate::{
    Enclave, blob,
    contract::{Contract, Place, Position, Step, StepEntry},
    epoch::Epoch,
    input::{
        self, CallInput, MAX_FORGOTTEN, Rejected, Sealed, is_stateless, named_epoch, seen_key,
    },
};

/// Most entries in one frame.
pub const MAX_ENTRIES: usize = 1_024;

/// Longest public or sealed output, bytes before sealing. Longer output is a failure.
pub const MAX_OUTPUT_BYTES: usize = 24 * 1024;

/// An entry that is proven to be in the oracle's log, taken apart.
struct Proven<'a> {
    entry: &'a Entry,
    input: &'a [u8],
    digest: B256,
    execution: Execution,
    requester: Address,
}

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
        deployment: Option<&Bytes>,
        proof: &StorageProof,
    ) -> Result<Executed, FrameError> {
        let proven = self.prove(contract, entries, proof)?;
        let mut executed = Executed {
            results: Vec::with_capacity(proven.len()),
            refused: None,
        };
        for entry in &proven {
            match self.execute_one(contract, entry, deployment) {
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

    /// Checks that the oracle's log holds these entries with these inputs, in this order.
    ///
    /// Digests chain, so the slot of the last entry proves all before it.
    fn prove<'a>(
        &self,
        contract: ContractId,
        entries: &'a [LoggedEntry],
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
                execution,
                requester: Settlement::unpack(entry.settlement).requester,
            });
        }
        let Some(last) = proven.last() else {
            return Err(refuse("no entries".into()));
        };
        let slot = verify_slot(
            fixed.trust.as_ref(),
            proof,
            fixed.config.oracle,
            fixed.config.oracleCodeHash,
            slot::entry(contract, last.entry.seq()),
        )
        .map_err(|error| FrameError::new(ErrorCode::Proof, error))?;
        if mask_digest(slot.value()) != last.digest {
            let message = format!("slot of entry {} holds another digest", last.entry.seq());
            return Err(FrameError::new(ErrorCode::Proof, message));
        }
        Ok(proven)
    }

    fn execute_one(
        &mut self,
        contract: ContractId,
        proven: &Proven<'_>,
        deployment: Option<&Bytes>,
    ) -> Result<ExecutedEntry, FrameError> {
        let generation = proven.execution.runtime_generation;
        if subrosa_vm::limits::of(generation).is_none() {
            let message = format!("runtime generation {generation} is not in this build");
            return Err(FrameError::new(ErrorCode::Unsupported, message));
        }
        match proven.execution.kind {
            EntryKind::Deploy => self.deploy(contract, proven, deployment),
            EntryKind::Call if is_stateless(proven.entry) => self.call_stateless(contract, proven),
            EntryKind::Call => self.call(contract, proven),
            kind => {
                let message = format!("{kind:?} entries are not in this build");
                Err(FrameError::new(ErrorCode::Unsupported, message))
            }
        }
    }

    /// Entry 0: opens the deployment envelope and runs the constructor. Repeated, it starts the
    /// contract over, with the same result: a host that died before it kept the first snapshot
    /// has no other way back.
    fn deploy(
        &mut self,
        id: ContractId,
        proven: &Proven<'_>,
        deployment: Option<&Bytes>,
    ) -> Result<ExecutedEntry, FrameError> {
        let place = self.place()?;
        if proven.entry.seq() != 0 || !proven.entry.previousDigest.is_zero() {
            return Err(FrameError::new(
                ErrorCode::Sequence,
                "a deployment is entry 0",
            ));
        }
        let epoch = self.epochs.active(named_epoch(proven.entry))?;
        let refuse = |message: String| FrameError::new(ErrorCode::Deployment, message);
        let deployment = deployment.ok_or_else(|| refuse("no deployment envelope".into()))?;
        let plaintext = open_deployment(place, epoch, proven, deployment)?;
        let vm = subrosa_vm::engine(plaintext.engine)
            .ok_or_else(|| refuse(format!("engine {} is not in this build", plaintext.engine)))?;
        let root = epoch.secret.contract_root(proven.digest);
        let mut contract = Contract {
            id,
            code_commitment: proven.entry.inputHash,
            engine: plaintext.engine,
            vm,
            root,
            state: State::new(),
            last: Step::before_the_first(),
            results: BTreeMap::new(),
        };
        let call = call(place, &contract, proven, &[], None);
        let execution = vm.construct(&contract.state, &call, &plaintext.code, &plaintext.init);
        let ran = ran(place, &contract, proven, None, execution)?;
        let step = contract.step(place, &proven.step(), ran.outcome(), ran.writes.clone());
        let result = ran.result(&step);
        contract.apply(step);
        let blob = blob::seal_snapshot(place, &contract, epoch, &contract.last)?;
        self.contracts.insert(id, contract);
        Ok(result(blob))
    }

    /// A call of a stateful contract.
    fn call(&mut self, id: ContractId, proven: &Proven<'_>) -> Result<ExecutedEntry, FrameError> {
        let place = self.place()?;
        let contract = self.contract(id)?;
        let position = contract.position();
        let continues = proven.entry.seq() == position.head.seq
            && proven.entry.previousDigest == position.digest;
        if !continues {
            let message = format!(
                "entry {} does not continue the loaded state, which awaits {}",
                proven.entry.seq(),
                position.head.seq
            );
            return Err(FrameError::new(ErrorCode::Sequence, message));
        }
        let epoch = self.epochs.active(named_epoch(proven.entry))?;
        let ran = run_call(place, contract, epoch, proven)?;
        let step = contract.step(place, &proven.step(), ran.outcome(), ran.writes.clone());
        let blob = blob::seal_delta(place, contract, epoch, &step)?;
        let result = ran.result(&step)(blob);
        if let Some(contract) = self.contracts.get_mut(&id) {
            contract.apply(step);
        }
        Ok(result)
    }

    /// A call of a stateless contract: on the state the constructor left, changing nothing.
    fn call_stateless(
        &mut self,
        id: ContractId,
        proven: &Proven<'_>,
    ) -> Result<ExecutedEntry, FrameError> {
        let place = self.place()?;
        let contract = self.contract(id)?;
        let epoch = self.epochs.active(named_epoch(proven.entry))?;
        let mut ran = run_call(place, contract, epoch, proven)?;
        ran.writes = WriteSet::default();
        let step = contract.stateless_step(&proven.step(), ran.outcome());
        let blob = blob::seal_delta(place, contract, epoch, &step)?;
        let result = ran.result(&step)(blob);
        if let Some(contract) = self.contracts.get_mut(&id) {
            contract.remember(&step);
        }
        Ok(result)
    }
}

impl Proven<'_> {
    fn step(&self) -> StepEntry {
        StepEntry {
            seq: self.entry.seq(),
            digest: self.digest,
            block_number: self.execution.block_number,
            block_timestamp: self.execution.block_timestamp,
            epoch: named_epoch(self.entry),
        }
    }
}

impl Ran {
    fn rejected() -> Self {
        Self {
            status: Status::Rejected,
            fuel_used: 0,
            output: Bytes::new(),
            sealed_output: Bytes::new(),
            writes: WriteSet::default(),
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

impl Step {
    /// Where a contract stands before its first entry.
    fn before_the_first() -> Self {
        Self {
            position: Position {
                head: Head::default(),
                digest: B256::ZERO,
                history: B256::ZERO,
                block_number: 0,
                block_timestamp: 0,
                epoch: subrosa_crypto::EpochId { group: 0, epoch: 0 },
            },
            outcome: Outcome {
                status: 0,
                outputHash: B256::ZERO,
                sealedOutputHash: B256::ZERO,
                fuelBucket: 0,
            },
            writes: WriteSet::default(),
            previous_commitment: B256::ZERO,
        }
    }
}

/// Opens a call's input, runs it and decides what of it is whose to see.
fn run_call(
    place: Place,
    contract: &Contract,
    epoch: &Epoch,
    proven: &Proven<'_>,
) -> Result<Ran, FrameError> {
    let opened = input::open_call(
        place,
        epoch,
        &contract.state,
        &Sealed {
            entry: proven.entry,
            execution: &proven.execution,
            requester: proven.requester,
            input: proven.input,
        },
    )?;
    let input = match opened {
        Ok(input) => input,
        Err(Rejected) => return Ok(Ran::rejected()),
    };
    let envelope_id = input.envelope.map(|(_, id)| id);
    let call = call(place, contract, proven, &input.data, envelope_id);
    let execution = contract.vm.call(&contract.state, &call);
    let mut ran = ran(place, contract, proven, Some(&input), execution)?;
    if let Some(seen) = input.envelope {
        remember_envelope(
            &contract.state,
            &mut ran.writes,
            seen,
            proven.execution.block_timestamp,
        )?;
    }
    // As an envelope's id, a session outlasts a guest's failure.
    if let Some(session) = input.opens.filter(|_| ran.status != Status::Rejected) {
        session.remember(&contract.state, &mut ran.writes, proven.entry.seq())?;
    }
    Ok(ran)
}

/// Remembers an envelope's id until it expires, and forgets a few that have.
fn remember_envelope(
    state: &State,
    writes: &mut WriteSet,
    seen: (u64, [u8; 16]),
    now: u64,
) -> Result<(), FrameError> {
    for expired in state.seen_expired(now).take(MAX_FORGOTTEN) {
        writes.remove(expired);
    }
    writes
        .insert(seen_key(seen), Vec::new())
        .map_err(|error| FrameError::new(ErrorCode::Unsupported, error))
}

/// Turns an execution into a result: output public or sealed, writes only on success.
fn ran(
    place: Place,
    contract: &Contract,
    proven: &Proven<'_>,
    input: Option<&CallInput>,
    execution: subrosa_vm::Execution,
) -> Result<Ran, FrameError> {
    if !execution.halt.is_verdict() {
        let message = format!("{:?} is no verdict", execution.halt);
        return Err(FrameError::new(ErrorCode::Unsupported, message));
    }
    let fits = execution.output.len() <= MAX_OUTPUT_BYTES;
    let succeeded = execution.halt == subrosa_vm::Halt::Succeeded && fits;
    let output = if fits { execution.output } else { Vec::new() };
    let mut ran = Ran {
        status: if succeeded {
            Status::Succeeded
        } else {
            Status::Failed
        },
        fuel_used: execution.fuel_used,
        output: Bytes::new(),
        sealed_output: Bytes::new(),
        writes: if succeeded {
            execution.writes
        } else {
            WriteSet::default()
        },
    };
    match input.and_then(|input| input.reply.as_ref()) {
        Some(key) => {
            let binding = ReplyBinding {
                chain_id: place.chain_id,
                oracle: place.oracle,
                contract_id: contract.id,
                subject: Subject::Entry(proven.digest),
            };
            match reply::seal(&contract.root, &binding, key, &output) {
                Ok(sealed) => ran.sealed_output = sealed.into(),
                // A reply key that shares no secret: for every enclave alike.
                Err(_) => return Ok(Ran::rejected()),
            }
        }
        // Why a guest failed is for the holder of a reply key only.
        None if succeeded => ran.output = output.into(),
        None => {}
    }
    Ok(ran)
}

fn call<'a>(
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
        runtime_generation: proven.execution.runtime_generation,
        fuel_limit: proven.execution.fuel_limit,
        randomness,
        is_static: false,
        input,
    }
}

/// Opens a deployment envelope and checks it against the logged commitment. It is not part of the
/// log, so nothing about it can be a signed failure.
fn open_deployment(
    place: Place,
    epoch: &Epoch,
    proven: &Proven<'_>,
    deployment: &[u8],
) -> Result<DeployPlaintext, FrameError> {
    let refuse = |message: String| FrameError::new(ErrorCode::Deployment, message);
    let binding = Binding {
        chain_id: place.chain_id,
        oracle: place.oracle,
        contract_id: proven.entry.contractId,
        requester: proven.requester,
        context: proven.entry.context,
    };
    let expected = Expected {
        purpose: Purpose::Deploy,
        epoch: epoch.keys.id(),
        timestamp: proven.execution.block_timestamp,
        binding: &binding,
    };
    let opened = envelope::open(deployment, &epoch.keys, &expected)
        .map_err(|error| refuse(error.to_string()))?;
    let plaintext: DeployPlaintext =
        plaintext::decode(&opened.plaintext).map_err(|error| refuse(error.to_string()))?;
    let commitment = id::code_commitment(
        plaintext.salt,
        plaintext.engine,
        &plaintext.code,
        &plaintext.init,
    );
    if commitment != proven.entry.inputHash {
        let message = format!(
            "code commits to {commitment}, not {}",
            proven.entry.inputHash
        );
        return Err(refuse(message));
    }
    Ok(plaintext)
}

/// What `inputHash` must be: of a deployment the commitment itself, which is its input.
fn input_hash(kind: EntryKind, input: &[u8]) -> Option<B256> {
    match kind {
        EntryKind::Deploy | EntryKind::Upgrade => B256::try_from(input).ok(),
        _ => Some(keccak256(input)),
    }
}
