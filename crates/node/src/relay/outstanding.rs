// SPDX-License-Identifier: Apache-2.0
//! What the oracle does not have yet: the stored results held against its head.
//!
//! The chain is the source of truth. Whatever a killed host had sent, signed or noted down, what
//! to send next follows from the oracle's head and the stored results alone; sending something
//! twice is harmless, because the oracle's compare-and-swap takes it once.

use alloy_primitives::{B256, Bytes};
use subrosa_store::{EntryRecord, ResultRecord};
use subrosa_types::result::{Head, ResultWord};

use super::batch::Candidate;

/// Pairs a stateful contract's results from `head.seq` on with their entries: a chain that
/// continues `head`, as far as both are there.
///
/// # Errors
///
/// [`Mismatch`] if the first result continues another head: one of the two views is of a chain
/// that is not any more.
pub(super) fn outstanding(
    head: Head,
    entries: Vec<EntryRecord>,
    results: Vec<ResultRecord>,
) -> Result<Vec<Candidate>, Mismatch> {
    let mut before = head;
    let mut candidates = Vec::with_capacity(results.len());
    for (entry, result) in entries.into_iter().zip(results) {
        let continues = entry.logged.entry.seq() == before.seq
            && result.seq == before.seq
            && is_alike(result.previous_commitment, before.commitment);
        if !continues {
            if candidates.is_empty() {
                return Err(Mismatch {
                    seq: before.seq,
                    found: result.seq,
                });
            }
            break;
        }
        before = Head {
            seq: result.seq + 1,
            commitment: result.commitment,
        };
        candidates.push(candidate(entry, result));
    }
    Ok(candidates)
}

/// Whether two commitments have the same first 160 bits, which is what events tell: of an entry that another
/// landed in a transaction that cannot be read, no more is known once the head has moved on, and a reorganization
/// can make it the head again.
fn is_alike(a: B256, b: B256) -> bool {
    a[..20] == b[..20]
}

/// The item that one entry and its result make.
pub(super) fn candidate(entry: EntryRecord, result: ResultRecord) -> Candidate {
    let has_logs = !result.sealed_logs_hash.is_zero();
    let word = ResultWord {
        commitment: result.commitment,
        status: result.status as u8,
        fuel_bucket: result.fuel_bucket,
        has_logs,
        // Output is bounded by the frame, far below 2^31.
        output_length: result.output.len() as u32,
    };
    let data: Bytes = if result.sealed_output.is_empty() && !has_logs {
        result.output
    } else {
        let logs = if has_logs {
            result.sealed_logs_hash.as_slice()
        } else {
            &[]
        };
        [&result.output, &result.sealed_output, logs]
            .concat()
            .into()
    };
    Candidate {
        entry: entry.logged.entry,
        previous_commitment: result.previous_commitment,
        result: word,
        data,
    }
}

/// The stored results do not continue the head that the chain is thought to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stored result {found} does not continue a head of {seq} executed entries")]
pub(super) struct Mismatch {
    /// Executed entries, according to the head.
    pub(super) seq: u64,
    /// The first stored result.
    pub(super) found: u64,
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, U256, keccak256};
    use proptest::prelude::*;
    use subrosa_types::{abi::Entry, frame::LoggedEntry, result::Status};

    use super::*;

    fn commitment(seq: u64) -> B256 {
        if seq == 0 {
            return B256::ZERO;
        }
        let mut word = keccak256(seq.to_be_bytes());
        word.0[26..].fill(0);
        word
    }

    fn entry(seq: u64) -> EntryRecord {
        let entry = Entry {
            contractId: B256::repeat_byte(1),
            previousDigest: B256::ZERO,
            context: B256::ZERO,
            inputHash: B256::ZERO,
            execution: U256::ZERO,
            settlement: U256::ZERO,
            payment: U256::from(seq),
            refundTo: Address::ZERO,
        };
        EntryRecord {
            logged: LoggedEntry {
                entry,
                input: Bytes::new(),
            },
            block_number: seq,
            block_hash: B256::ZERO,
            tx_hash: B256::ZERO,
        }
    }

    fn result(seq: u64) -> ResultRecord {
        ResultRecord {
            seq,
            digest: B256::ZERO,
            status: Status::Succeeded,
            fuel_bucket: 3,
            previous_commitment: commitment(seq),
            commitment: commitment(seq + 1),
            result_hash: B256::ZERO,
            output: Bytes::from_static(b"out"),
            sealed_output: Bytes::from_static(b"sealed"),
            sealed_logs_hash: B256::ZERO,
        }
    }

    fn head(seq: u64) -> Head {
        Head {
            seq,
            commitment: commitment(seq),
        }
    }

    #[test]
    fn the_data_of_an_item_is_the_public_then_the_sealed_output() {
        let item = candidate(entry(0), result(0));
        assert_eq!(item.data, Bytes::from_static(b"outsealed"));
        let word = ResultWord {
            commitment: commitment(1),
            status: 1,
            fuel_bucket: 3,
            has_logs: false,
            output_length: 3,
        };
        assert_eq!(item.result, word);
        let logged = ResultRecord {
            sealed_logs_hash: B256::repeat_byte(6),
            ..result(0)
        };
        let item = candidate(entry(0), logged);
        let (output, sealed, logs) = item.result.split(&item.data).unwrap();
        assert_eq!((output, sealed), (&b"out"[..], &b"sealed"[..]));
        assert_eq!(logs, B256::repeat_byte(6));
    }

    #[test]
    fn another_commitment_under_the_same_number_is_a_mismatch() {
        let forked = Head {
            seq: 4,
            commitment: B256::repeat_byte(9),
        };
        let outcome = outstanding(forked, vec![entry(4)], vec![result(4)]);
        assert_eq!(outcome, Err(Mismatch { seq: 4, found: 4 }));
    }

    proptest! {
        /// Whatever the chain's head is when a host comes back, everything from there to the last
        /// stored result is sent, and nothing before.
        #[test]
        fn what_is_sent_continues_the_head_to_the_last_stored_result(
            at in 0u64..50, entries in 0u64..40, results in 0u64..40,
        ) {
            let entries: Vec<_> = (at..at + entries).map(entry).collect();
            let results: Vec<_> = (at..at + results).map(result).collect();
            let expected = entries.len().min(results.len());
            let candidates = outstanding(head(at), entries, results).unwrap();
            prop_assert_eq!(candidates.len(), expected);
            let mut before = head(at);
            for candidate in candidates {
                prop_assert_eq!(candidate.entry.seq(), before.seq);
                prop_assert_eq!(candidate.previous_commitment, before.commitment);
                let commitment = candidate.result.commitment;
                before = Head { seq: before.seq + 1, commitment };
            }
        }

        /// A gap or a break in what is stored is never sent across.
        #[test]
        fn a_broken_chain_is_sent_up_to_the_break(length in 2u64..20, at in 1u64..19) {
            prop_assume!(at < length);
            let entries: Vec<_> = (0..length).map(entry).collect();
            let mut results: Vec<_> = (0..length).map(result).collect();
            results[at as usize].previous_commitment = B256::repeat_byte(9);
            let candidates = outstanding(head(0), entries, results).unwrap();
            prop_assert_eq!(candidates.len() as u64, at);
        }
    }
}
