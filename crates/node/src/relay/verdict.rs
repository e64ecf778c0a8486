// SPDX-License-Identifier: Apache-2.0
//! What a mined `fulfill` did, read from its events.

use std::collections::{BTreeMap, BTreeSet};

use subrosa_chain::follow::OracleEvent;
use subrosa_types::{
    ContractId,
    result::{Head, unpack_result},
};

use super::batch::Batch;

/// What to believe after a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Items that this transaction fulfilled.
    pub(super) fulfilled: BTreeSet<(ContractId, u64)>,
    /// Heads of stateful contracts that moved.
    pub(super) heads: BTreeMap<ContractId, Head>,
    /// Contracts of which an item was passed over, for another reason than lack of gas: their
    /// heads must be read from the chain.
    pub(super) doubtful: BTreeSet<ContractId>,
    /// Whether gas ran low.
    pub(super) ended: bool,
}

/// Reads the events of the transaction that carried `batch`.
///
/// An item of which there is no event at all makes its contract doubtful, unless the batch ended
/// for lack of gas.
pub(super) fn judge(batch: &Batch, events: &[OracleEvent]) -> Verdict {
    let mut verdict = Verdict::default();
    for event in events {
        match *event {
            OracleEvent::EntryFulfilled {
                contract,
                seq,
                result,
                ..
            } => {
                verdict.fulfilled.insert((contract, seq));
                let (commitment, ..) = unpack_result(result);
                let head = Head {
                    seq: seq + 1,
                    commitment,
                };
                verdict.heads.insert(contract, head);
            }
            OracleEvent::ItemsSkipped { contract, .. } => {
                verdict.doubtful.insert(contract);
            }
            OracleEvent::BatchEnded { .. } => verdict.ended = true,
            _ => {}
        }
    }
    let sent = batch.results();
    verdict.fulfilled.retain(|(contract, seq)| {
        sent.iter()
            .any(|result| result.contract == *contract && result.seq == *seq)
    });
    if !verdict.ended {
        let missing = sent
            .iter()
            .filter(|result| !verdict.fulfilled.contains(&(result.contract, result.seq)));
        verdict
            .doubtful
            .extend(missing.map(|result| result.contract));
    }
    verdict
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{B256, U256, aliases::U48};
    use subrosa_types::{abi::Entry, result::pack_result};

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

    fn batch(groups: &[(u8, std::ops::Range<u64>)]) -> Batch {
        let item = |byte: u8, seq: u64| Candidate {
            entry: Entry {
                contractId: contract(byte),
                seq: U48::from(seq),
                previousDigest: B256::ZERO,
                context: B256::ZERO,
                inputHash: B256::ZERO,
                execution: U256::ZERO,
                settlement: U256::ZERO,
                payment: U256::ZERO,
            },
            previous_commitment: commitment(seq),
            result: U256::ZERO,
            data: Default::default(),
        };
        Batch {
            groups: groups
                .iter()
                .map(|(byte, seqs)| Group {
                    contract: contract(*byte),
                    items: seqs.clone().map(|seq| item(*byte, seq)).collect(),
                })
                .collect(),
            gas: 0,
        }
    }

    const ENDED: OracleEvent = OracleEvent::BatchEnded {
        contract: B256::ZERO,
        seq: 0,
        required_gas: U256::ZERO,
    };

    fn fulfilled(byte: u8, seq: u64) -> OracleEvent {
        OracleEvent::EntryFulfilled {
            contract: contract(byte),
            seq,
            result: pack_result(commitment(seq + 1), 1, 0, 0),
            data: Default::default(),
        }
    }

    #[test]
    fn a_batch_that_was_taken_moves_every_head() {
        let events = [fulfilled(1, 4), fulfilled(1, 5), fulfilled(2, 0)];
        let verdict = judge(&batch(&[(1, 4..6), (2, 0..1)]), &events);
        assert_eq!(verdict.fulfilled.len(), 3);
        assert!(verdict.doubtful.is_empty());
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
    fn skipped_items_make_only_their_contract_doubtful() {
        let skipped = OracleEvent::ItemsSkipped {
            contract: contract(1),
            seq: 4,
            reason: 2,
        };
        let verdict = judge(&batch(&[(1, 4..6), (2, 0..1)]), &[skipped, fulfilled(2, 0)]);
        assert_eq!(verdict.doubtful, [contract(1)].into());
        assert_eq!(verdict.fulfilled, [(contract(2), 0)].into());
    }

    #[test]
    fn silence_is_doubt_but_not_when_gas_ran_low() {
        let sent = batch(&[(1, 4..6)]);
        assert_eq!(
            judge(&sent, &[fulfilled(1, 4)]).doubtful,
            [contract(1)].into()
        );
        let verdict = judge(&sent, &[fulfilled(1, 4), ENDED]);
        assert!(verdict.ended && verdict.doubtful.is_empty());
    }

    #[test]
    fn what_others_fulfilled_in_the_same_transaction_is_not_ours() {
        let verdict = judge(&batch(&[(1, 4..5)]), &[fulfilled(1, 4), fulfilled(3, 9)]);
        assert_eq!(verdict.fulfilled, [(contract(1), 4)].into());
    }
}
