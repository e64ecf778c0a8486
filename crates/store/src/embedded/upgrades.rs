// SPDX-License-Identifier: Apache-2.0
//! Envelopes of code that is yet to be run.

use alloy_primitives::{B256, Bytes};
use subrosa_types::ContractId;

use super::Store;
use crate::{
    MAX_UPGRADES, StoreError,
    key::{self, parse_upgrade},
    record::UpgradeRecord,
};

/// As [`Storage::put_upgrade`](crate::Storage::put_upgrade).
pub(super) fn put(
    store: &Store,
    contract: ContractId,
    commitment: B256,
    envelope: &Bytes,
) -> Result<(), StoreError> {
    let _exclusive = store.exclusive();
    let table = &store.keyspaces.upgrades;
    let mut kept: Vec<(u64, B256)> = table
        .prefix(contract.as_slice(), parse_upgrade)?
        .into_iter()
        .map(|(commitment, record)| (record.order, commitment))
        .collect();
    kept.sort_unstable();
    let order = kept.last().map_or(0, |(order, _)| order.saturating_add(1));
    kept.retain(|(_, other)| *other != commitment);

    let mut batch = store.durable_batch();
    let surplus = (kept.len() + 1).saturating_sub(MAX_UPGRADES);
    for (_, oldest) in kept.iter().take(surplus) {
        table.remove(&mut batch, key::upgrade(contract, *oldest));
    }
    let record = UpgradeRecord {
        order,
        envelope: envelope.clone(),
    };
    table.write(&mut batch, key::upgrade(contract, commitment), &record)?;
    Ok(batch.commit()?)
}
