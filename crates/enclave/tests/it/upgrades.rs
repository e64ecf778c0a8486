// SPDX-License-Identifier: Apache-2.0
//! Upgrade entries.

use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::SolCall;
use subrosa_crypto::{envelope::Purpose, plaintext};
use subrosa_types::{
    ContractId,
    abi::DeployPlaintext,
    entry::EntryKind,
    frame::{BlobKind, Ended, ErrorCode, ExecutedEntry, LoggedEntry, ResultRef},
    id,
    result::Status,
};

use crate::{
    chain::{Ask, Chain},
    guest,
    harness::{Host, assert_refused},
};

/// A contract whose value is 100 after a call, and its results so far.
struct Scene {
    chain: Chain,
    host: Host,
    contract: ContractId,
    results: Vec<ExecutedEntry>,
}

fn scene() -> Scene {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, first) = host.deploy(&mut chain, 60);
    let second = host.call(&mut chain, contract, Ask::default(), guest::add(40).into());
    Scene {
        chain,
        host,
        contract,
        results: vec![first, second],
    }
}

impl Scene {
    /// Logs an upgrade to the successor and seals its code.
    fn announce(&mut self, bonus: u64) -> (LoggedEntry, Bytes) {
        self.announce_code(guest::successor(), guest::uint(bonus))
    }

    fn announce_code(&mut self, code: Vec<u8>, init: Vec<u8>) -> (LoggedEntry, Bytes) {
        let ask = Ask::default();
        let sealed = self
            .host
            .seal_code(&self.chain, self.contract, ask, code, init);
        let entry = self.chain.upgrade(self.contract, ask, sealed.0);
        (entry, sealed.1)
    }

    fn execute(&mut self, entry: &LoggedEntry, envelope: &Bytes) -> ExecutedEntry {
        let executed = self.host.execute_code(&self.chain, entry, Some(envelope));
        let result = executed.unwrap();
        self.results.push(result.clone());
        result
    }

    fn add(&mut self, amount: u64) -> ExecutedEntry {
        let input = guest::add(amount).into();
        let result = self
            .host
            .call(&mut self.chain, self.contract, Ask::default(), input);
        self.results.push(result.clone());
        result
    }
}

#[test]
fn an_upgrade_runs_the_new_constructor_on_what_is_stored() {
    let mut scene = scene();
    let (entry, envelope) = scene.announce(5);
    let result = scene.execute(&entry, &envelope);
    assert_eq!((result.seq, result.status), (2, Status::Succeeded));
    assert!(result.output.is_empty() && result.sealed_output.is_empty());
    assert_eq!(result.previous_commitment, scene.results[1].commitment);
    assert_eq!(result.blob.kind, BlobKind::Delta);
    assert_eq!(result.blob.code_commitment, entry.entry.inputHash);
    assert_ne!(
        result.blob.code_commitment,
        scene.results[1].blob.code_commitment
    );
    // 60 + 40, the constructor's 5, and the successor's tenfold 2.
    assert_eq!(scene.add(2).output.as_ref(), guest::uint(125));
    let calls = guest::callsCall {}.abi_encode();
    let result = scene.host.call(
        &mut scene.chain,
        scene.contract,
        Ask::default(),
        calls.into(),
    );
    assert_eq!(result.output.as_ref(), guest::uint(2));
}

#[test]
fn a_restarted_enclave_needs_the_new_snapshot_alone_and_continues_alike() {
    let mut scene = scene();
    let (entry, envelope) = scene.announce(5);
    let contract = scene.contract;
    let upgraded = scene.execute(&entry, &envelope);
    let snapshot = scene.host.snapshot(contract);
    let after = scene.add(2);

    let mut clone = scene.host.restart(&scene.chain, 20);
    let from_snapshot = [snapshot, vec![after.blob.clone()]].concat();
    assert_eq!(clone.load(contract, from_snapshot).unwrap(), 4);
    for seq in [2, 3] {
        let named = ResultRef { contract, seq };
        clone.sign(vec![named]).unwrap();
    }
    // The deltas alone lead there as well.
    let mut along = scene.host.restart(&scene.chain, 22);
    let deltas = scene.results.iter().map(|result| result.blob.clone());
    assert_eq!(along.load(contract, deltas.collect()).unwrap(), 4);
    assert_eq!(along.snapshot(contract), clone.snapshot(contract));
    // From before the upgrade, with its envelope, it comes to the same bytes.
    let mut behind = scene.host.restart(&scene.chain, 21);
    let before: Vec<_> = scene.results[..2].iter().map(|r| r.blob.clone()).collect();
    behind.load(contract, before).unwrap();
    let again = behind.execute_code(&scene.chain, &entry, Some(&envelope));
    assert_eq!(again.unwrap(), upgraded);
    // And deltas of the new code do not follow a snapshot of the old.
    let mixed = vec![scene.results[0].blob.clone(), after.blob];
    assert_refused(clone.load(contract, mixed), ErrorCode::Blob);
}

#[test]
fn a_constructor_that_fails_is_a_signed_failure_and_the_old_code_goes_on() {
    let old_code = scene().results[0].blob.code_commitment;
    let not_code = vec![0xfe];
    for (code, init) in [
        (guest::successor(), guest::uint(13)),
        (not_code, Vec::new()),
        (
            vec![0x60, 0xef, 0x5f, 0x53, 0x60, 1, 0x5f, 0xf3],
            Vec::new(),
        ),
        (vec![0; 49_153], Vec::new()),
    ] {
        let mut scene = scene();
        let (entry, envelope) = scene.announce_code(code, init);
        let result = scene.execute(&entry, &envelope);
        assert_eq!((result.seq, result.status), (2, Status::Failed));
        assert!(result.output.is_empty(), "why is for nobody");
        assert_eq!(result.blob.kind, BlobKind::Delta);
        assert_eq!(result.blob.code_commitment, old_code);
        assert_ne!(result.commitment, result.previous_commitment);
        assert_eq!(scene.add(2).output.as_ref(), guest::uint(102));
        let blobs = scene.results.iter().map(|r| r.blob.clone()).collect();
        let mut clone = scene.host.restart(&scene.chain, 22);
        assert_eq!(clone.load(scene.contract, blobs).unwrap(), 4);
    }
}

#[test]
fn fuel_that_does_not_cover_the_upgrade_is_a_signed_failure() {
    let mut scene = scene();
    let ask = Ask {
        fuel_limit: 60_000,
        ..Ask::default()
    };
    let code = (guest::successor(), guest::uint(5));
    let (commitment, envelope) =
        scene
            .host
            .seal_code(&scene.chain, scene.contract, ask, code.0, code.1);
    let entry = scene.chain.upgrade(scene.contract, ask, commitment);
    assert_eq!(scene.execute(&entry, &envelope).status, Status::Failed);
    assert_eq!(scene.add(2).output.as_ref(), guest::uint(102));
}

#[test]
fn an_upgrade_brings_a_contract_whose_first_constructor_failed_to_life() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, first) = host.deploy(&mut chain, 13);
    assert_eq!(first.status, Status::Failed);
    let mut scene = Scene {
        chain,
        host,
        contract,
        results: vec![first],
    };
    let (entry, envelope) = scene.announce(7);
    assert_eq!(scene.execute(&entry, &envelope).status, Status::Succeeded);
    assert_eq!(scene.add(1).output.as_ref(), guest::uint(17));
}

#[test]
fn without_the_right_envelope_an_upgrade_has_no_result_and_loses_nothing() {
    let mut scene = scene();
    let contract = scene.contract;
    let (entry, envelope) = scene.announce(5);
    let missing = scene.host.execute_code(&scene.chain, &entry, None);
    assert_refused(missing, ErrorCode::CodeEnvelope);

    let ask = Ask::default();
    let stranger = Ask {
        requester: Address::repeat_byte(1),
        ..ask
    };
    let context = Ask {
        context: B256::repeat_byte(1),
        ..ask
    };
    let code = |bonus| (guest::successor(), guest::uint(bonus));
    let mut wrong = Vec::new();
    for (ask, (code, init)) in [(ask, code(6)), (stranger, code(5)), (context, code(5))] {
        let (_, envelope) = scene
            .host
            .seal_code(&scene.chain, contract, ask, code, init);
        wrong.push(envelope);
    }
    let unknown_engine = DeployPlaintext {
        engine: 2,
        salt: B256::repeat_byte(0x51),
        code: guest::successor().into(),
        init: guest::uint(5).into(),
        padding: Bytes::new(),
    };
    let encoded = plaintext::encode(unknown_engine);
    wrong.push(
        scene
            .host
            .seal(&scene.chain, contract, ask, Purpose::Deploy, &encoded),
    );
    wrong.push(
        scene
            .host
            .seal_call(&scene.chain, contract, ask, guest::add(1), None),
    );
    wrong.push(Bytes::from_static(b"no envelope"));
    wrong.push(Bytes::new());
    for envelope in &wrong {
        let answer = scene
            .host
            .execute_code(&scene.chain, &entry, Some(envelope));
        assert_refused(answer, ErrorCode::CodeEnvelope);
    }
    assert_eq!(scene.execute(&entry, &envelope).status, Status::Succeeded);
}

#[test]
fn an_engine_that_is_not_in_this_build_gives_no_result() {
    let mut scene = scene();
    let encoded = DeployPlaintext {
        engine: 2,
        salt: B256::repeat_byte(0x51),
        code: guest::successor().into(),
        init: guest::uint(5).into(),
        padding: Bytes::new(),
    };
    let commitment = id::code_commitment(encoded.salt, 2, &encoded.code, &encoded.init);
    let ask = Ask::default();
    let encoded = plaintext::encode(encoded);
    let envelope = scene
        .host
        .seal(&scene.chain, scene.contract, ask, Purpose::Deploy, &encoded);
    let entry = scene.chain.upgrade(scene.contract, ask, commitment);
    let answer = scene
        .host
        .execute_code(&scene.chain, &entry, Some(&envelope));
    assert_refused(answer, ErrorCode::CodeEnvelope);
}

#[test]
fn an_upgrade_that_does_not_continue_the_state_has_no_result() {
    let mut scene = scene();
    let skipped = scene
        .chain
        .request(scene.contract, Ask::default(), guest::add(1).into());
    let (entry, envelope) = scene.announce(5);
    let answer = scene
        .host
        .execute_code(&scene.chain, &entry, Some(&envelope));
    assert_refused(answer, ErrorCode::Sequence);
    scene
        .host
        .execute(&scene.chain, scene.contract, vec![skipped])
        .unwrap();
    assert_eq!(scene.execute(&entry, &envelope).status, Status::Succeeded);
    // Once executed it is not executed again on the new state.
    let answer = scene
        .host
        .execute_code(&scene.chain, &entry, Some(&envelope));
    assert_refused(answer, ErrorCode::Sequence);
}

#[test]
fn calls_and_an_upgrade_in_one_frame_run_before_and_after_it() {
    let mut scene = scene();
    let contract = scene.contract;
    let before = scene
        .chain
        .request(contract, Ask::default(), guest::add(1).into());
    let (entry, envelope) = scene.announce(5);
    let after = scene
        .chain
        .request(contract, Ask::default(), guest::add(1).into());
    let proof = scene.chain.prove_entry(contract, 4);
    let executed = scene
        .host
        .execute_with(contract, vec![before, entry, after], Some(envelope), proof)
        .unwrap();
    assert_eq!(executed.ended, Ended::Complete);
    let outputs: Vec<_> = executed.results.iter().map(|r| r.output.as_ref()).collect();
    assert_eq!(
        outputs,
        [guest::uint(101).as_slice(), &[], &guest::uint(116)]
    );
}

#[test]
fn a_stateless_contract_has_no_upgrades() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, entry, envelope) = host.register_as(&mut chain, guest::uint(1), 1, true);
    host.execute_code(&chain, &entry, Some(&envelope)).unwrap();
    let ask = Ask::default();
    let (commitment, envelope) =
        host.seal_code(&chain, contract, ask, guest::successor(), guest::uint(5));
    let upgrade = chain.upgrade(contract, ask, commitment);
    let answer = host.execute_code(&chain, &upgrade, Some(&envelope));
    assert_refused(answer, ErrorCode::Unsupported);
    let kept = host.call(&mut chain, contract, ask, guest::add(1).into());
    assert_eq!(kept.output.as_ref(), guest::uint(2));
}

#[test]
fn an_upgrade_whose_input_is_no_commitment_is_not_proven() {
    let mut scene = scene();
    let entry = scene
        .chain
        .change(scene.contract, EntryKind::Upgrade, vec![1; 31]);
    let answer = scene.host.execute_code(&scene.chain, &entry, None);
    assert_refused(answer, ErrorCode::Sequence);
}
