// SPDX-License-Identifier: Apache-2.0
//! From what a transaction touched to what it changed.

use alloy_primitives::{Address, B256, U256};
use revm::state::{Account, EvmState};

use subrosa_vm::{AccountRecord, State, StateKey, WriteSet};

/// The real changes among `touched`.
///
/// A `caller` without code is left out. It is an account of the chain outside; the machine counts
/// its nonce when it constructs the contract, and nothing in the machine depends on that count.
pub(crate) fn collect(state: &State, caller: Address, touched: EvmState) -> WriteSet {
    let mut writes = WriteSet::new();
    for (address, account) in touched {
        if !account.is_touched() || (address == caller && account.info.is_empty_code_hash()) {
            continue;
        }
        let survives = !account.is_selfdestructed();
        collect_account(state, &mut writes, address, survives.then_some(&account));
        for (slot, value) in &account.storage {
            let value = if survives {
                value.present_value()
            } else {
                U256::ZERO
            };
            collect_slot(state, &mut writes, address, B256::from(*slot), value);
        }
    }
    writes
}

/// Takes the code that an upgrade replaced out of the state, unless an account still has it.
pub(crate) fn drop_unused_code(state: &State, writes: &mut WriteSet, code_hash: B256) {
    let key = StateKey::Code(code_hash);
    if !state.contains(&key) {
        return;
    }
    let has_it = |record: AccountRecord| record.code_hash == code_hash;
    let is_used_after = writes.iter().any(|(key, value)| {
        matches!(key, StateKey::Account(_))
            && value.and_then(AccountRecord::decode).is_some_and(has_it)
    });
    let is_still_used = state.accounts().any(|(address, record)| {
        has_it(record) && writes.get(&StateKey::Account(address)).is_none()
    });
    if !is_used_after && !is_still_used {
        writes.remove(key);
    }
}

/// Records the account, or its absence. Code outlives the account: others may have the same.
fn collect_account(
    state: &State,
    writes: &mut WriteSet,
    address: Address,
    account: Option<&Account>,
) {
    let record = account
        .map(|account| AccountRecord {
            nonce: account.info.nonce,
            code_hash: account.info.code_hash,
        })
        .filter(|record| !record.is_empty());
    if record == state.account(address) {
        return;
    }
    writes.set_account(address, record);
    let (Some(record), Some(account)) = (record, account) else {
        return;
    };
    if let Some(code) = &account.info.code
        && record.has_code()
        && !state.contains(&StateKey::Code(record.code_hash))
    {
        writes.add_code(code.original_byte_slice().to_vec());
    }
}

fn collect_slot(state: &State, writes: &mut WriteSet, account: Address, slot: B256, value: U256) {
    let before = state.get(&StateKey::Storage { account, slot });
    if before.map_or(U256::ZERO, U256::from_be_slice) != value {
        writes.set_storage(account, slot, value);
    }
}
