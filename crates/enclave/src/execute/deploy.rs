// SPDX-License-Identifier: Apache-2.0
//! Entries that bring code: entry 0, which starts a contract, and upgrades.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{B256, Bytes};
use subrosa_crypto::{
    envelope::{self, Binding, Expected, Purpose},
    plaintext,
};
use subrosa_types::{
    ContractId,
    abi::{DeployPlaintext, Outcome},
    frame::{ErrorCode, ExecutedEntry, FrameError},
    id,
    result::{Head, Status},
};
use subrosa_vm::{Engines, State, Vm, WriteSet};

use super::{Ran, call::ran, machine_call, prove::Proven};
use crate::{
    Enclave, blob,
    contract::{Contract, Place, Position, Step},
    epoch::Epoch,
    input::named_epoch,
};

/// Code that was committed to, and the engine that runs it.
struct Brought {
    vm: Arc<dyn Vm>,
    plaintext: DeployPlaintext,
}

impl Enclave {
    /// Entry 0: opens the code envelope and runs the constructor. Repeated, it starts the
    /// contract over, with the same result: a host that died before it kept the first snapshot
    /// has no other way back.
    pub(super) fn deploy(
        &mut self,
        id: ContractId,
        proven: &Proven<'_>,
        code_envelope: Option<&Bytes>,
    ) -> Result<ExecutedEntry, FrameError> {
        let place = self.place()?;
        if proven.entry.seq() != 0 || !proven.entry.previousDigest.is_zero() {
            return Err(FrameError::new(
                ErrorCode::Sequence,
                "a deployment is entry 0",
            ));
        }
        let epoch = self.epochs.active(named_epoch(proven.entry))?;
        let Brought { vm, plaintext } =
            open_code(&self.engines, place, epoch, proven, code_envelope)?;
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
        let ran = ran(place, &contract, proven, None, execution)?;
        let step = contract.step(place, &proven.step(), ran.outcome(), ran.writes.clone());
        let result = ran.result(&step);
        contract.apply(step);
        let blob = blob::seal_snapshot(place, &contract, epoch, &contract.last)?;
        self.contracts.insert(id, contract);
        Ok(result(blob))
    }

    /// An upgrade: runs the new code's constructor on what the contract stores, and leaves the new
    /// code if that succeeds.
    pub(super) fn upgrade(
        &mut self,
        id: ContractId,
        proven: &Proven<'_>,
        envelope: Option<&Bytes>,
    ) -> Result<ExecutedEntry, FrameError> {
        let place = self.place()?;
        let contract = self.continued(id, proven)?;
        let epoch = self.epochs.active(named_epoch(proven.entry))?;
        let Brought { vm, plaintext } = open_code(&self.engines, place, epoch, proven, envelope)?;
        let ran = if plaintext.engine == contract.engine {
            let call = machine_call(place, contract, proven, &[], None);
            let execution = vm.upgrade(&contract.state, &call, &plaintext.code, &plaintext.init);
            ran(place, contract, proven, None, execution)?
        } else {
            // What the one engine stores is not what the other would find.
            Ran::without_code(Status::Failed, WriteSet::default())
        };
        let step = contract.step(place, &proven.step(), ran.outcome(), ran.writes.clone());
        let succeeded = ran.status == Status::Succeeded;
        let result = ran.result(&step);
        if !succeeded {
            let blob = blob::seal_delta(place, contract, epoch, &step)?;
            self.advance(id, step);
            return Ok(result(blob));
        }
        let upgraded = Contract {
            code_commitment: proven.entry.inputHash,
            ..contract.after(step)
        };
        let blob = blob::seal_snapshot(place, &upgraded, epoch, &upgraded.last)?;
        self.contracts.insert(id, upgraded);
        Ok(result(blob))
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

/// Opens the envelope that carries code and checks it against the logged commitment. It is not part
/// of the log, so nothing about it can be a signed failure.
fn open_code(
    engines: &Engines,
    place: Place,
    epoch: &Epoch,
    proven: &Proven<'_>,
    envelope: Option<&Bytes>,
) -> Result<Brought, FrameError> {
    let refuse = |message: String| FrameError::new(ErrorCode::Deployment, message);
    let sealed = envelope.ok_or_else(|| refuse("no envelope with the code".into()))?;
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
    Ok(Brought { vm, plaintext })
}
