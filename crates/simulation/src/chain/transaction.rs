// SPDX-License-Identifier: Apache-2.0
//! The transactions of a node, executed.

use alloy_primitives::Address;
use subrosa_node::Transaction;

use super::{
    blocks::Emitted,
    contracts::{Contracts, Moment, Revert},
};

/// What a transaction of the node does.
pub(super) fn apply(
    contracts: &mut Contracts,
    moment: Moment,
    sender: Address,
    transaction: &Transaction,
) -> Result<Emitted, Revert> {
    match transaction {
        Transaction::Fulfill { batch, .. } => {
            contracts.fulfill(moment, sender, batch).map(Emitted::from)
        }
        Transaction::Withdraw => contracts.withdraw(sender).map(|()| Emitted::default()),
        Transaction::OpenEpoch { opening, .. } => {
            contracts.open_epoch(opening).map(|()| Emitted::default())
        }
        Transaction::Answer { call, .. } => {
            let event = contracts.answer_challenge(moment, sender, call)?;
            Ok(vec![event].into())
        }
        // Of what was prepared elsewhere the model has nothing to change.
        Transaction::Prepared(_) => Ok(Emitted::default()),
        // The model has no verifiers and no quotes; whoever simulates admits by hand.
        _ => Err(Revert::Unsupported),
    }
}

/// Where transactions of a node come from.
pub(super) const ACCOUNT: Address = Address::repeat_byte(0xac);
