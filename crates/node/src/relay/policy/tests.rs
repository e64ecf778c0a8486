// SPDX-License-Identifier: Apache-2.0
//! The shipped policy against requests of all kinds, hostile ones too: what a relay that follows it loses.

use alloy_primitives::{Address, B256};
use proptest::prelude::*;
use subrosa_types::{log::LogWord, price::with_reserve};

use super::*;
use crate::config::default_fee_floor_percent;

pub(super) const NOW: u64 = 1_800_000_000;
/// Seconds a block.
const BLOCK: u64 = 12;

/// A request, and what its consumer does when it is called.
#[derive(Clone, Debug)]
pub(super) struct Hostile {
    pub(super) output_limit: u64,
    /// Bytes that are landed of it.
    pub(super) output: u64,
    pub(super) callback_gas: u32,
    /// Of the callback's gas, per thousand.
    pub(super) burns: u32,
    pub(super) fails: bool,
    pub(super) cancelled: bool,
    /// Seconds after the block in which its result is chosen; it may be late when it is mined.
    pub(super) deadline: i64,
    pub(super) charge: bool,
    /// The base fee when it was asked for, in percent of what it is now, and how much more was paid.
    pub(super) asked_at: u32,
    pub(super) overpaid: u32,
}

pub(super) fn hostile() -> impl Strategy<Value = Hostile> {
    let callback = prop_oneof![Just(0u32), 1u32..50_000, Just(10_000_000)];
    let amounts = (0u64..4_000, 0u64..=100, callback, 0u32..=1_000);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let deadline = prop_oneof![Just(1_000_000i64), -100i64..100];
    (amounts, flags, deadline, 20u32..200, 0u32..50).prop_map(
        |(amounts, flags, deadline, asked_at, overpaid)| Hostile {
            output_limit: amounts.0,
            output: amounts.0 * amounts.1 / 100,
            callback_gas: amounts.2,
            burns: amounts.3,
            fails: flags.0,
            cancelled: flags.1,
            deadline,
            charge: flags.2,
            asked_at,
            overpaid,
        },
    )
}

/// The policy that contracts are registered with by the tools of this repository.
fn log(charge: bool) -> LogWord {
    LogWord {
        base_fee_sixteenths: 24,
        charge: if charge { 5 << 5 | 3 } else { 0 },
        ..LogWord::default()
    }
}

impl Hostile {
    /// The entry that the oracle makes of it.
    pub(super) fn entry(&self, base_fee: u128) -> Entry {
        let asked = Asked {
            output: self.output_limit,
            callback_gas: self.callback_gas.into(),
            ..Asked::default()
        };
        let then = base_fee * u128::from(self.asked_at) / 100;
        let parts = Prices::SHIPPED.parts(&log(self.charge), then, &asked);
        let landing = parts.landing.to::<u64>();
        let payment = Payment {
            landing: landing + landing * u64::from(self.overpaid) / 100,
            callback: parts.callback.to::<u64>(),
            charge: parts.charge.to::<u64>(),
            key_group: 1,
            key_epoch: 1,
            seq: 1,
        };
        let settlement = Settlement {
            requester: Address::ZERO,
            callback_gas_limit: self.callback_gas,
            flags: 0,
            deadline: NOW.saturating_add_signed(self.deadline),
        };
        Entry {
            contractId: B256::ZERO,
            previousDigest: B256::ZERO,
            context: B256::ZERO,
            inputHash: B256::ZERO,
            execution: U256::ZERO,
            settlement: settlement.pack(),
            payment: payment.pack(),
            refundTo: Address::ZERO,
        }
    }

    /// What the oracle credits for it, gwei, and what gas landing it takes, in a block at `now`.
    fn landed(&self, entry: &Entry, now: u64) -> (u64, u128) {
        let prices = Prices::SHIPPED;
        let payment = Payment::unpack(entry.payment);
        let late = now > Settlement::unpack(entry.settlement).deadline;
        let output = Asked {
            output: self.output,
            ..Asked::default()
        };
        let gas = prices.landing_gas(&output, false);
        if self.callback_gas == 0 || late || self.cancelled {
            let left = late && (self.callback_gas != 0 || payment.charge != 0);
            return (
                payment.landing,
                gas + if left { prices.record.into() } else { 0 },
            );
        }
        let limit = u128::from(self.callback_gas);
        let used = limit * u128::from(self.burns) / 1_000;
        let (paid, burned) = (
            with_reserve(limit) + u128::from(prices.callback),
            used + u128::from(prices.callback),
        );
        let gas = gas + burned;
        if !self.fails {
            return (payment.landing + payment.callback, gas);
        }
        let share = u128::from(payment.callback) * burned / paid;
        (
            payment.landing + share as u64,
            gas + u128::from(prices.record),
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Entries are chosen at one base fee and mined up to two blocks later, the base fee rising by an eighth
    /// a block, of 100 entries one transaction failing altogether.
    #[test]
    fn a_relay_loses_no_more_than_a_failed_transaction_and_the_rise_of_two_blocks(
        requests in proptest::collection::vec(hostile(), 100),
        base_fee in 1_000_000u128..100_000_000_000,
        blocks in 0u32..=2,
    ) {
        let policy = Policy {
            prices: Prices::SHIPPED,
            gas_price: base_fee,
            data_price: U256::ZERO,
            percent: default_fee_floor_percent(),
            now: NOW,
        };
        let risen = base_fee * 9u128.pow(blocks) / 8u128.pow(blocks);
        let (mut earned, mut spent, mut rise) = (U256::ZERO, U256::ZERO, U256::ZERO);
        for request in &requests {
            let entry = request.entry(base_fee);
            if !policy.shortfall(&entry, request.output, 0).is_zero() {
                continue;
            }
            let (gwei, gas) = request.landed(&entry, NOW + u64::from(blocks) * BLOCK);
            earned += U256::from(gwei) * U256::from(GWEI);
            spent += U256::from(gas) * U256::from(risen);
            rise += U256::from(gas) * U256::from(risen - base_fee);
        }
        // The shares of callbacks are rounded down to a gwei each.
        let rounding = U256::from(100) * U256::from(GWEI);
        let failed = U256::from(16_000_000) * U256::from(risen);
        prop_assert!(earned + rise + rounding + failed >= spent);
        // Nothing of that is due to what requesters do.
        prop_assert!(earned + rise + rounding >= spent, "{earned} {rise} {spent}");
    }

    /// Whoever pays what the oracle asks for now is served, at any price of gas.
    #[test]
    fn what_the_oracle_takes_covers_while_the_base_fee_stays(
        request in hostile(),
        base_fee in 1_000_000u128..100_000_000_000,
    ) {
        let policy = Policy {
            prices: Prices::SHIPPED,
            gas_price: base_fee,
            data_price: U256::ZERO,
            percent: default_fee_floor_percent(),
            now: NOW,
        };
        let request = Hostile { asked_at: 100, ..request };
        let entry = request.entry(base_fee);
        prop_assert!(policy.shortfall(&entry, request.output, 0).is_zero());
    }
}

#[test]
fn what_lacks_is_what_must_be_added() {
    let request = Hostile {
        output_limit: 0,
        output: 0,
        callback_gas: 100_000,
        burns: 0,
        fails: false,
        cancelled: false,
        deadline: 1_000,
        charge: false,
        asked_at: 50,
        overpaid: 0,
    };
    let policy = Policy {
        prices: Prices::SHIPPED,
        gas_price: 10_000_000_000,
        data_price: U256::ZERO,
        percent: 100,
        now: NOW,
    };
    let entry = request.entry(10_000_000_000);
    let lacks = policy.shortfall(&entry, 0, 0);
    assert!(!lacks.is_zero());
    let gwei = lacks.div_ceil(U256::from(GWEI)).to::<u64>();
    assert!(policy.shortfall(&entry, 0, gwei).is_zero());
    assert!(!policy.shortfall(&entry, 0, gwei - 1).is_zero());
    // Then all of it can be taken back, in front of the transaction that lands it.
    let long_after = Policy {
        now: NOW + 1_000 + RECLAIM_SECONDS + 1,
        ..policy
    };
    assert!(long_after.shortfall(&entry, 0, 0) > lacks);
    assert!(
        !long_after.shortfall(&entry, 0, gwei).is_zero(),
        "what was added can be taken back too"
    );
}
