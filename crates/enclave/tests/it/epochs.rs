// SPDX-License-Identifier: Apache-2.0
//! Epoch entries: other keys from here on.

use alloy_primitives::B256;
use alloy_sol_types::SolCall;
use subrosa_types::{
    ContractId,
    change::EpochChange,
    entry::EntryKind,
    frame::{BlobKind, ErrorCode, ExecutedEntry, LoggedEntry, ResultRef, StateBlob},
    result::Status,
};

use crate::{
    chain::{Ask, Chain, EPOCH},
    guest,
    harness::{Host, assert_refused},
};

const NEXT: u32 = 2;

struct Scene {
    chain: Chain,
    host: Host,
    contract: ContractId,
    deployed: ExecutedEntry,
}

/// A contract of epoch 1 whose value is 100, and an epoch 2.
fn scene() -> Scene {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, deployed) = host.deploy(&mut chain, 100);
    host.open_epoch(&mut chain, NEXT);
    Scene {
        chain,
        host,
        contract,
        deployed,
    }
}

impl Scene {
    fn sealed(&mut self, amount: u64) -> LoggedEntry {
        self.sealed_call(guest::add(amount))
    }

    fn sealed_call(&mut self, input: Vec<u8>) -> LoggedEntry {
        let ask = Ask {
            sealed: true,
            ..Ask::default()
        };
        let input = self
            .host
            .seal_call(&self.chain, self.contract, ask, input, None);
        self.chain.request(self.contract, ask, input)
    }

    fn execute(&mut self, entry: &LoggedEntry) -> ExecutedEntry {
        let entries = vec![entry.clone()];
        let executed = self.host.execute(&self.chain, self.contract, entries);
        executed.unwrap().results.remove(0)
    }

    fn snapshot(&mut self) -> Vec<StateBlob> {
        self.host.snapshot(self.contract)
    }

    fn snapshot_bytes(&mut self) -> usize {
        self.snapshot().iter().map(|blob| blob.sealed.len()).sum()
    }

    fn advance(&mut self) -> ExecutedEntry {
        let entry = self.chain.advance_epoch(self.contract, NEXT);
        self.execute(&entry)
    }
}

#[test]
fn an_epoch_entry_runs_no_code_and_is_sealed_under_the_new_keys() {
    let mut scene = scene();
    let result = scene.advance();
    assert_eq!((result.seq, result.status), (1, Status::Succeeded));
    assert_eq!(result.fuel_bucket, 0);
    assert!(result.output.is_empty() && result.sealed_output.is_empty());
    assert_eq!(result.previous_commitment, scene.deployed.commitment);
    assert_eq!(
        (result.blob.kind, result.blob.epoch),
        (BlobKind::Delta, NEXT)
    );
    assert_eq!(
        result.blob.code_commitment,
        scene.deployed.blob.code_commitment
    );
    let call = scene.sealed(5);
    assert_eq!(scene.execute(&call).output.as_ref(), guest::uint(105));
}

#[test]
fn the_state_is_loaded_from_the_new_snapshot_without_the_old_secret() {
    let mut scene = scene();
    scene.advance();
    let mut blobs = scene.snapshot();
    let call = scene.sealed(5);
    let called = scene.execute(&call);
    let contract = scene.contract;

    let mut later = scene.host.restart_with(&scene.chain, 30, &[NEXT]);
    let from_old = later.load(contract, vec![scene.deployed.blob.clone()]);
    assert_refused(from_old, ErrorCode::MissingKey);
    blobs.push(called.blob.clone());
    later.load(contract, blobs).unwrap();
    let next = scene.sealed(1);
    let output = later
        .execute(&scene.chain, contract, vec![next])
        .unwrap()
        .results
        .remove(0)
        .output;
    assert_eq!(output.as_ref(), guest::uint(106));
    // The results of the new epoch can be signed again, each of its own epoch.
    let refs = [1, 2].map(|seq| ResultRef { contract, seq });
    let signed = later.sign(refs.to_vec()).unwrap();
    assert_eq!(signed.epoch, NEXT);
}

#[test]
fn a_signature_is_of_one_epoch() {
    let mut scene = scene();
    let contract = scene.contract;
    scene.advance();
    let refs = [0, 1].map(|seq| ResultRef { contract, seq });
    // Nothing leaves the old epoch before the whole contract is sealed under the new keys.
    let early = scene.host.sign(vec![refs[1]]);
    assert_refused(early, ErrorCode::OutOfOrder);
    scene.snapshot();
    let answer = scene.host.sign(refs.to_vec());
    assert_refused(answer, ErrorCode::Sequence);
    for (named, epoch) in refs.into_iter().zip([EPOCH, NEXT]) {
        let signed = scene.host.sign(vec![named]).unwrap();
        assert_eq!(signed.epoch, epoch);
    }
}

#[test]
fn without_the_new_secret_an_epoch_entry_has_no_result() {
    let mut scene = scene();
    let entry = scene.chain.advance_epoch(scene.contract, NEXT);
    let mut old = scene.host.restart_with(&scene.chain, 32, &[EPOCH]);
    old.load(scene.contract, vec![scene.deployed.blob.clone()])
        .unwrap();
    let answer = old.execute(&scene.chain, scene.contract, vec![entry.clone()]);
    assert_refused(answer, ErrorCode::MissingKey);
    let expected = scene.execute(&entry);
    // The same enclave executes it once it has the secret.
    let mut both = scene.host.restart(&scene.chain, 33);
    both.load(scene.contract, vec![scene.deployed.blob.clone()])
        .unwrap();
    let executed = both.execute(&scene.chain, scene.contract, vec![entry]);
    assert_eq!(executed.unwrap().results, [expected]);
}

#[test]
fn envelopes_of_the_old_epoch_are_rejected_after_the_change() {
    let mut scene = scene();
    let ask = Ask {
        sealed: true,
        ..Ask::default()
    };
    let old = scene
        .host
        .seal_call(&scene.chain, scene.contract, ask, guest::add(5), None);
    scene.advance();
    let entry = scene.chain.request(scene.contract, ask, old);
    assert_eq!(scene.execute(&entry).status, Status::Rejected);
}

#[test]
fn the_ids_of_envelopes_are_forgotten_with_their_epoch() {
    let mut remembered = scene();
    let mut fresh = scene();
    let value = guest::valueCall {}.abi_encode();
    for _ in 0..80 {
        let call = remembered.sealed_call(value.clone());
        assert_eq!(remembered.execute(&call).status, Status::Succeeded);
        let public = Ask::default();
        let call = fresh
            .chain
            .request(fresh.contract, public, value.clone().into());
        assert_eq!(fresh.execute(&call).status, Status::Succeeded);
    }
    // Sealed blobs are padded to a size class of their content. Eighty ids show; with the ids gone,
    // a contract that was called in envelopes is as large as one that was not.
    assert!(remembered.snapshot_bytes() > fresh.snapshot_bytes());
    remembered.advance();
    fresh.advance();
    assert_eq!(remembered.snapshot_bytes(), fresh.snapshot_bytes());
}

#[test]
fn an_input_that_is_not_the_change_is_rejected_and_the_log_goes_on() {
    let record = |scene: &mut Scene| {
        let entry = scene.chain.clone().advance_epoch(scene.contract, NEXT);
        EpochChange::decode(&entry.input).unwrap()
    };
    let change = record(&mut scene());
    let wrong = [
        Vec::new(),
        vec![0; 96],
        change.encode()[..95].to_vec(),
        [change.encode(), vec![0]].concat(),
        EpochChange {
            previous: 7,
            ..change
        }
        .encode(),
        EpochChange { next: 3, ..change }.encode(),
        EpochChange {
            record: B256::ZERO,
            ..change
        }
        .encode(),
    ];
    for input in wrong {
        let mut scene = scene();
        let mut entry = scene.chain.advance_epoch(scene.contract, NEXT);
        entry.entry.inputHash = alloy_primitives::keccak256(&input);
        entry.input = input.into();
        scene.chain.log(&entry.entry);
        let result = scene.execute(&entry);
        assert_eq!((result.seq, result.status), (1, Status::Rejected));
        let call = scene.sealed(5);
        let after = scene.execute(&call);
        assert_eq!(after.output.as_ref(), guest::uint(105));
        let blobs = vec![scene.deployed.blob.clone(), result.blob, after.blob];
        let mut clone = scene.host.restart(&scene.chain, 34);
        assert_eq!(clone.load(scene.contract, blobs).unwrap(), 3);
    }
}

#[test]
fn an_epoch_entry_that_does_not_continue_the_state_has_no_result() {
    let mut scene = scene();
    let skipped = scene.sealed(1);
    let entry = scene.chain.advance_epoch(scene.contract, NEXT);
    let answer = scene
        .host
        .execute(&scene.chain, scene.contract, vec![entry.clone()]);
    assert_refused(answer, ErrorCode::Sequence);
    scene.execute(&skipped);
    assert_eq!(scene.execute(&entry).status, Status::Succeeded);
}

#[test]
fn a_stateless_contract_changes_epoch_in_any_order() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, entry, envelope) = host.register_as(&mut chain, guest::uint(100), 1, true);
    host.execute_code(&chain, &entry, Some(&envelope)).unwrap();
    host.open_epoch(&mut chain, NEXT);
    let ask = Ask {
        sealed: true,
        ..Ask::default()
    };
    let seal = |host: &mut Host, chain: &mut Chain| {
        let input = host.seal_call(chain, contract, ask, guest::add(5), None);
        chain.request(contract, ask, input)
    };
    let before = seal(&mut host, &mut chain);
    let change = chain.advance_epoch(contract, NEXT);
    let after = seal(&mut host, &mut chain);

    let once = |host: &mut Host, entry: &LoggedEntry| {
        let executed = host.execute(&chain, contract, vec![entry.clone()]);
        executed.unwrap().results.remove(0)
    };
    let changed = once(&mut host, &change);
    assert_eq!(changed.status, Status::Succeeded);
    assert_eq!(
        (changed.previous_commitment, changed.commitment),
        (B256::ZERO, B256::ZERO)
    );
    assert_eq!(
        (changed.blob.kind, changed.blob.epoch),
        (BlobKind::Delta, NEXT)
    );
    for entry in [&after, &before] {
        assert_eq!(once(&mut host, entry).output.as_ref(), guest::uint(105));
    }

    // Without the first secret, from the new snapshot.
    let mut later = host.restart_with(&chain, 35, &[NEXT]);
    later.load(contract, host.snapshot(contract)).unwrap();
    assert_eq!(once(&mut later, &after).output.as_ref(), guest::uint(105));
    let answer = later.execute(&chain, contract, vec![before]);
    assert_refused(answer, ErrorCode::MissingKey);
    let named = ResultRef { contract, seq: 2 };
    assert_eq!(later.sign(vec![named]).unwrap().epoch, NEXT);
    assert_eq!(once(&mut later, &change), changed);

    // An input that names another epoch is rejected, and nothing else follows from it.
    let poison = chain
        .clone()
        .change(contract, EntryKind::Epoch, vec![1; 96]);
    let mut poisoned = chain.clone();
    poisoned.log(&poison.entry);
    let executed = host.execute(&poisoned, contract, vec![poison]).unwrap();
    assert_eq!(executed.results[0].status, Status::Rejected);
}
