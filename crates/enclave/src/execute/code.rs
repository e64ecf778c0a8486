// SPDX-License-Identifier: Apache-2.0
//! Entries that bring code: entry 0, which starts a contract, and upgrades.

use alloc::{
    boxed::Box,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    sync::Arc,
};

use alloy_primitives::Bytes;
use subrosa_crypto::{
    envelope::{self, Binding, Expected, Purpose},
    plaintext,
};
use subrosa_types::{
    ContractId,
    abi::{DeployPlaintext, Entry},
    frame::{ErrorCode, FrameError},
    id,
    result::Status,
};
use subrosa_vm::{Engines, State, Vm, WriteSet};

use super::{
    input::ReplyTo,
    proven::Proven,
    result::{Change, Done, EntryResult, machine_call},
};
use crate::{blob, contract::Contract, epoch::Epoch, fixed::Place, step::Step};

/// Code that was committed to, and the engine that runs it.
struct OpenedCode {
    vm: Arc<dyn Vm>,
    plaintext: DeployPlaintext,
}

/// A deployment is entry 0.
pub(super) fn check_is_first(entry: &Entry) -> Result<(), FrameError> {
    if entry.seq() == 0 && entry.previousDigest.is_zero() {
        return Ok(());
    }
    let message = "a deployment is entry 0";
    Err(FrameError::new(ErrorCode::Sequence, message))
}

/// Entry 0: opens the code envelope and runs the constructor. Repeated, it starts the contract
/// over, with the same result: a host that died before it kept the first snapshot has no other way
/// back.
pub(super) fn deploy(
    place: Place,
    engines: &Engines,
    epoch: &Epoch,
    id: ContractId,
    proven: &Proven<'_>,
    code_envelope: Option<&Bytes>,
) -> Result<Done, FrameError> {
    let OpenedCode { vm, plaintext } = open_code(engines, place, epoch, proven, code_envelope)?;
    let root = epoch.secret.contract_root(proven.digest);
    let mut contract = Contract {
        id,
        code_commitment: proven.entry.inputHash,
        engine: plaintext.engine,
        vm: Arc::clone(&vm),
        root,
        state: State::new(),
        last: Step::before_the_first(),
        results: BTreeMap::new(),
    };
    let call = machine_call(place, &contract, proven, &[], None);
    let execution = vm.construct(&contract.state, &call, &plaintext.code, &plaintext.init);
    let result = EntryResult::of_execution(place, &contract, proven, &ReplyTo::Public, execution)?;
    let step = contract.step(
        place,
        &proven.step(),
        result.outcome(),
        result.writes.clone(),
    );
    let answer = result.answer(&step);
    contract.apply(step);
    let blob = blob::seal_snapshot(place, &contract, epoch, &contract.last)?;
    Ok(Done {
        answer: answer(blob),
        change: Change::Replace(Box::new(contract)),
    })
}

/// An upgrade: runs the new code's constructor on what the contract stores, and leaves the new
/// code if that succeeds.
pub(super) fn upgrade(
    place: Place,
    engines: &Engines,
    contract: &Contract,
    epoch: &Epoch,
    proven: &Proven<'_>,
    code_envelope: Option<&Bytes>,
) -> Result<Done, FrameError> {
    let OpenedCode { vm, plaintext } = open_code(engines, place, epoch, proven, code_envelope)?;
    let result = if plaintext.engine == contract.engine {
        let call = machine_call(place, contract, proven, &[], None);
        let execution = vm.upgrade(&contract.state, &call, &plaintext.code, &plaintext.init);
        EntryResult::of_execution(place, contract, proven, &ReplyTo::Public, execution)?
    } else {
        // What the one engine stores is not what the other would find.
        EntryResult::without_code(Status::Failed, WriteSet::default())
    };
    let step = contract.step(
        place,
        &proven.step(),
        result.outcome(),
        result.writes.clone(),
    );
    let succeeded = result.status == Status::Succeeded;
    let answer = result.answer(&step);
    if !succeeded {
        let blob = blob::seal_delta(place, contract, epoch, &step)?;
        return Ok(Done {
            answer: answer(blob),
            change: Change::Apply(step),
        });
    }
    let upgraded = Contract {
        code_commitment: proven.entry.inputHash,
        ..contract.after(step)
    };
    let blob = blob::seal_snapshot(place, &upgraded, epoch, &upgraded.last)?;
    Ok(Done {
        answer: answer(blob),
        change: Change::Replace(Box::new(upgraded)),
    })
}

/// Opens a code envelope and checks it against the logged commitment. It is not part
/// of the log, so nothing about it can be a signed failure.
fn open_code(
    engines: &Engines,
    place: Place,
    epoch: &Epoch,
    proven: &Proven<'_>,
    code_envelope: Option<&Bytes>,
) -> Result<OpenedCode, FrameError> {
    let refuse = |message: String| FrameError::new(ErrorCode::CodeEnvelope, message);
    let sealed = code_envelope.ok_or_else(|| refuse("no code envelope".into()))?;
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
    let opened = envelope::open(sealed, &epoch.keys, &expected)
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
    let vm = engines
        .engine(plaintext.engine)
        .cloned()
        .ok_or_else(|| refuse(format!("engine {} is not in this build", plaintext.engine)))?;
    Ok(OpenedCode { vm, plaintext })
}
