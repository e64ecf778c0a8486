// SPDX-License-Identifier: Apache-2.0
//! Which results are sent: those whose fees cover what they cost, and others as far as the operator's
//! budget goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use alloy_primitives::U256;
use subrosa_chain::ChainError;
use subrosa_types::{ContractId, entry::GWEI, price::Prices};
use tracing::warn;

use super::{
    batch::{Batch, Candidate, Queue},
    needs::Needs,
    policy::Policy,
};
use crate::clock::elapsed;

/// Holds entries against the policy.
pub(super) struct Fees {
    needs: Arc<Needs>,
    prices: Option<Prices>,
    /// Wei a gas and wei a byte of data, and when that was asked for.
    gas_price: Option<(u128, U256, Duration)>,
    /// By how many gwei entries that do not cover were topped up, and when that was asked for.
    added: BTreeMap<(ContractId, u64), (u64, Duration)>,
    /// Entries that were held back at last.
    held_back: BTreeSet<(ContractId, u64)>,
    /// Entries that the budget pays for, and how many wei.
    subsidized: BTreeMap<(ContractId, u64), U256>,
    /// Wei that is left of the day's budget.
    budget: U256,
    /// When the day began.
    day: Duration,
}

impl Fees {
    pub(super) fn new(needs: Arc<Needs>) -> Self {
        Self {
            budget: budget_of(&needs),
            day: needs.clock.monotonic(),
            needs,
            prices: None,
            gas_price: None,
            added: BTreeMap::new(),
            held_back: BTreeSet::new(),
            subsidized: BTreeMap::new(),
        }
    }

    /// Takes what does not cover its cost out of the queues: of a log everything from the first such
    /// entry on. Returns whether there was any.
    pub(super) async fn hold_back(&mut self, queues: &mut [Queue]) -> Result<bool, ChainError> {
        if self.needs.settings.fee_floor_percent == 0 || queues.is_empty() {
            return Ok(false);
        }
        let policy = self.policy().await?;
        let (mut held_back, mut subsidized) = (BTreeSet::new(), BTreeMap::new());
        let mut looked_at = BTreeSet::new();
        for queue in queues {
            let mut kept = Vec::with_capacity(queue.candidates.len());
            for candidate in core::mem::take(&mut queue.candidates) {
                let place = (queue.contract, candidate.entry.seq());
                looked_at.insert(place);
                let shortfall = self.shortfall(&policy, queue.contract, &candidate).await?;
                if shortfall.is_zero() || self.pays(place, shortfall) {
                    if !shortfall.is_zero() {
                        let paid = self.subsidized.get(&place).copied().unwrap_or_default();
                        subsidized.insert(place, shortfall.max(paid));
                    }
                    kept.push(candidate);
                    continue;
                }
                self.announce(place, shortfall);
                held_back.insert(place);
                if !queue.stateless {
                    break;
                }
            }
            queue.candidates = kept;
        }
        // Also of those that it makes cover: what a transaction may pay for them counts it.
        self.added.retain(|place, _| looked_at.contains(place));
        self.subsidized = subsidized;
        let found = !held_back.is_empty();
        self.needs.metrics.underpaid.set(held_back.len() as f64);
        self.held_back = held_back;
        Ok(found)
    }

    /// Most that a transaction with these results may pay per gas, wei: what their fees cover, and what the
    /// budget was found to pay for them. `None` if everything is landed at whatever price.
    pub(super) async fn most_per_gas(&mut self, batch: &Batch) -> Result<Option<u128>, ChainError> {
        if self.needs.settings.fee_floor_percent == 0 {
            return Ok(None);
        }
        let policy = self.policy().await?;
        let (mut entries, mut allowed) = (Vec::with_capacity(batch.len()), U256::ZERO);
        for group in &batch.groups {
            for item in &group.items {
                let place = (group.contract, item.entry.seq());
                let added = self.added.get(&place).map_or(0, |(added, _)| *added);
                entries.push(policy.ends(&item.entry, item.data.len() as u64, added));
                allowed += self.subsidized.get(&place).copied().unwrap_or_default();
            }
        }
        Ok(Some(policy.covered_price(&entries, allowed)))
    }

    async fn policy(&mut self) -> Result<Policy, ChainError> {
        let needs = Arc::clone(&self.needs);
        let prices = match self.prices {
            Some(prices) => prices,
            None => *self.prices.insert(needs.chain.prices().await?),
        };
        let clock = needs.clock.as_ref();
        let (gas_price, data_price) = match self.gas_price {
            Some((price, data, since)) if elapsed(clock, since) < PRICE_LASTS => (price, data),
            _ => {
                let price = needs.chain.gas_price().await?;
                let data = needs.chain.data_price().await?;
                self.gas_price = Some((price, data, clock.monotonic()));
                (price, data)
            }
        };
        if elapsed(clock, self.day) >= DAY {
            self.day = clock.monotonic();
            self.budget = budget_of(&needs);
        }
        Ok(Policy {
            prices,
            gas_price,
            data_price,
            percent: needs.settings.fee_floor_percent,
            now: clock.unix(),
        })
    }

    async fn shortfall(
        &mut self,
        policy: &Policy,
        contract: ContractId,
        candidate: &Candidate,
    ) -> Result<U256, ChainError> {
        let data = candidate.data.len() as u64;
        let alone = policy.shortfall(&candidate.entry, data, 0);
        if alone.is_zero() {
            return Ok(alone);
        }
        let place = (contract, candidate.entry.seq());
        let clock = self.needs.clock.as_ref();
        let added = match self.added.get(&place) {
            Some((added, since)) if elapsed(clock, *since) < LOOK_AGAIN => *added,
            _ => {
                let added = self.needs.chain.added(place.0, place.1).await?;
                self.added.insert(place, (added, clock.monotonic()));
                added
            }
        };
        Ok(policy.shortfall(&candidate.entry, data, added))
    }

    /// Whether the budget pays what an entry lacks.
    fn pays(&mut self, place: (ContractId, u64), shortfall: U256) -> bool {
        // What was granted before and is not spent yet counts.
        let granted = self.subsidized.get(&place).copied().unwrap_or_default();
        match self.budget.checked_sub(shortfall.saturating_sub(granted)) {
            Some(left) => {
                self.budget = left;
                if granted.is_zero() {
                    self.needs.metrics.subsidized.increment(1);
                }
                true
            }
            None => false,
        }
    }

    /// Says once that an entry is held back.
    fn announce(&self, (contract, seq): (ContractId, u64), shortfall: U256) {
        if self.held_back.contains(&(contract, seq)) {
            return;
        }
        let gwei = shortfall.div_ceil(U256::from(GWEI));
        warn!(%contract, seq, lacks_gwei = %gwei, "the fee does not cover: waiting for addFee or a lower base fee");
    }
}

fn budget_of(needs: &Needs) -> U256 {
    U256::from(needs.settings.subsidy_gwei_per_day) * U256::from(GWEI)
}

/// When to look again at entries whose fees did not cover.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(12);
/// How long the price of gas is taken to be what it was.
const PRICE_LASTS: Duration = Duration::from_secs(2);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
