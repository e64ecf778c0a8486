// SPDX-License-Identifier: Apache-2.0
//! Runtime entries, and pending entries of generations that this build does not have.

use alloy_primitives::{B256, Bytes};
use subrosa_types::{
    ContractId,
    abi::Entry,
    change::RuntimeChange,
    entry::Payment,
    entry::{EntryKind, Execution},
    frame::{
        BlobKind, Ended, EntryProof, ErrorCode, Executed, FrameError, LoggedEntry, MAX_BETWEEN,
        Reassignment, Request, ResultRef,
    },
    result::Status,
};

use crate::{
    chain::{Ask, Chain},
    guest,
    harness::{Host, assert_refused},
};

/// A log registered at generation 0, which no build has: its deployment, three pending calls, the
/// move to generation 1, and a call after it.
struct Scene {
    chain: Chain,
    host: Host,
    contract: ContractId,
    envelope: Bytes,
    pending: Vec<LoggedEntry>,
    runtime: LoggedEntry,
    after: LoggedEntry,
}

fn scene(stateless: bool) -> Scene {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, entry, envelope) = host.register_as(&mut chain, guest::uint(100), 0, stateless);
    let mut pending = vec![entry];
    for amount in 1..=3 {
        pending.push(chain.request(contract, Ask::default(), guest::add(amount).into()));
    }
    let runtime = chain.change_runtime(contract, 1, 0);
    let after = chain.request(contract, Ask::default(), guest::add(4).into());
    Scene {
        chain,
        host,
        contract,
        envelope,
        pending,
        runtime,
        after,
    }
}

impl Scene {
    /// The reassignment that a host shows with the pending entries up to `last`.
    fn shown(&self, last: usize) -> Reassignment {
        let stateless = self.pending[1].entry.is_stateless();
        let between = self.pending[last + 1..].iter();
        Reassignment {
            between: if stateless {
                Vec::new()
            } else {
                between.map(|logged| logged.entry.clone()).collect()
            },
            runtime: self.runtime.clone(),
            proof: self.prove(4),
        }
    }

    fn prove(&self, seq: u64) -> EntryProof {
        self.chain.prove_entry(self.contract, seq)
    }

    fn execute(
        &mut self,
        entries: &[LoggedEntry],
        reassignment: Option<Reassignment>,
    ) -> Result<Executed, FrameError> {
        let last = entries.last().unwrap().entry.seq();
        let request = Request::Execute {
            contract: self.contract,
            entries: entries.to_vec(),
            code_envelope: Some(self.envelope.clone()),
            reassignment: reassignment.map(Box::new),
            proof: self.prove(last),
        };
        self.host.ask_to_execute(request)
    }
}

#[test]
fn pending_entries_are_executed_in_the_generation_the_log_was_moved_to() {
    let mut scene = scene(false);
    let pending = scene.pending.clone();
    let shown = scene.shown(3);
    let executed = scene.execute(&pending, Some(shown)).unwrap();
    assert_eq!(executed.ended, Ended::Complete);
    let mut results = executed.results;
    let rest = [scene.runtime.clone(), scene.after.clone()];
    results.extend(scene.execute(&rest, None).unwrap().results);

    let outputs: Vec<_> = results.iter().map(|r| r.output.as_ref()).collect();
    let (one, two, three, four) = (
        guest::uint(101),
        guest::uint(103),
        guest::uint(106),
        guest::uint(110),
    );
    assert_eq!(outputs, [&[], one.as_slice(), &two, &three, &[], &four]);
    assert!(results.iter().all(|r| r.status == Status::Succeeded));
    assert_eq!(
        (results[4].blob.kind, results[4].fuel_bucket),
        (BlobKind::Delta, 0)
    );
    // Their digests are those of the entries as logged, at generation 0.
    for (result, logged) in results.iter().zip(&pending) {
        let digest = logged
            .entry
            .digest(scene.chain.chain_id, scene.chain.oracle);
        assert_eq!(result.blob.digest, digest);
    }
    let blobs = results.iter().map(|result| result.blob.clone()).collect();
    let mut clone = scene.host.restart(&scene.chain, 40);
    assert_eq!(clone.load(scene.contract, blobs).unwrap(), 6);
    let contract = scene.contract;
    let refs = (0..6).map(|seq| ResultRef { contract, seq }).collect();
    clone.sign(refs).unwrap();
}

#[test]
fn one_at_a_time_comes_to_the_same_bytes() {
    let mut at_once = scene(false);
    let pending = at_once.pending.clone();
    let shown = at_once.shown(3);
    let expected = at_once.execute(&pending, Some(shown)).unwrap().results;
    let mut singly = scene(false);
    for (index, entry) in pending.iter().enumerate() {
        let shown = singly.shown(index);
        let executed = singly
            .execute(std::slice::from_ref(entry), Some(shown))
            .unwrap();
        assert_eq!(executed.results, expected[index..=index]);
    }
}

#[test]
fn without_a_reassignment_an_unknown_generation_has_no_result() {
    for stateless in [false, true] {
        let mut scene = scene(stateless);
        let entry = scene.pending[0].clone();
        let answer = scene.execute(&[entry], None);
        assert_refused(answer, ErrorCode::Generation);
    }
}

#[test]
fn a_known_generation_ignores_what_is_shown() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, entry, envelope) = host.register(&mut chain, guest::uint(100));
    let garbage = Reassignment {
        between: Vec::new(),
        runtime: entry.clone(),
        proof: EntryProof::Anchor,
    };
    let proof = chain.prove_entry(contract, 0);
    let request = |reassignment| Request::Execute {
        contract,
        entries: vec![entry.clone()],
        code_envelope: Some(envelope.clone()),
        reassignment,
        proof: proof.clone(),
    };
    let with = host
        .ask_to_execute(request(Some(Box::new(garbage))))
        .unwrap();
    assert_eq!(with, host.ask_to_execute(request(None)).unwrap());
}

#[test]
fn a_reassignment_must_be_further_up_the_same_log() {
    let mut scene = scene(false);
    let entries = scene.pending[..2].to_vec();
    let good = scene.shown(1);

    let mut gap = good.clone();
    gap.between.remove(0);
    let mut reordered = good.clone();
    reordered.between.swap(0, 1);
    let mut altered = good.clone();
    altered.between[1].context = B256::repeat_byte(9);
    let mut foreign = good.clone();
    foreign.runtime.entry.contractId = B256::repeat_byte(9);
    let mut empty = good.clone();
    empty.between.clear();
    for reassignment in [gap, reordered, altered, foreign, empty] {
        let answer = scene.execute(&entries, Some(reassignment));
        assert_refused(answer, ErrorCode::Sequence);
    }

    let mut unproven = good.clone();
    unproven.proof = scene.prove(3);
    let mut never_logged = good.clone();
    never_logged.runtime.entry.context = B256::repeat_byte(9);
    for reassignment in [unproven, never_logged] {
        let answer = scene.execute(&entries, Some(reassignment));
        assert_refused(answer, ErrorCode::Proof);
    }
    scene.execute(&entries, Some(good)).unwrap();
}

#[test]
fn a_reassignment_must_be_a_runtime_entry_with_its_input() {
    let mut scene = scene(false);
    let entries = scene.pending[..2].to_vec();
    let good = scene.shown(1);
    // A call further up the log, with an input that reads like a change.
    let change = RuntimeChange {
        previous: 0,
        next: 1,
        head_seq: 0,
    };
    let mut disguised = good.clone();
    disguised.between.push(scene.runtime.entry.clone());
    disguised.between.push(scene.after.entry.clone());
    disguised.runtime = scene
        .chain
        .request(scene.contract, Ask::default(), change.encode().into());
    disguised.proof = scene.prove(6);
    let mut other_input = good.clone();
    other_input.runtime.input = RuntimeChange {
        head_seq: 1,
        ..change
    }
    .encode()
    .into();
    for reassignment in [disguised, other_input] {
        let answer = scene.execute(&entries, Some(reassignment));
        assert_refused(answer, ErrorCode::Sequence);
    }
    // A runtime entry whose input does not decode reassigns nothing, and is itself rejected.
    let mut garbled = good.clone();
    garbled.runtime.input = vec![1; 95].into();
    garbled.runtime.entry.inputHash = alloy_primitives::keccak256([1; 95]);
    scene.chain.log(&garbled.runtime.entry);
    garbled.proof = scene.prove(4);
    let answer = scene.execute(&entries, Some(garbled));
    assert_refused(answer, ErrorCode::Sequence);
}

#[test]
fn a_runtime_entry_whose_input_does_not_decode_is_rejected_and_the_log_goes_on() {
    for stateless in [false, true] {
        let mut chain = Chain::new();
        let mut host = Host::new(&mut chain);
        let (contract, entry, envelope) =
            host.register_as(&mut chain, guest::uint(100), 1, stateless);
        host.execute_code(&chain, &entry, Some(&envelope)).unwrap();
        let poison = chain.change(contract, EntryKind::Runtime, vec![0xff; 96]);
        let result = host.execute(&chain, contract, vec![poison]).unwrap();
        assert_eq!(result.results[0].status, Status::Rejected);
        let after = host.call(&mut chain, contract, Ask::default(), guest::add(1).into());
        assert_eq!(after.output.as_ref(), guest::uint(101));
    }
}

#[test]
fn only_entries_that_were_pending_are_reassigned() {
    let mut scene = scene(false);
    // As if two entries had been executed, by some build that had generation 0, before the change.
    let late = RuntimeChange {
        previous: 0,
        next: 1,
        head_seq: 2,
    };
    let runtime = &mut scene.runtime;
    runtime.input = late.encode().into();
    runtime.entry.inputHash = alloy_primitives::keccak256(&runtime.input);
    scene.chain.log(&scene.runtime.entry.clone());
    let shown = scene.shown(0);
    let first = scene.pending[0].clone();
    let answer = scene.execute(&[first], Some(shown));
    assert_refused(answer, ErrorCode::Generation);
    // All or nothing: the frame's first entry was not pending.
    let pending = scene.pending.clone();
    let shown = scene.shown(3);
    let answer = scene.execute(&pending, Some(shown));
    assert_refused(answer, ErrorCode::Generation);
}

#[test]
fn a_move_between_unknown_generations_or_from_a_known_one_reassigns_nothing() {
    // (the entry's generation, previous, next)
    for (own, previous, next) in [
        (0, 0, 2),
        (0, 1, 2),
        (0, 0, 0),
        (0, 1, 1),
        (2, 0, 1),
        (2, 2, 3),
    ] {
        let mut chain = Chain::new();
        let mut host = Host::new(&mut chain);
        let (contract, entry, envelope) =
            host.register_as(&mut chain, guest::uint(100), own, false);
        let change = RuntimeChange {
            previous,
            next,
            head_seq: 0,
        };
        let runtime = chain.change(contract, EntryKind::Runtime, change.encode());
        let reassignment = Reassignment {
            between: Vec::new(),
            runtime,
            proof: chain.prove_entry(contract, 1),
        };
        let request = Request::Execute {
            contract,
            entries: vec![entry],
            code_envelope: Some(envelope),
            reassignment: Some(Box::new(reassignment)),
            proof: chain.prove_entry(contract, 0),
        };
        let answer = host.ask_to_execute(request);
        assert_refused(answer, ErrorCode::Generation);
    }
}

#[test]
fn entries_of_a_stateless_contract_are_reassigned_in_any_order() {
    let mut scene = scene(true);
    let deployed = [scene.pending[0].clone()];
    let shown = scene.shown(0);
    scene.execute(&deployed, Some(shown)).unwrap();
    for (index, value) in [(3, 103), (1, 101), (2, 102)] {
        let entry = [scene.pending[index].clone()];
        let mut between = scene.shown(index);
        between.between.push(scene.after.entry.clone());
        assert_refused(scene.execute(&entry, Some(between)), ErrorCode::Sequence);
        let shown = scene.shown(index);
        let executed = scene.execute(&entry, Some(shown)).unwrap();
        assert_eq!(executed.results[0].output.as_ref(), guest::uint(value));
    }
    let runtime = [scene.runtime.clone()];
    let result = scene.execute(&runtime, None).unwrap().results.remove(0);
    assert_eq!(
        (result.status, result.commitment),
        (Status::Succeeded, B256::ZERO)
    );
    // An entry after the runtime entry is of its generation, and is not moved by it.
    let mut early = scene.after.clone();
    let mut execution = Execution::unpack(early.entry.execution).unwrap();
    execution.runtime_generation = 0;
    early.entry.execution = execution.pack();
    scene.chain.log(&early.entry);
    let shown = scene.shown(3);
    assert_refused(scene.execute(&[early], Some(shown)), ErrorCode::Sequence);
}

#[test]
fn what_is_shown_is_limited_in_length() {
    for (count, code) in [
        (MAX_BETWEEN, None),
        (MAX_BETWEEN + 1, Some(ErrorCode::Sequence)),
    ] {
        let mut chain = Chain::new();
        let mut host = Host::new(&mut chain);
        let (contract, entry, envelope) = host.register_as(&mut chain, guest::uint(1), 0, false);
        let digest_of = |entry: &Entry| entry.digest(chain.chain_id, chain.oracle);
        let at = |seq| {
            let payment = Payment::unpack(entry.entry.payment);
            Payment { seq, ..payment }.pack()
        };
        let mut between: Vec<Entry> = Vec::with_capacity(count);
        for seq in 1..=count {
            let before = between.last().unwrap_or(&entry.entry);
            between.push(Entry {
                payment: at(seq as u64),
                previousDigest: digest_of(before),
                ..entry.entry.clone()
            });
        }
        let before = digest_of(between.last().unwrap());
        let mut runtime = chain.change_runtime(contract, 1, 0);
        runtime.entry.payment = at(count as u64 + 1);
        runtime.entry.previousDigest = before;
        chain.log(&runtime.entry);
        let reassignment = Reassignment {
            between,
            runtime,
            proof: chain.prove_entry(contract, count as u64 + 1),
        };
        let answer = host.ask_to_execute(Request::Execute {
            contract,
            entries: vec![entry],
            code_envelope: Some(envelope),
            reassignment: Some(Box::new(reassignment)),
            proof: chain.prove_entry(contract, 0),
        });
        match code {
            Some(code) => assert_refused(answer, code),
            None => assert_eq!(answer.unwrap().results[0].status, Status::Succeeded),
        }
    }
}
