// SPDX-License-Identifier: Apache-2.0
//! Entries that bring code: entry 0, which starts a contract, and upgrades.

use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
};

use alloy_primitives::Bytes;
use subrosa_crypto::{
    EpochId,
    envelope::{self, Binding, Expected, Purpose},
    plaintext,
};
use subrosa_types::{
    ContractId,
    abi::{DeployPlaintext, Entry},
    entry::{Execution, FLAG_WORLD, Payment, Settlement, profile_of},
    frame::{ErrorCode, FrameError},
    id,
    result::Status,
};
use subrosa_vm::{Engines, State, Vm, WriteSet};

use super::{
    done::Done,
    guard::guarded,
    input::ReplyTo,
    proven::Proven,
    result::{EntryResult, machine_call},
};
use crate::{
    contract::Contract,
    epoch::{Active, Epoch},
    fixed::Place,
    step::Step,
};

/// Code that was committed to, and the engine that runs it.
pub(super) struct OpenedCode {
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
    epoch: &Epoch,
    id: ContractId,
    proven: &Proven,
    code: OpenedCode,
) -> Result<(Contract, Done), FrameError> {
    let OpenedCode { vm, plaintext } = code;
    let root = epoch.secret.contract_root(proven.digest);
    let mut contract = Contract {
        id,
        code_commitment: proven.entry.inputHash,
        engine: plaintext.engine,
        vm: Arc::clone(&vm),
        root: Arc::new(root),
        state: State::new(),
        last: Step::before_the_first(),
    };
    let mut result = if is_supported(proven.execution.flags) {
        let call = machine_call(place, &contract, proven, &[], None);
        let execution = guarded(
            || proven.name(),
            || vm.construct(&contract.state, &call, &plaintext.code, &plaintext.init),
        )?;
        EntryResult::of_execution(place, &contract, proven, &ReplyTo::Public, execution)
    } else {
        EntryResult::rejected()
    };
    let writes = core::mem::take(&mut result.writes);
    let step = contract.advance(place, &proven.step(), result.outcome(), &writes);
    let done = Done {
        result,
        step,
        whole: true,
    };
    Ok((contract, done))
}

/// Whether this generation has what a deployment asks for: no worlds, and no chain but the oracle's.
fn is_supported(flags: u16) -> bool {
    flags & FLAG_WORLD == 0 && profile_of(flags) == 0
}

/// An upgrade: runs the new code's constructor on what the contract stores, and leaves the new
/// code if that succeeds.
pub(super) fn upgrade(
    place: Place,
    contract: &mut Contract,
    proven: &Proven,
    code: OpenedCode,
) -> Result<Done, FrameError> {
    let OpenedCode { vm, plaintext } = code;
    let mut result = if plaintext.engine == contract.engine {
        let call = machine_call(place, contract, proven, &[], None);
        let execution = guarded(
            || proven.name(),
            || vm.upgrade(&contract.state, &call, &plaintext.code, &plaintext.init),
        )?;
        EntryResult::of_execution(place, contract, proven, &ReplyTo::Public, execution)
    } else {
        // What the one engine stores is not what the other would find.
        EntryResult::without_code(Status::Failed, WriteSet::default())
    };
    let writes = core::mem::take(&mut result.writes);
    let step = contract.advance(place, &proven.step(), result.outcome(), &writes);
    if result.status == Status::Succeeded {
        contract.code_commitment = proven.entry.inputHash;
    }
    Ok(Done {
        result,
        step,
        whole: false,
    })
}

/// Opens a code envelope and checks it against the logged commitment. It is not part
/// of the log, so nothing about it can be a signed failure.
pub(super) fn open_code(
    engines: &Engines,
    place: Place,
    epoch: &Epoch,
    (entry, timestamp): (&Entry, u64),
    code_envelope: Option<&Bytes>,
) -> Result<OpenedCode, FrameError> {
    let refuse = |message: String| FrameError::new(ErrorCode::CodeEnvelope, message);
    let sealed = code_envelope.ok_or_else(|| refuse("no code envelope".into()))?;
    let binding = Binding {
        chain_id: place.chain_id,
        oracle: place.oracle,
        contract_id: entry.contractId,
        requester: Settlement::unpack(entry.settlement).requester,
        context: entry.context,
    };
    let expected = Expected {
        purpose: Purpose::Deploy,
        epoch: epoch.keys.id(),
        timestamp,
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
    if commitment != entry.inputHash {
        let message = format!("code commits to {commitment}, not {}", entry.inputHash);
        return Err(refuse(message));
    }
    let vm = engines
        .engine(plaintext.engine)
        .cloned()
        .ok_or_else(|| refuse(format!("engine {} is not in this build", plaintext.engine)))?;
    Ok(OpenedCode { vm, plaintext })
}

/// Whether a code envelope opens for an entry that nothing proves.
pub(crate) fn check_code(
    engines: &Engines,
    place: Place,
    epochs: &Active,
    entry: &Entry,
    envelope: &Bytes,
) -> Result<(), FrameError> {
    let execution = Execution::unpack(entry.execution)
        .map_err(|error| FrameError::new(ErrorCode::Unsupported, error))?;
    let payment = Payment::unpack(entry.payment);
    let epoch = epochs.active(EpochId {
        group: payment.key_group,
        epoch: payment.key_epoch,
    })?;
    let of = (entry, execution.block_timestamp);
    open_code(engines, place, &epoch, of, Some(envelope)).map(drop)
}
