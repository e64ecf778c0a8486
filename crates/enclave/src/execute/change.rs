// SPDX-License-Identifier: Apache-2.0
//! Entries that run no code, and change what the entries after them mean.

use subrosa_types::{
    ContractId,
    change::{EpochChange, RuntimeChange},
    frame::{ExecutedEntry, FrameError},
    result::Status,
};
use subrosa_vm::{State, StateKey, WriteSet};

use super::{Ran, prove::Proven};
use crate::{
    Enclave, blob,
    input::{is_stateless, named_epoch},
};

impl Enclave {
    /// Another epoch's keys. The contract is sealed under them as a whole, so that the secret of
    /// the epoch before can be erased.
    pub(super) fn change_epoch(
        &mut self,
        id: ContractId,
        proven: &Proven<'_>,
    ) -> Result<ExecutedEntry, FrameError> {
        let place = self.place()?;
        let stateless = is_stateless(proven.entry);
        let contract = if stateless {
            self.contract(id)?
        } else {
            self.continued(id, proven)?
        };
        let named = named_epoch(proven.entry);
        let epoch = self.epochs.active(named)?;
        // Entries of a stateless contract are executed in any order, of several epochs at a time.
        let previous = (!stateless).then(|| contract.position().epoch);
        let is_as_logged = |change: EpochChange| {
            change.next == named.epoch
                && change.record == epoch.record
                && previous.is_none_or(|previous| {
                    previous.group == named.group && previous.epoch == change.previous
                })
        };
        let ran = if EpochChange::decode(proven.input).is_some_and(is_as_logged) {
            let writes = if stateless {
                WriteSet::default()
            } else {
                forgotten_with_epoch(&contract.state)
            };
            Ran::without_code(Status::Succeeded, writes)
        } else {
            Ran::rejected()
        };
        let step = if stateless {
            contract.stateless_step(&proven.step(), ran.outcome())
        } else {
            contract.step(place, &proven.step(), ran.outcome(), ran.writes.clone())
        };
        let result = ran.result(&step);
        let changed = contract.after(step);
        let blob = blob::seal_snapshot(place, &changed, epoch, &changed.last)?;
        self.contracts.insert(id, changed);
        Ok(result(blob))
    }

    /// Another runtime generation. What it changes is in the entries after it, and in pending ones
    /// before it ([`Reassignment`](subrosa_types::frame::Reassignment)).
    pub(super) fn change_runtime(
        &mut self,
        id: ContractId,
        proven: &Proven<'_>,
    ) -> Result<ExecutedEntry, FrameError> {
        let place = self.place()?;
        let stateless = is_stateless(proven.entry);
        let contract = if stateless {
            self.contract(id)?
        } else {
            self.continued(id, proven)?
        };
        let epoch = self.epochs.active(named_epoch(proven.entry))?;
        let ran = match RuntimeChange::decode(proven.input) {
            Some(_) => Ran::without_code(Status::Succeeded, WriteSet::default()),
            None => Ran::rejected(),
        };
        let step = if stateless {
            contract.stateless_step(&proven.step(), ran.outcome())
        } else {
            contract.step(place, &proven.step(), ran.outcome(), ran.writes.clone())
        };
        let blob = blob::seal_delta(place, contract, epoch, &step)?;
        let result = ran.result(&step)(blob);
        match self.contracts.get_mut(&id) {
            Some(contract) if stateless => contract.remember(&step),
            Some(contract) => contract.apply(step),
            None => {}
        }
        Ok(result)
    }
}

/// What ends with a key epoch: sessions, and the ids of envelopes, none of which opens any more.
fn forgotten_with_epoch(state: &State) -> WriteSet {
    let mut writes = WriteSet::new();
    for seen in state.seen() {
        writes.remove(seen);
    }
    for (seq, _) in state.sessions() {
        writes.remove(StateKey::Session { seq });
    }
    writes
}
