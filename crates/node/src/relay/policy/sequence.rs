// SPDX-License-Identifier: Apache-2.0
//! A thousand requests of all kinds on a chain whose base fee moves by up to an eighth a block: what a relay loses
//! that follows the shipped policy, block by block, its transactions waiting while they may not pay what is asked.
//!
//! What gas landing takes is measured: `contracts/snapshots/Gas.json`, of whole mined transactions.

use proptest::prelude::*;

use super::{
    tests::{Hostile, NOW, hostile},
    *,
};
use crate::config::default_fee_floor_percent;

const ENTRIES: usize = 1_000;
/// Results in one transaction.
const MOST: usize = 16;
/// Blocks after which a transaction that may not pay what is asked is given up: two minutes.
const GIVEN_UP_AFTER: u64 = 10;
/// Gas of the transfer that uses its nonce up.
const TRANSFER: u64 = 21_000;
const BLOCK: u64 = 12;

/// What happens in one block.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// By how much the base fee moves, in thousandths: 125 is an eighth.
    moves: i32,
    /// Whether there is room for the relay's transaction, if it pays enough.
    has_room: bool,
    /// Whether a transaction that is mined in it fails altogether.
    fails: bool,
    /// How many gwei somebody adds to each entry that is held back.
    added: u64,
}

fn blocks() -> impl Strategy<Value = Vec<Block>> {
    // Runs of full blocks, as when everybody wants in, and calmer ones. Where blocks are full there is rarely room.
    let run = (any::<bool>(), 1usize..12, -125i32..=125, 0u64..200_000);
    let run = run.prop_flat_map(|(full, length, calm, added)| {
        let block = (0u8..4, 0u8..100).prop_map(move |(room, fate)| Block {
            moves: if full { 125 } else { calm.min(60) },
            has_room: room == 0 || !full,
            fails: fate == 0,
            added: if fate < 10 { added } else { 0 },
        });
        proptest::collection::vec(block, length)
    });
    proptest::collection::vec(run, 60).prop_map(|runs| runs.concat())
}

/// Gas that landing takes, as measured.
struct Measured {
    /// Of a transaction, before its entries.
    transaction: u64,
    /// Of an entry: one slot of its own consumer's included.
    entry: u64,
}

impl Measured {
    fn read() -> Self {
        let figures = include_str!("../../../../../contracts/snapshots/Gas.json");
        let figure = |name: &str| -> u64 {
            let (_, rest) = figures.split_once(&format!("\"{name}\": ")).unwrap();
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap()
        };
        let (single, of_16) = (
            figure("fulfill_single"),
            figure("fulfill_batch16_distinct_each"),
        );
        let entry = (16 * of_16 - single) / 15;
        Self {
            transaction: single - entry,
            entry,
        }
    }
}

/// An entry on the log.
#[derive(Clone)]
struct Pending {
    request: Hostile,
    entry: Entry,
    added: u64,
}

/// A transaction that waits to be mined.
struct Sent {
    entries: Vec<Pending>,
    most: u128,
    since: u64,
}

#[derive(Debug, Default)]
struct Books {
    earned: U256,
    spent: U256,
    /// On transactions that failed altogether, or were given up.
    vain: U256,
    /// By how much single transactions cost more than they earned; what others earn makes up for nothing.
    lost: U256,
    /// Of that what two blocks' rise of the base fee does not explain.
    unexplained: U256,
    landed: usize,
    failed: usize,
    given_up: usize,
}

impl Pending {
    /// What the oracle credits for it, gwei, and what gas landing it took.
    fn landed(&self, now: u64, measured: &Measured) -> (u64, u64) {
        let payment = Payment::unpack(self.entry.payment);
        let late = now > Settlement::unpack(self.entry.settlement).deadline;
        let landing = payment.landing + self.added;
        let limit = u64::from(self.request.callback_gas);
        let mut gas = measured.entry + 40 * self.request.output;
        if limit == 0 || late || self.request.cancelled {
            // What was measured made a callback.
            gas -= u64::from(Prices::SHIPPED.callback);
            let recorded = late && (limit != 0 || payment.charge != 0);
            let record = if recorded { Prices::SHIPPED.record } else { 0 };
            return (landing, gas + u64::from(record));
        }
        let burned = limit * u64::from(self.request.burns) / 1_000;
        if !self.request.fails {
            return (landing + payment.callback, gas + burned);
        }
        let overhead = u64::from(Prices::SHIPPED.callback);
        let paid = subrosa_types::price::with_reserve(limit.into()) as u64 + overhead;
        let share = u128::from(payment.callback) * u128::from(burned + overhead) / u128::from(paid);
        let gas = gas + burned + u64::from(Prices::SHIPPED.record);
        (landing + share as u64, gas)
    }
}

/// Lands everything that can be landed in these blocks, with or without a limit on what transactions pay.
fn run(requests: &[Hostile], blocks: &[Block], capped: bool) -> Books {
    let measured = Measured::read();
    let mut base_fee = 10_000_000_000u128;
    let (mut now, mut books) = (NOW, Books::default());
    let (mut waiting, mut sent): (Vec<Pending>, Option<Sent>) = (Vec::new(), None);
    let mut arriving = requests.iter().cloned();
    // The base fees of this block and those before.
    let mut history = vec![base_fee];
    for (number, block) in (0u64..).zip(blocks.iter().cycle().take(blocks.len() * 3)) {
        let arrived = arriving.by_ref().take(8).map(|request| {
            let mut entry = request.entry(base_fee);
            let settlement = Settlement::unpack(entry.settlement);
            let deadline = now.saturating_add_signed(request.deadline);
            entry.settlement = Settlement {
                deadline,
                ..settlement
            }
            .pack();
            Pending {
                request,
                entry,
                added: 0,
            }
        });
        waiting.extend(arrived);
        for pending in &mut waiting {
            pending.added += block.added;
        }
        if sent.is_none() {
            sent = choose(&mut waiting, base_fee, now, number, capped);
        }
        now += BLOCK;
        let thousandths = u128::try_from(1_000 + block.moves).unwrap();
        base_fee = (base_fee * thousandths / 1_000).clamp(1_000_000_000, 300_000_000_000);
        history.push(base_fee);
        let Some(transaction) = sent.take() else {
            continue;
        };
        if base_fee > transaction.most || !block.has_room {
            if number - transaction.since < GIVEN_UP_AFTER || base_fee <= transaction.most {
                sent = Some(transaction);
                continue;
            }
            books.given_up += 1;
            books.vain += U256::from(TRANSFER) * U256::from(base_fee);
            waiting.extend(transaction.entries);
            continue;
        }
        let mut gas = measured.transaction;
        let mut earned = 0;
        for pending in &transaction.entries {
            let (gwei, of_entry) = pending.landed(now, &measured);
            gas += of_entry;
            earned += gwei;
        }
        let cost = U256::from(gas) * U256::from(base_fee);
        if block.fails {
            books.failed += 1;
            books.vain += cost;
            waiting.extend(transaction.entries);
            continue;
        }
        let two_before = history[history.len().saturating_sub(3)];
        let rise = U256::from(gas) * U256::from(base_fee.saturating_sub(two_before));
        let earned = U256::from(earned) * U256::from(GWEI);
        // Shares of callbacks are rounded down to a gwei each.
        let rounding = U256::from(transaction.entries.len()) * U256::from(GWEI);
        let lost = cost.saturating_sub(earned + rounding);
        books.lost += lost;
        books.unexplained += lost.saturating_sub(rise);
        books.spent += cost;
        books.earned += earned;
        books.landed += transaction.entries.len();
    }
    books
}

/// What is chosen in a block, and what it may pay.
fn choose(
    waiting: &mut Vec<Pending>,
    base_fee: u128,
    now: u64,
    number: u64,
    capped: bool,
) -> Option<Sent> {
    let policy = Policy {
        prices: Prices::SHIPPED,
        gas_price: base_fee,
        data_price: U256::ZERO,
        percent: default_fee_floor_percent(),
        now,
    };
    let (mut entries, mut held) = (Vec::new(), Vec::new());
    for pending in waiting.drain(..) {
        let lacks = policy.shortfall(&pending.entry, pending.request.output, pending.added);
        if lacks.is_zero() && entries.len() < MOST {
            entries.push(pending);
        } else {
            held.push(pending);
        }
    }
    *waiting = held;
    if entries.is_empty() {
        return None;
    }
    let ends: Vec<_> = entries
        .iter()
        .map(|pending| policy.ends(&pending.entry, pending.request.output, pending.added))
        .collect();
    let most = if capped {
        policy.covered_price(&ends, U256::ZERO)
    } else {
        u128::MAX
    };
    Some(Sent {
        entries,
        most,
        since: number,
    })
}

impl Books {
    /// Whether no more was lost on any transaction that landed than two blocks' rise of the base fee.
    fn are_kept(&self) -> bool {
        self.unexplained.is_zero()
    }
}

fn requests() -> impl Strategy<Value = Vec<Hostile>> {
    // Most of them asked when their fee, one and a half times the base fee's, was to cover just so, and burn all that
    // they are given; and others of every kind.
    let wild = (hostile(), 0u8..8, 67u32..75).prop_map(|(request, kind, asked_at)| match kind {
        0 => request,
        1 => Hostile {
            asked_at: 100,
            overpaid: 0,
            ..request
        },
        _ => Hostile {
            output_limit: request.output,
            burns: 1_000,
            fails: kind % 2 == 0,
            asked_at,
            overpaid: 0,
            ..request
        },
    });
    proptest::collection::vec(wild, ENTRIES)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Besides what failed altogether, which earns nothing whoever sent it, and a transfer for each transaction
    /// that was given up.
    #[test]
    fn over_a_thousand_entries_a_relay_loses_no_more_than_two_blocks_rise(
        requests in requests(),
        blocks in blocks(),
    ) {
        let books = run(&requests, &blocks, true);
        prop_assert!(books.landed > ENTRIES / 4, "{books:?}");
        prop_assert!(books.are_kept(), "{books:?}");
        // What is given up costs less than the one failed transaction that each hundred may have.
        let transfers = u64::try_from(books.given_up).unwrap() * TRANSFER;
        prop_assert!(transfers <= 10 * 16_000_000, "{books:?}");
    }
}

/// The test of the test: the same requests on the same chain, with transactions that pay whatever is asked.
#[test]
fn without_a_limit_on_what_transactions_pay_the_relay_loses() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut lost = 0;
    for _ in 0..16 {
        let requests = requests().new_tree(&mut runner).unwrap().current();
        let blocks = blocks().new_tree(&mut runner).unwrap().current();
        let books = run(&requests, &blocks, true);
        assert!(books.are_kept(), "{books:?}");
        if !run(&requests, &blocks, false).are_kept() {
            lost += 1;
        }
    }
    assert!(lost >= 8, "{lost} of 16");
}
