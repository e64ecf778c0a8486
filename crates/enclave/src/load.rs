// SPDX-License-Identifier: Apache-2.0
//! Loading a contract from its sealed blobs, and sealing it whole.
//!
//! Loading an old state is harmless by construction: the next entry must chain to its last digest,
//! and executing it again gives the same result.

use std::collections::BTreeMap;

use subrosa_crypto::{ContractRoot, EpochId, sealing::StateKind};
use subrosa_types::{
    ContractId,
    frame::{ErrorCode, FrameError, Loaded, StateBlob},
};
use subrosa_vm::WriteSet;

use crate::{
    Enclave,
    blob::{self, Delta, Snapshot},
    contract::{Contract, Place},
    sign::Signable,
};

impl Enclave {
    /// Replaces what is loaded of `contract` by a snapshot and the deltas after it. Deltas of a
    /// stateless contract only make results signable again.
    pub(crate) fn load(
        &mut self,
        contract: ContractId,
        blobs: &[StateBlob],
    ) -> Result<Loaded, FrameError> {
        let place = self.place()?;
        let refuse = |message: &str| FrameError::new(ErrorCode::Blob, message);
        let (first, deltas) = blobs.split_first().ok_or_else(|| refuse("no blobs"))?;
        let mut loaded = self.open_snapshot(place, contract, first)?;
        for delta in deltas {
            self.apply_delta(place, &mut loaded, delta)?;
        }
        let summary = loaded.loaded();
        self.contracts.insert(contract, loaded);
        Ok(summary)
    }

    /// Seals the whole of `contract` as it stands.
    pub(crate) fn snapshot(&self, contract: ContractId) -> Result<StateBlob, FrameError> {
        let place = self.place()?;
        let contract = self.contract(contract)?;
        let epoch = self.epochs.active(contract.position().epoch)?;
        blob::seal_snapshot(place, contract, epoch, &contract.last)
    }

    pub(crate) fn contract(&self, contract: ContractId) -> Result<&Contract, FrameError> {
        self.contracts.get(&contract).ok_or_else(|| {
            FrameError::new(
                ErrorCode::UnknownContract,
                format!("{contract} is not loaded"),
            )
        })
    }

    pub(crate) fn place(&self) -> Result<Place, FrameError> {
        let fixed = self.fixed()?;
        Ok(Place {
            chain_id: fixed.chain_id,
            oracle: fixed.config.oracle,
        })
    }

    fn open_snapshot(
        &self,
        place: Place,
        contract: ContractId,
        sealed: &StateBlob,
    ) -> Result<Contract, FrameError> {
        let epoch = self.epochs.active(EpochId {
            group: sealed.group,
            epoch: sealed.epoch,
        })?;
        let snapshot: Snapshot = blob::open(place, contract, epoch, sealed, StateKind::Snapshot)?;
        let vm = self.engines.engine(snapshot.engine).ok_or_else(|| {
            FrameError::new(
                ErrorCode::Unsupported,
                format!("engine {}", snapshot.engine),
            )
        })?;
        let step = snapshot.last.step(sealed, WriteSet::default());
        let contract = Contract {
            id: contract,
            code_commitment: sealed.code_commitment,
            engine: snapshot.engine,
            vm: vm.clone(),
            root: ContractRoot::from_bytes(&snapshot.root),
            state: blob::state(&snapshot.state)?,
            results: BTreeMap::from([(step.seq(), Signable::of(&step))]),
            last: step,
        };
        Ok(contract)
    }

    fn apply_delta(
        &self,
        place: Place,
        contract: &mut Contract,
        sealed: &StateBlob,
    ) -> Result<(), FrameError> {
        let epoch = self.epochs.active(EpochId {
            group: sealed.group,
            epoch: sealed.epoch,
        })?;
        let delta: Delta = blob::open(place, contract.id, epoch, sealed, StateKind::Delta)?;
        let step = delta.last.step(sealed, blob::writes(&delta.writes)?);
        if sealed.code_commitment != contract.code_commitment {
            return Err(FrameError::new(ErrorCode::Blob, "delta of other code"));
        }
        if step.is_stateless() {
            contract.remember(&step);
            return Ok(());
        }
        let continues = step.seq() == contract.position().head.seq
            && step.previous_commitment == contract.position().head.commitment;
        if !continues {
            let message = format!(
                "delta of seq {} does not continue seq {}",
                sealed.seq,
                contract.position().head.seq
            );
            return Err(FrameError::new(ErrorCode::Blob, message));
        }
        contract.apply(step);
        Ok(())
    }
}
