// SPDX-License-Identifier: Apache-2.0
//! Calls: their input opened, their output public or sealed.

use alloc::vec::Vec;

use subrosa_types::{
    frame::{ErrorCode, FrameError},
    result::Status,
};
use subrosa_vm::{State, WriteSet};

use super::{
    done::Done,
    guard::guarded,
    input::{OpenedAhead, SeenEnvelope, Unopened, open_call},
    places::forget_expired,
    proven::Proven,
    result::{EntryResult, machine_call},
};
use crate::{contract::Contract, fixed::Place};

/// A call of a stateful contract.
pub(super) fn call(
    place: Place,
    contract: &mut Contract,
    proven: &Proven,
    input: OpenedAhead,
) -> Result<Done, FrameError> {
    let mut result = run(place, contract, proven, input)?;
    let writes = core::mem::take(&mut result.writes);
    let step = contract.advance(place, &proven.step(), result.outcome(), &writes);
    Ok(Done {
        result,
        step,
        whole: false,
    })
}

/// A call of a stateless contract: on the state the constructor left, changing nothing.
pub(super) fn call_stateless(
    place: Place,
    contract: &Contract,
    proven: &Proven,
    input: OpenedAhead,
) -> Result<Done, FrameError> {
    let mut result = run(place, contract, proven, input)?;
    result.writes = WriteSet::default();
    let step = contract.stateless_step(&proven.step(), result.outcome());
    Ok(Done {
        result,
        step,
        whole: false,
    })
}

/// Runs a call with the input that was opened, and makes its output public or seals it.
fn run(
    place: Place,
    contract: &Contract,
    proven: &Proven,
    input: OpenedAhead,
) -> Result<EntryResult, FrameError> {
    let input = match open_call(place, input, &contract.state, proven) {
        Ok(input) => input,
        Err(Unopened::Rejected) => return Ok(EntryResult::rejected()),
        Err(Unopened::NoResult(error)) => return Err(error),
    };
    let envelope_id = input.envelope.map(|envelope| envelope.id);
    let call = machine_call(place, contract, proven, &input.data, envelope_id);
    let execution = guarded(
        || proven.name(),
        || contract.vm.call(&contract.state, &call),
    )?;
    let mut result = EntryResult::of_execution(place, contract, proven, &input.reply, execution);
    let Some(envelope) = input.envelope else {
        return Ok(result);
    };
    remember_envelope(
        &contract.state,
        &mut result.writes,
        envelope,
        proven.execution.block_timestamp,
    )?;
    // As an envelope's id, a session outlasts a guest's failure.
    if let Some(session) = input.opens.filter(|_| result.status != Status::Rejected) {
        session.remember(
            &contract.state,
            &mut result.writes,
            envelope.holder,
            proven.entry.seq(),
        )?;
    }
    Ok(result)
}

/// Remembers an envelope's id until it expires, and forgets a few that have.
fn remember_envelope(
    state: &State,
    writes: &mut WriteSet,
    envelope: SeenEnvelope,
    now: u64,
) -> Result<(), FrameError> {
    forget_expired(state, now, writes);
    writes
        .insert(envelope.key(), Vec::new())
        .map_err(|error| FrameError::new(ErrorCode::Unsupported, error))
}
