// SPDX-License-Identifier: Apache-2.0
//! Whether a contract's entries stand alone, as far as its stored log tells.

use subrosa_store::{Storage, StoreError};
use subrosa_types::ContractId;

/// Whether a contract's entries stand alone. Its second entry tells: only there do the digests of a
/// stateful log begin to chain. With no second entry it makes no difference yet.
///
/// # Errors
///
/// What the store fails with.
pub(crate) async fn is_stateless(
    store: &dyn Storage,
    contract: ContractId,
) -> Result<bool, StoreError> {
    let second = store.entry(contract, 1).await?;
    Ok(second.is_some_and(|second| second.logged.entry.is_stateless()))
}
