// SPDX-License-Identifier: Apache-2.0
//! What transactions in flight will leave, should each do all that it says.
//!
//! Of one account, no transaction is mined before the one with the nonce below it. So once the fate
//! of a transaction is known, that of everything it built upon is known too: a promise is broken by
//! its own transaction alone, and takes with it what later ones built upon it.

use std::collections::{BTreeMap, BTreeSet};

use subrosa_types::{ContractId, result::Head};

use super::{batch::Batch, verdict::Verdict};

/// The transactions in flight, in the order in which they were sent.
#[derive(Debug, Default)]
pub(super) struct Promises {
    flights: Vec<Flight>,
    sent: u64,
}

/// One transaction in flight, by the order in which they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FlightId(u64);

#[derive(Debug)]
struct Flight {
    id: FlightId,
    /// Stateful contracts whose results it carries.
    contracts: BTreeMap<ContractId, Standing>,
    /// All results that it carries.
    items: BTreeSet<(ContractId, u64)>,
}

/// What a transaction in flight is expected to do to a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// To continue one head and leave another.
    Promised { start: Head, end: Head },
    /// To be passed over, as it continues a head that will not be.
    Void,
    /// The chain was reorganized since: one or the other.
    Unsure,
}

impl Promises {
    /// A batch is on its way.
    pub(super) fn make(&mut self, batch: &Batch) -> FlightId {
        self.sent += 1;
        let id = FlightId(self.sent);
        let stateful = batch.groups.iter().filter(|group| !group.stateless);
        let contracts = stateful.filter_map(|group| {
            let (first, last) = (group.items.first()?, group.items.last()?);
            let start = Head {
                seq: first.entry.seq(),
                commitment: first.previous_commitment,
            };
            let end = Head {
                seq: last.entry.seq() + 1,
                commitment: last.result.commitment,
            };
            Some((group.contract, Standing::Promised { start, end }))
        });
        self.flights.push(Flight {
            id,
            contracts: contracts.collect(),
            items: batch
                .results()
                .iter()
                .map(|result| (result.contract, result.seq))
                .collect(),
        });
        id
    }

    /// The last head that is promised of a contract.
    pub(super) fn head(&self, contract: ContractId) -> Option<Head> {
        let standings = self.flights.iter().rev();
        standings
            .filter_map(|flight| flight.contracts.get(&contract))
            .find_map(|standing| match standing {
                Standing::Promised { end, .. } => Some(*end),
                Standing::Void | Standing::Unsure => None,
            })
    }

    /// Whether it must be waited for what is in flight of a contract.
    pub(super) fn is_unsure(&self, contract: ContractId) -> bool {
        self.flights
            .iter()
            .any(|flight| flight.contracts.get(&contract) == Some(&Standing::Unsure))
    }

    /// Whether a transaction in flight carries a result.
    pub(super) fn carries(&self, contract: ContractId, seq: u64) -> bool {
        self.flights
            .iter()
            .any(|flight| flight.items.contains(&(contract, seq)))
    }

    /// Whether a transaction in flight is known to change nothing.
    pub(super) fn is_void(&self, id: FlightId) -> bool {
        let flight = self.flights.iter().find(|flight| flight.id == id);
        flight.is_some_and(|flight| {
            let is_void = |contract| flight.contracts.get(contract) == Some(&Standing::Void);
            flight.items.iter().all(|(contract, _)| is_void(contract))
        })
    }

    /// How many results are in flight.
    pub(super) fn carried(&self) -> usize {
        self.flights.iter().map(|flight| flight.items.len()).sum()
    }

    /// The fate of a transaction is known: what its events say, or `None` if it did nothing.
    /// Returns the contracts whose heads are in question now: their promises were broken.
    pub(super) fn settle(
        &mut self,
        id: FlightId,
        verdict: Option<&Verdict>,
    ) -> BTreeSet<ContractId> {
        let Some(index) = self.flights.iter().position(|flight| flight.id == id) else {
            return BTreeSet::new();
        };
        let flight = self.flights.remove(index);
        let left = |contract: &ContractId| verdict?.heads.get(contract).copied();
        let contracts = flight.contracts.into_iter();
        let broken = contracts.filter(|(contract, standing)| match standing {
            Standing::Promised { end, .. } => left(contract) != Some(*end),
            Standing::Unsure => true,
            Standing::Void => false,
        });
        broken.map(|(contract, _)| contract).collect()
    }

    /// After a broken promise, a contract's head is this: what does not continue it will be passed
    /// over. `None` if the head is not known.
    pub(super) fn void(&mut self, contract: ContractId, head: Option<Head>) {
        // The oracle passes over the items of a group that are executed already, and takes the rest.
        let mut reached = head.map_or(0, |head| head.seq);
        for flight in &mut self.flights {
            let Some(standing) = flight.contracts.get_mut(&contract) else {
                continue;
            };
            if let Standing::Promised { start, end } = standing {
                if head.is_some() && start.seq <= reached {
                    reached = reached.max(end.seq);
                } else {
                    *standing = Standing::Void;
                }
            }
        }
    }

    /// The chain was reorganized: what is in flight may or may not still fit.
    pub(super) fn doubt(&mut self) {
        for flight in &mut self.flights {
            for standing in flight.contracts.values_mut() {
                *standing = Standing::Unsure;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, U256};
    use proptest::prelude::*;
    use subrosa_types::{abi::Entry, result::ResultWord};

    use super::*;
    use crate::relay::batch::{Candidate, Group};

    const CONTRACT: ContractId = B256::repeat_byte(1);

    fn commitment(seq: u64) -> B256 {
        let mut word = B256::repeat_byte(seq as u8 + 1);
        word.0[26..].fill(0);
        word
    }

    fn head(seq: u64) -> Head {
        Head {
            seq,
            commitment: commitment(seq),
        }
    }

    fn batch(seqs: std::ops::Range<u64>) -> Batch {
        let item = |seq: u64| Candidate {
            entry: Entry {
                contractId: CONTRACT,
                previousDigest: B256::ZERO,
                context: B256::ZERO,
                inputHash: B256::ZERO,
                execution: U256::ZERO,
                settlement: U256::ZERO,
                payment: U256::from(seq),
                refundTo: Address::ZERO,
            },
            previous_commitment: commitment(seq),
            result: ResultWord {
                commitment: commitment(seq + 1),
                status: 1,
                fuel_bucket: 0,
                has_logs: false,
                output_length: 0,
            },
            data: Default::default(),
        };
        Batch {
            groups: vec![Group {
                contract: CONTRACT,
                stateless: false,
                items: seqs.map(item).collect(),
            }],
            ..Batch::default()
        }
    }

    fn verdict(seqs: std::ops::Range<u64>) -> Verdict {
        Verdict {
            heads: [(CONTRACT, head(seqs.end))].into(),
            fulfilled: seqs.map(|seq| (CONTRACT, seq)).collect(),
        }
    }

    #[test]
    fn each_promise_continues_the_last_until_it_is_kept() {
        let mut promises = Promises::default();
        let first = promises.make(&batch(4..6));
        promises.make(&batch(6..9));
        assert_eq!(promises.head(CONTRACT), Some(head(9)));
        assert!(promises.carries(CONTRACT, 5) && promises.carries(CONTRACT, 6));
        assert!(promises.settle(first, Some(&verdict(4..6))).is_empty());
        assert_eq!(promises.head(CONTRACT), Some(head(9)));
        assert!(!promises.carries(CONTRACT, 5));
        assert_eq!(promises.carried(), 3);
    }

    #[test]
    fn a_broken_promise_takes_those_built_upon_it_along() {
        for outcome in [None, Some(verdict(4..5))] {
            let mut promises = Promises::default();
            let first = promises.make(&batch(4..6));
            let second = promises.make(&batch(6..9));
            let third = promises.make(&batch(9..10));
            let broken = promises.settle(first, outcome.as_ref());
            assert_eq!(broken, [CONTRACT].into());
            let at = if outcome.is_some() { 5 } else { 4 };
            promises.void(CONTRACT, Some(head(at)));
            assert_eq!(promises.head(CONTRACT), None);
            // What is sent again is a promise of its own, and outlives those that are void.
            let again = promises.make(&batch(at..10));
            assert!(promises.settle(second, None).is_empty());
            assert!(promises.settle(third, None).is_empty());
            assert_eq!(promises.head(CONTRACT), Some(head(10)));
            let kept = promises.settle(again, Some(&verdict(at..10)));
            assert!(kept.is_empty());
        }
    }

    #[test]
    fn what_somebody_else_did_breaks_no_more_than_it_must() {
        let mut promises = Promises::default();
        let first = promises.make(&batch(4..6));
        promises.make(&batch(6..9));
        promises.make(&batch(9..10));
        assert_eq!(promises.settle(first, None), [CONTRACT].into());
        promises.void(CONTRACT, Some(head(7)));
        assert_eq!(promises.head(CONTRACT), Some(head(10)));
        promises.void(CONTRACT, None);
        assert_eq!(promises.head(CONTRACT), None);
    }

    #[test]
    fn a_reorganization_makes_everything_unsure_until_it_is_mined() {
        let mut promises = Promises::default();
        let flight = promises.make(&batch(4..6));
        promises.doubt();
        assert_eq!(promises.head(CONTRACT), None);
        assert!(promises.is_unsure(CONTRACT));
        let questioned = promises.settle(flight, Some(&verdict(4..6)));
        assert_eq!(questioned, [CONTRACT].into());
        assert!(!promises.is_unsure(CONTRACT));
    }

    proptest! {
        /// However transactions end, what is promised at last is what their chain leaves.
        #[test]
        fn promises_agree_with_a_chain_that_compares_heads(
            sizes in proptest::collection::vec((1u64..5, 0u8..4), 1..12),
        ) {
            let (mut promises, mut flights) = (Promises::default(), Vec::new());
            let (mut end, mut on_chain) = (0, 0);
            for (size, fate) in sizes {
                flights.push((promises.make(&batch(end..end + size)), end, end + size, fate));
                end += size;
            }
            for (id, start, end, fate) in flights {
                // A quarter of the transactions revert; the oracle skips what does not continue.
                let applies = fate > 0 && start == on_chain;
                if applies {
                    on_chain = end;
                }
                let outcome = applies.then(|| verdict(start..end));
                for contract in promises.settle(id, outcome.as_ref()) {
                    promises.void(contract, Some(head(on_chain)));
                }
                let promised = promises.head(CONTRACT);
                let continues = promised.is_none_or(|promised| promised.seq > on_chain);
                prop_assert!(continues, "{promised:?} at {on_chain}");
            }
            prop_assert_eq!(promises.carried(), 0);
        }
    }
}
