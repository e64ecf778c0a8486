// SPDX-License-Identifier: Apache-2.0
//! What a mined `fulfill` did, read from its events.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use subrosa_chain::follow::OracleEvent;
use subrosa_types::{ContractId, result::Head};

use super::batch::Batch;

/// What to believe after a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Items that this transaction fulfilled.
    pub(super) fulfilled: BTreeSet<(ContractId, u64)>,
    /// Heads of stateful contracts that moved.
    pub(super) heads: BTreeMap<ContractId, Head>,
}

/// Reads the events of the transaction that carried `batch`.
///
/// Of what was passed over, or not reached for lack of gas, nothing is read: a head that is not the
/// promised one says it.
pub(super) fn judge(batch: &Batch, events: &[OracleEvent]) -> Verdict {
    let mut verdict = Verdict::default();
    let alone: BTreeSet<ContractId> = batch
        .groups
        .iter()
        .filter(|group| group.stateless)
        .map(|group| group.contract)
        .collect();
    let sent: BTreeMap<(ContractId, u64), B256> = batch
        .groups
        .iter()
        .flat_map(|group| {
            let items = group.items.iter();
            items.map(|item| ((group.contract, item.entry.seq()), item.result.commitment))
        })
        .collect();
    for event in events {
        let OracleEvent::EntryFulfilled {
            contract, outcome, ..
        } = *event
        else {
            continue;
        };
        // The event has the commitment's first bits; what was sent has all of them.
        let place = (contract, outcome.seq);
        let Some(commitment) = sent.get(&place).filter(|known| outcome.begins(**known)) else {
            continue;
        };
        verdict.fulfilled.insert(place);
        if !alone.contains(&contract) {
            let head = Head {
                seq: outcome.seq + 1,
                commitment: *commitment,
            };
            verdict.heads.insert(contract, head);
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, U256};
    use subrosa_types::{
        abi::Entry,
        result::{LoggedResult, ResultWord},
    };

    use super::*;
    use crate::relay::batch::{Candidate, Group};

    fn contract(byte: u8) -> ContractId {
        B256::repeat_byte(byte)
    }

    fn commitment(seq: u64) -> B256 {
        let mut word = B256::repeat_byte(seq as u8 + 1);
        word.0[26..].fill(0);
        word
    }

    fn word(seq: u64) -> ResultWord {
        ResultWord {
            commitment: commitment(seq + 1),
            status: 1,
            fuel_bucket: 0,
            has_logs: false,
            output_length: 0,
        }
    }

    fn batch(groups: &[(u8, std::ops::Range<u64>)]) -> Batch {
        let item = |byte: u8, seq: u64| Candidate {
            entry: Entry {
                contractId: contract(byte),
                previousDigest: B256::ZERO,
                context: B256::ZERO,
                inputHash: B256::ZERO,
                execution: U256::ZERO,
                settlement: U256::ZERO,
                payment: U256::from(seq),
                refundTo: Address::ZERO,
            },
            previous_commitment: commitment(seq),
            result: word(seq),
            data: Default::default(),
        };
        Batch {
            groups: groups
                .iter()
                .map(|(byte, seqs)| Group {
                    contract: contract(*byte),
                    stateless: false,
                    items: seqs.clone().map(|seq| item(*byte, seq)).collect(),
                })
                .collect(),
            ..Batch::default()
        }
    }

    fn fulfilled(byte: u8, seq: u64) -> OracleEvent {
        OracleEvent::EntryFulfilled {
            contract: contract(byte),
            outcome: LoggedResult {
                result: word(seq),
                seq,
            },
            data: Default::default(),
        }
    }

    #[test]
    fn a_batch_that_was_taken_moves_every_head() {
        let events = [fulfilled(1, 4), fulfilled(1, 5), fulfilled(2, 0)];
        let verdict = judge(&batch(&[(1, 4..6), (2, 0..1)]), &events);
        assert_eq!(verdict.fulfilled.len(), 3);
        let head = |seq| Head {
            seq,
            commitment: commitment(seq),
        };
        assert_eq!(
            verdict.heads,
            [(contract(1), head(6)), (contract(2), head(1))].into()
        );
    }

    #[test]
    fn what_was_passed_over_leaves_the_head_where_it_was() {
        let skipped = OracleEvent::ItemsSkipped {
            contract: contract(1),
            seq: 4,
            reason: 2,
        };
        let verdict = judge(&batch(&[(1, 4..6), (2, 0..1)]), &[skipped, fulfilled(2, 0)]);
        assert!(!verdict.heads.contains_key(&contract(1)));
        assert_eq!(verdict.fulfilled, [(contract(2), 0)].into());
    }

    #[test]
    fn what_others_fulfilled_in_the_same_transaction_is_not_ours() {
        let verdict = judge(&batch(&[(1, 4..5)]), &[fulfilled(1, 4), fulfilled(3, 9)]);
        assert_eq!(verdict.fulfilled, [(contract(1), 4)].into());
    }
}
