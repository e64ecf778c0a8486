// SPDX-License-Identifier: Apache-2.0
//! Entry 0.

use alloy_primitives::{B256, Bytes};
use subrosa_crypto::{envelope::Purpose, plaintext};
use subrosa_types::{
    abi::DeployPlaintext,
    entry::FLAG_WORLD,
    frame::{BlobKind, ErrorCode, Request, Response},
    result::Status,
};

use crate::{
    chain::{Ask, Chain},
    guest,
    harness::{Host, assert_refused},
};

#[test]
fn a_deployment_runs_the_constructor_and_starts_the_log() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, result) = host.deploy(&mut chain, 40);
    assert_eq!((result.seq, result.status), (0, Status::Succeeded));
    assert_eq!(result.previous_commitment, B256::ZERO);
    assert_eq!(result.blob.kind, BlobKind::Snapshot);
    assert!(result.output.is_empty(), "runtime code is never output");
    let result = host.call(&mut chain, contract, Ask::default(), guest::add(2).into());
    assert_eq!(result.output.as_ref(), guest::uint(42));
}

/// Worlds and other chains' profiles come with later generations: until then every enclave rejects them.
#[test]
fn a_deployment_of_what_this_generation_has_not_is_rejected_and_starts_the_log() {
    for flags in [FLAG_WORLD, 1 << 8, 0xf << 8] {
        let mut chain = Chain::new();
        let mut host = Host::new(&mut chain);
        let asked = Ask {
            flags,
            ..Ask::default()
        };
        let (contract, entry, envelope) =
            host.register_by(&mut chain, asked, guest::uint(1), 1, false);
        let result = host.execute_code(&chain, &entry, Some(&envelope)).unwrap();
        assert_eq!((result.status, result.fuel_bucket), (Status::Rejected, 0));
        let called = host.call(&mut chain, contract, Ask::default(), guest::add(2).into());
        assert_eq!(called.seq, 1);
        assert!(called.output.is_empty(), "there is no code");
    }
}

#[test]
fn without_its_envelope_a_deployment_has_no_result() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, entry, _) = host.register(&mut chain, guest::uint(1));
    let answer = host.execute(&chain, contract, vec![entry]);
    assert_refused(answer, ErrorCode::CodeEnvelope);
}

#[test]
fn code_that_is_not_the_committed_code_has_no_result() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, entry, _) = host.register(&mut chain, guest::uint(1));
    let other = |salt: B256, init: Vec<u8>| {
        plaintext::encode(DeployPlaintext {
            engine: 1,
            salt,
            code: guest::init_code().into(),
            init: init.into(),
            padding: Bytes::new(),
        })
    };
    for plaintext in [
        other(B256::ZERO, guest::uint(1)),
        other(B256::repeat_byte(0x51), guest::uint(2)),
    ] {
        let envelope = host.seal(
            &chain,
            contract,
            Ask::default(),
            Purpose::Deploy,
            &plaintext,
        );
        let proof = chain.prove_entry(contract, 0);
        let answer = host.execute_with(contract, vec![entry.clone()], Some(envelope), proof);
        assert_refused(answer, ErrorCode::CodeEnvelope);
    }
}

#[test]
fn an_envelope_for_another_purpose_or_deployer_does_not_deploy() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, entry, _) = host.register(&mut chain, guest::uint(1));
    let plaintext = plaintext::encode(DeployPlaintext {
        engine: 1,
        salt: B256::repeat_byte(0x51),
        code: guest::init_code().into(),
        init: guest::uint(1).into(),
        padding: Bytes::new(),
    });
    let stranger = Ask {
        requester: Default::default(),
        ..Ask::default()
    };
    for (ask, purpose) in [(Ask::default(), Purpose::Call), (stranger, Purpose::Deploy)] {
        let envelope = host.seal(&chain, contract, ask, purpose, &plaintext);
        let proof = chain.prove_entry(contract, 0);
        let answer = host.execute_with(contract, vec![entry.clone()], Some(envelope), proof);
        assert_refused(answer, ErrorCode::CodeEnvelope);
    }
}

#[test]
fn a_constructor_that_reverts_is_a_signed_failure_and_every_call_after_it_fails() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, result) = host.deploy(&mut chain, 13);
    assert_eq!(result.status, Status::Failed);
    let result = host.call(&mut chain, contract, Ask::default(), guest::add(1).into());
    assert_eq!((result.seq, result.status), (1, Status::Failed));
}

#[test]
fn repeating_a_deployment_gives_the_same_bytes() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, entry, envelope) = host.register(&mut chain, guest::uint(1));
    let mut once = || {
        let proof = chain.prove_entry(contract, 0);
        host.execute_with(contract, vec![entry.clone()], Some(envelope.clone()), proof)
            .unwrap()
    };
    let first = once();
    assert_eq!(first, once());
}

#[test]
fn the_statement_names_the_code_commitment() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, result) = host.deploy(&mut chain, 1);
    let nonce = B256::repeat_byte(3);
    let Response::Statement(stated) = host.enclave.handle(Request::Statement { contract, nonce })
    else {
        panic!()
    };
    assert_eq!(stated.statement.codeCommitment, result.blob.code_commitment);
    assert_eq!(stated.statement.nonce, nonce);
    assert_eq!(stated.statement.commitment, result.commitment);
    let unknown = host.enclave.handle(Request::Statement {
        contract: B256::ZERO,
        nonce,
    });
    let Response::Error(error) = unknown else {
        panic!()
    };
    assert_eq!(error.code, ErrorCode::UnknownContract);
}
