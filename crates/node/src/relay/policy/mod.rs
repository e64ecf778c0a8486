// SPDX-License-Identifier: Apache-2.0
//! Whether an entry's fee covers what landing its result costs.
//!
//! Pure. What is lost on one entry is bounded whatever its requester does: a callback that fails pays
//! for the gas it burned and no more, one that is late or cancelled pays nothing and is not made. What an
//! entry earns is linear in the gas that its callback burns, and so is what it costs; it covers if it does at
//! both ends.
//!
//! The same two ends say what a transaction may pay for gas at most ([`Policy::covered_price`]): with that as its
//! `maxFeePerGas` it is either mined at no loss beyond what the operator allows, or not at all. The node never
//! tops an entry up itself: it would pay for another transaction to get back, at best, what it paid in.

use alloy_primitives::U256;
use subrosa_types::{
    abi::Entry,
    entry::{GWEI, Payment, Settlement},
    price::{Asked, LANDING_BYTES, Prices},
};

/// What landing results costs, and what it must earn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// How much gas is what.
    pub(crate) prices: Prices,
    /// Wei that a unit of gas costs.
    pub(crate) gas_price: u128,
    /// Wei that a byte of a transaction's data costs besides; zero where gas is all.
    pub(crate) data_price: U256,
    /// What must be earned, in percent of what it costs.
    pub(crate) percent: u32,
    /// Unix seconds.
    pub(crate) now: u64,
}

/// What landing one entry costs and earns, whatever its requester does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    /// Wei that the chain asks for its data.
    data_fee: U256,
    /// Nothing is burned by a callback.
    rest: End,
    /// The callback burns all that it is given; `None` if there is none.
    called: Option<End>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    gas: u128,
    /// Wei.
    earns: U256,
}

impl Policy {
    /// By how much an entry earns less than it must, wei; zero if it covers. `data` is how many bytes of
    /// output are landed, `added` how many gwei its landing part was topped up by.
    pub(crate) fn shortfall(&self, entry: &Entry, data: u64, added: u64) -> U256 {
        let ends = self.ends(entry, data, added);
        let lacks = |end: End| {
            let cost = U256::from(end.gas) * U256::from(self.gas_price) + ends.data_fee;
            let must = cost * U256::from(self.percent) / U256::from(100);
            must.saturating_sub(end.earns)
        };
        let called = ends.called.map(lacks).unwrap_or_default();
        lacks(ends.rest).max(called)
    }

    /// What landing an entry costs and earns.
    pub(crate) fn ends(&self, entry: &Entry, data: u64, added: u64) -> Ends {
        let payment = Payment::unpack(entry.payment);
        let settlement = Settlement::unpack(entry.settlement);
        // Then whoever it belongs to can take all of it back, what was added too, in front of the transaction.
        let reclaimable = self.now > settlement.deadline.saturating_add(RECLAIM_SECONDS);
        let gwei = match reclaimable {
            true => U256::ZERO,
            false => U256::from(payment.landing) + U256::from(added),
        };
        let landing = U256::from(GWEI) * gwei;
        let callback_gas = settlement.callback_gas().unwrap_or_default();
        let has_record = callback_gas != 0 || payment.charge != 0;
        let asked = Asked {
            output: data,
            ..Asked::default()
        };
        let gas = self.prices.landing_gas(&asked, has_record);
        // Of a late entry nothing is called, and nothing is earned for it.
        let is_called = callback_gas != 0 && self.now <= settlement.deadline;
        Ends {
            data_fee: self.data_price * U256::from(LANDING_BYTES + data),
            rest: End {
                gas,
                earns: landing,
            },
            called: is_called.then(|| End {
                gas: gas + self.prices.callback_gas(callback_gas.into()),
                earns: landing + U256::from(GWEI) * U256::from(payment.callback),
            }),
        }
    }

    /// Most that a transaction which lands these may pay per gas, so that no more than `allowed` wei are lost
    /// on it. What must be earned beyond the cost is asked when entries are chosen, not here.
    pub(crate) fn covered_price(&self, entries: &[Ends], allowed: U256) -> u128 {
        let percent = U256::from(self.percent.min(100));
        let is_covered = |price: u128| {
            let (mut cost, mut earned) = (U256::ZERO, allowed);
            for ends in entries {
                let (most, earns) = ends.worst(price, percent);
                cost += most;
                earned += earns;
            }
            cost <= earned
        };
        // The loss grows with the price.
        let (mut covered, mut beyond) = (0u128, HIGHEST_PRICE);
        while beyond - covered > 1 {
            let middle = covered + (beyond - covered) / 2;
            if is_covered(middle) {
                covered = middle;
            } else {
                beyond = middle;
            }
        }
        covered
    }
}

impl Ends {
    /// What has to be earned and what is, wei, at the end at which more is lost.
    fn worst(&self, price: u128, percent: U256) -> (U256, U256) {
        let at = |end: End| {
            let cost = U256::from(end.gas) * U256::from(price) + self.data_fee;
            (cost * percent / U256::from(100), end.earns)
        };
        let rest = at(self.rest);
        match self.called.map(at) {
            Some(called) if called.0 + rest.1 > rest.0 + called.1 => called,
            _ => rest,
        }
    }
}

/// Wei that no gas costs: a million gwei.
const HIGHEST_PRICE: u128 = 1_000_000_000_000_000;
/// How long after an entry's deadline its landing part is not counted on: it can be taken back after 30 days if it is
/// not executed, and a transaction waits for minutes.
const RECLAIM_SECONDS: u64 = 30 * 24 * 60 * 60 - 10 * 60;

#[cfg(test)]
mod sequence;
#[cfg(test)]
mod tests;
