// SPDX-License-Identifier: Apache-2.0
//! Calls: their input opened, their output public or sealed.

use alloy_primitives::Bytes;
use subrosa_crypto::{
    Subject,
    reply::{self, ReplyBinding},
};
use subrosa_types::{
    ContractId,
    frame::{ErrorCode, ExecutedEntry, FrameError},
    result::Status,
};
use subrosa_vm::{State, WriteSet};

use super::{MAX_OUTPUT_BYTES, Ran, machine_call, prove::Proven};
use crate::{
    Enclave, blob,
    contract::{Contract, Place, Step},
    epoch::Epoch,
    input::{self, CallInput, MAX_FORGOTTEN, Rejected, Sealed, named_epoch, seen_key},
};

impl Enclave {
    /// A call of a stateful contract.
    pub(super) fn call(
        &mut self,
        id: ContractId,
        proven: &Proven<'_>,
    ) -> Result<ExecutedEntry, FrameError> {
        let place = self.place()?;
        let contract = self.continued(id, proven)?;
        let epoch = self.epochs.active(named_epoch(proven.entry))?;
        let ran = run_call(place, contract, epoch, proven)?;
        let step = contract.step(place, &proven.step(), ran.outcome(), ran.writes.clone());
        let blob = blob::seal_delta(place, contract, epoch, &step)?;
        let result = ran.result(&step)(blob);
        self.advance(id, step);
        Ok(result)
    }

    /// A call of a stateless contract: on the state the constructor left, changing nothing.
    pub(super) fn call_stateless(
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

    /// Makes a step that is sealed the loaded state.
    pub(super) fn advance(&mut self, id: ContractId, step: Step) {
        if let Some(contract) = self.contracts.get_mut(&id) {
            contract.apply(step);
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
    let call = machine_call(place, contract, proven, &input.data, envelope_id);
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
pub(super) fn ran(
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
