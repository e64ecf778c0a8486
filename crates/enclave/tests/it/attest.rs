// SPDX-License-Identifier: Apache-2.0
//! Evidence for the chain and for clients, and what the signer states beside the latter.

use alloy_primitives::{Address, B256, Signature, keccak256};
use alloy_sol_types::{SolStruct, SolValue};
use subrosa_crypto::EpochPublicKey;
use subrosa_enclave_core::Enclave;
use subrosa_evidence::{Binding, challenge_hash, report_data};
use subrosa_types::{
    Challenge,
    abi::{AttestationAnswer, PresentedAttestation},
    eip712,
    frame::{
        Attested, ErrorCode, FrameError, HeaderFrame, Request, Response, Started, WIRE_VERSION,
    },
    id::start_hash,
};

use crate::{
    chain::{Chain, EPOCH, GROUP},
    harness::{Host, assert_refused, quote},
};

fn started(enclave: &mut Enclave) -> Started {
    let wire_version = WIRE_VERSION;
    match enclave.handle(Request::Hello { wire_version }) {
        Response::Hello(hello) => hello.started.unwrap(),
        other => panic!("{other:?}"),
    }
}

fn binding(started: &Started) -> Binding {
    Binding {
        signer: started.signer,
        transfer_key_hash: keccak256(&started.transfer_key),
        config_hash: started.config_hash,
        start_hash: start_hash(&[]),
    }
}

fn attest(host: &mut Host, request: Request) -> Result<Attested, FrameError> {
    match host.enclave.handle(request) {
        Response::Attested(attested) => Ok(*attested),
        Response::Error(error) => Err(error),
        other => panic!("{other:?}"),
    }
}

fn signer_of(chain: &Chain, message: &impl SolStruct, signature: &[u8]) -> Address {
    let domain = eip712::oracle_domain(chain.chain_id, chain.oracle);
    let hash = eip712::signing_hash(message, &domain);
    let signature = Signature::from_raw(signature).unwrap();
    assert!(signature.normalize_s().is_none());
    signature.recover_address_from_prehash(&hash).unwrap()
}

fn ask(chain: &Chain, challenge: &[u8], epoch: u32) -> Request {
    Request::Attest {
        challenge: challenge.to_vec(),
        epoch,
        header: chain.header(),
        payee: None,
    }
}

#[test]
fn evidence_for_a_registration_binds_keys_configuration_and_start() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let started = started(&mut host.enclave);
    assert_eq!(started.config_hash, chain.config().hash());
    assert_eq!(started.start_hash, start_hash(&[]));
    let Response::Evidence(evidence) = host.enclave.handle(quote()) else {
        panic!()
    };
    let challenge = Challenge::Registration {
        block_hash: B256::repeat_byte(0xb1),
        registrant: Address::repeat_byte(0x9e),
    };
    assert_eq!(evidence[..], report_data(&binding(&started), &challenge));
    // A client that sends the same bytes gets other evidence.
    let request = ask(&chain, &challenge.bytes(), EPOCH);
    let attested = attest(&mut host, request).unwrap();
    assert_eq!(evidence[..32], attested.bundle[..32]);
    assert_ne!(evidence[32..], attested.bundle[32..]);
}

#[test]
fn a_client_is_told_what_to_encrypt_to_over_its_own_challenge() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let started = started(&mut host.enclave);
    let challenge = Challenge::Client(vec![0xc4; 32]);
    let request = ask(&chain, &challenge.bytes(), EPOCH);
    let attested = attest(&mut host, request).unwrap();
    assert_eq!(
        attested.bundle[..],
        report_data(&binding(&started), &challenge)
    );

    let statement = attested.statement;
    assert_eq!(statement.challengeHash, challenge_hash(&challenge));
    assert_eq!(statement.challengeHash, attested.bundle[32..]);
    assert_eq!((statement.keyGroup, statement.keyEpoch), (GROUP, EPOCH));
    let keys = EpochPublicKey::from_bytes(&host.keys.xwing, host.keys.x25519.as_slice()).unwrap();
    assert_eq!(statement.publicKeyHash, keys.hash());
    assert_eq!(statement.recovery, chain.config().recovery);
    assert_eq!(statement.configHash, started.config_hash);
    assert_eq!(statement.startHash, started.start_hash);
    let HeaderFrame { trusted, .. } = chain.header();
    assert_eq!(statement.headerHash, keccak256(&trusted));
    assert_eq!(statement.headerNumber, chain.number);
    assert_eq!(statement.headerTime, chain.timestamp);

    assert_eq!(
        signer_of(&chain, &statement, &attested.signature),
        started.signer
    );
    assert_eq!(attested.answer, None);
}

#[test]
fn a_challenge_that_was_put_on_chain_is_answered_for_the_payee_named() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let started = started(&mut host.enclave);
    for payee in [Address::ZERO, Address::repeat_byte(0x9a)] {
        let request = Request::Attest {
            challenge: vec![0xc4; 32],
            epoch: EPOCH,
            header: chain.header(),
            payee: Some(payee),
        };
        let attested = attest(&mut host, request).unwrap();
        let answered = attested.answer.unwrap();
        let answer = AttestationAnswer {
            challengeHash: challenge_hash(&Challenge::Client(vec![0xc4; 32])),
            evidenceHash: keccak256(&attested.bundle),
            statementHash: keccak256(&answered.presented),
            payee,
        };
        assert_eq!(
            signer_of(&chain, &answer, &answered.signature),
            started.signer
        );

        // Nothing that a node tells its clients of an enclave is missing.
        let presented = PresentedAttestation::abi_decode_validate(&answered.presented).unwrap();
        assert_eq!(presented.statement, attested.statement);
        assert_eq!(presented.signature, attested.signature);
        let transfer_key_hash = keccak256(&started.transfer_key);
        assert_eq!(presented.transferKeyHash, transfer_key_hash);
        let (xwing, x25519) = (&presented.xwingKey, presented.x25519Key.as_slice());
        let keys = EpochPublicKey::from_bytes(xwing, x25519).unwrap();
        assert_eq!(keys.hash(), presented.statement.publicKeyHash);
        assert_eq!(presented.opening.publicKeyHash, keys.hash());
        assert_eq!(presented.opening.configHash, started.config_hash);
    }
}

#[test]
fn nothing_is_stated_for_guessable_challenges_keys_not_held_or_blocks_not_proven() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    for bytes in [0, 15, 65] {
        let request = ask(&chain, &vec![1; bytes], EPOCH);
        assert_refused(attest(&mut host, request), ErrorCode::Malformed);
    }
    let request = ask(&chain, &[1; 32], EPOCH + 1);
    assert_refused(attest(&mut host, request), ErrorCode::MissingKey);
    let request = Request::Attest {
        challenge: vec![1; 32],
        epoch: EPOCH,
        header: HeaderFrame::default(),
        payee: None,
    };
    assert_refused(attest(&mut host, request), ErrorCode::Proof);
}
