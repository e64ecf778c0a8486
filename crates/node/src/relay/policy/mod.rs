// SPDX-License-Identifier: Apache-2.0
//! Whether an entry's fee covers what landing its result costs.
//!
//! Pure. What is lost on one entry is bounded whatever its requester does: a callback that fails pays
//! for the gas it burned and no more, one that is late or cancelled pays nothing and is not made. What an
//! entry earns is linear in the gas that its callback burns, and so is what it costs; it covers if it does at
//! both ends.

use alloy_primitives::U256;
use subrosa_types::{
    abi::Entry,
    entry::{GWEI, Payment, Settlement},
    price::{Asked, Prices},
};

/// What landing results costs, and what it must earn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// How much gas is what.
    pub(crate) prices: Prices,
    /// Wei that a unit of gas costs.
    pub(crate) gas_price: u128,
    /// What must be earned, in percent of what it costs.
    pub(crate) percent: u32,
    /// Unix seconds.
    pub(crate) now: u64,
}

impl Policy {
    /// By how much an entry earns less than it must, wei; zero if it covers. `data` is how many bytes of
    /// output are landed, `added` how many gwei its landing part was topped up by.
    pub(crate) fn shortfall(&self, entry: &Entry, data: u64, added: u64) -> U256 {
        let payment = Payment::unpack(entry.payment);
        let settlement = Settlement::unpack(entry.settlement);
        let reclaimable = self.now > settlement.deadline.saturating_add(RECLAIM_SECONDS);
        let own = if reclaimable { 0 } else { payment.landing };
        let landing = U256::from(GWEI) * (U256::from(own) + U256::from(added));
        let callback_gas = settlement.callback_gas().unwrap_or_default();
        let has_record = callback_gas != 0 || payment.charge != 0;
        let asked = Asked {
            output: data,
            ..Asked::default()
        };
        let at_rest = self.must_earn(self.prices.landing_gas(&asked, has_record));
        // Of a late entry nothing is called, and nothing is earned for it.
        if callback_gas == 0 || self.now > settlement.deadline {
            return at_rest.saturating_sub(landing);
        }
        let called = at_rest + self.must_earn(self.prices.callback_gas(callback_gas.into()));
        let both = landing + U256::from(GWEI) * U256::from(payment.callback);
        let failed = at_rest.saturating_sub(landing);
        failed.max(called.saturating_sub(both))
    }

    fn must_earn(&self, gas: u128) -> U256 {
        U256::from(gas) * U256::from(self.gas_price) * U256::from(self.percent) / U256::from(100)
    }
}

/// How long after an entry's deadline its landing part can be taken back, if it is not executed.
const RECLAIM_SECONDS: u64 = 30 * 24 * 60 * 60;

#[cfg(test)]
mod tests;
