// SPDX-License-Identifier: Apache-2.0
//! Code envelopes.

use alloy_primitives::{B256, Bytes};
use subrosa_types::ContractId;

use super::{database::Engine, rows::Batch};
use crate::{
    CodeOf, MAX_UPGRADE_ENVELOPES, StoreError,
    key::{self, parse_upgrade},
    record::CodeEnvelopeRecord,
};

impl Engine {
    pub(crate) fn put_code_envelope(
        &self,
        contract: ContractId,
        code: CodeOf,
        envelope: Bytes,
    ) -> Result<(), StoreError> {
        let _exclusive = self.exclusive();
        let table = &self.keyspaces.code_envelopes;
        let mut batch = Batch::new(true);
        let mut order = 0;
        if let CodeOf::Upgrade(commitment) = code {
            let mut kept = self.upgrade_envelopes(contract)?;
            order = kept.last().map_or(0, |(order, _)| order.saturating_add(1));
            kept.retain(|(_, other)| *other != commitment);
            let surplus = (kept.len() + 1).saturating_sub(MAX_UPGRADE_ENVELOPES);
            for (_, oldest) in kept.iter().take(surplus) {
                let oldest = key::code_envelope(contract, CodeOf::Upgrade(*oldest));
                table.remove(&mut batch, oldest);
            }
        }
        let record = CodeEnvelopeRecord { order, envelope };
        table.write(&mut batch, key::code_envelope(contract, code), &record)?;
        self.commit(batch)
    }

    pub(crate) fn code_envelope(
        &self,
        contract: ContractId,
        code: CodeOf,
    ) -> Result<Option<Bytes>, StoreError> {
        let record = self
            .keyspaces
            .code_envelopes
            .read(key::code_envelope(contract, code))?;
        Ok(record.map(|record| record.envelope))
    }

    /// Order and commitment of each upgrade's envelope, in the order in which they were handed in.
    fn upgrade_envelopes(&self, contract: ContractId) -> Result<Vec<(u64, B256)>, StoreError> {
        let mut kept: Vec<(u64, B256)> = self
            .keyspaces
            .code_envelopes
            .prefix(key::upgrades(contract), parse_upgrade)?
            .into_iter()
            .map(|(commitment, record)| (record.order, commitment))
            .collect();
        kept.sort_unstable();
        Ok(kept)
    }
}
