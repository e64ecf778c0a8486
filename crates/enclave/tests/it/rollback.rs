// SPDX-License-Identifier: Apache-2.0
//! Restarted, cloned and rolled-back enclaves: one history only.

use alloy_primitives::Bytes;
use proptest::prelude::*;
use subrosa_crypto::{RecipientKey, Suite};
use subrosa_types::{
    ContractId,
    frame::{
        BlobKind, ErrorCode, ExecutedEntry, LoggedEntry, Request, Response, ResultRef, StateBlob,
    },
};

use crate::{
    chain::{Ask, Chain},
    guest,
    harness::{Host, assert_refused},
};

struct History {
    chain: Chain,
    host: Host,
    contract: ContractId,
    entries: Vec<LoggedEntry>,
    results: Vec<ExecutedEntry>,
}

/// A deployment and `calls` calls: public, sealed, with replies, failing and random.
fn history(calls: u64) -> History {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, first) = host.deploy(&mut chain, 1);
    let (mut entries, mut results) = (vec![], vec![first]);
    let key = RecipientKey::from_seed(Suite::XWing, &[7; 32]);
    for n in 0..calls {
        let sealed = Ask {
            sealed: true,
            ..Ask::default()
        };
        let (ask, input): (Ask, Bytes) = match n % 4 {
            0 => (Ask::default(), guest::add(n).into()),
            1 => (
                sealed,
                host.seal_call(&chain, contract, sealed, guest::add(n), Some(&key)),
            ),
            2 => (sealed, vec![n as u8; 40].into()),
            _ => (
                Ask {
                    fuel_limit: 50_000,
                    ..Ask::default()
                },
                guest::add(n).into(),
            ),
        };
        let entry = chain.request(contract, ask, input);
        results.extend(
            host.execute(&chain, contract, vec![entry.clone()])
                .unwrap()
                .results,
        );
        entries.push(entry);
    }
    History {
        chain,
        host,
        contract,
        entries,
        results,
    }
}

impl History {
    fn blobs(&self, up_to: usize) -> Vec<StateBlob> {
        self.results[..=up_to]
            .iter()
            .map(|result| result.blob.clone())
            .collect()
    }
}

#[test]
fn restarted_on_every_old_blob_an_enclave_recomputes_the_same_bytes() {
    let history = history(12);
    for restored in 0..history.results.len() {
        let mut clone = history.host.restart(&history.chain, 100 + restored as u64);
        clone
            .load(history.contract, history.blobs(restored))
            .unwrap();
        let rest = history.entries[restored..].to_vec();
        if rest.is_empty() {
            continue;
        }
        let executed = clone
            .execute(&history.chain, history.contract, rest)
            .unwrap();
        // Result hashes, commitments, outputs, sealed outputs and sealed deltas, byte for byte.
        assert_eq!(executed.results, history.results[restored + 1..]);
    }
}

#[test]
fn a_snapshot_stands_for_the_deltas_before_it() {
    let mut history = history(8);
    let contract = history.contract;
    let Response::Snapshot(snapshot) = history
        .host
        .enclave
        .handle(Request::Snapshot { contract, part: 0 })
    else {
        panic!()
    };
    assert_eq!((snapshot.kind, snapshot.seq), (BlobKind::Snapshot, 8));
    let mut clone = history.host.restart(&history.chain, 50);
    assert_eq!(clone.load(contract, vec![*snapshot.clone()]).unwrap(), 9);
    let Response::Snapshot(again) = clone
        .enclave
        .handle(Request::Snapshot { contract, part: 0 })
    else {
        panic!()
    };
    assert_eq!(snapshot, again);
    let entry = history
        .chain
        .request(contract, Ask::default(), guest::add(1).into());
    let original = history
        .host
        .execute(&history.chain, contract, vec![entry.clone()])
        .unwrap();
    assert_eq!(
        clone
            .execute(&history.chain, contract, vec![entry])
            .unwrap(),
        original
    );
}

#[test]
fn blobs_out_of_order_foreign_or_altered_are_refused() {
    let history = history(6);
    let mut other = Host::with_fresh_epoch(&mut Chain::new(), 77);
    let contract = history.contract;
    let blobs = history.blobs(4);
    assert_refused(other.load(contract, blobs.clone()), ErrorCode::Blob);

    let mut clone = history.host.restart(&history.chain, 60);
    let without = |index: usize| {
        let mut blobs = blobs.clone();
        blobs.remove(index);
        blobs
    };
    for missing in [0, 1, 2, 3] {
        assert_refused(clone.load(contract, without(missing)), ErrorCode::Blob);
    }
    assert_refused(clone.load(contract, vec![]), ErrorCode::Blob);
    assert_refused(clone.load(ContractId::ZERO, blobs.clone()), ErrorCode::Blob);
    for field in 0..6 {
        let mut blobs = blobs.clone();
        let blob = &mut blobs[2];
        match field {
            0 => blob.seq += 1,
            1 => blob.digest.0[0] ^= 1,
            2 => blob.previous_commitment.0[0] ^= 1,
            3 => blob.code_commitment.0[0] ^= 1,
            4 => blob.kind = BlobKind::Snapshot,
            _ => {
                let mut sealed = blob.sealed.to_vec();
                sealed[100] ^= 1;
                blob.sealed = sealed.into();
            }
        }
        assert_refused(clone.load(contract, blobs), ErrorCode::Blob);
    }
    let mut unheld = blobs.clone();
    unheld[1].epoch += 1;
    assert_refused(clone.load(contract, unheld), ErrorCode::MissingKey);
    assert_eq!(clone.load(contract, blobs).unwrap(), 5);
}

#[test]
fn results_can_be_signed_again_after_a_restart() {
    let mut history = history(5);
    let contract = history.contract;
    let named: Vec<_> = (1..=5).map(|seq| ResultRef { contract, seq }).collect();
    let mut clone = history.host.restart(&history.chain, 70);
    clone.load(contract, history.blobs(5)).unwrap();
    history.host.sign(named.clone()).unwrap();
    clone.sign(named.clone()).unwrap();
    clone.sign(named[2..].to_vec()).unwrap();
    let unknown = vec![ResultRef { contract, seq: 6 }];
    assert_refused(clone.sign(unknown), ErrorCode::Sequence);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However a host rolls clones back and forth, batches and interleaves: one result per entry.
    #[test]
    fn k_clones_in_any_schedule_have_one_history(
        schedule in proptest::collection::vec((0usize..3, 0usize..10, 1usize..5), 1..12),
    ) {
        let history = history(9);
        let mut clones: Vec<Host> =
            (0..3).map(|n| history.host.restart(&history.chain, 200 + n)).collect();
        for (clone, from, count) in schedule {
            let clone = &mut clones[clone];
            clone.load(history.contract, history.blobs(from)).unwrap();
            let to = (from + count).min(history.entries.len());
            if from == to {
                continue;
            }
            let entries = history.entries[from..to].to_vec();
            let executed = clone.execute(&history.chain, history.contract, entries).unwrap();
            prop_assert_eq!(&executed.results[..], &history.results[from + 1..=to]);
        }
    }
}
