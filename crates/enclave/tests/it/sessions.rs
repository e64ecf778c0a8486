// SPDX-License-Identifier: Apache-2.0
//! Sessions: what opens one, what opens in one, and when it ends.

use alloy_primitives::{Address, B256, Bytes};
use subrosa_crypto::{
    EpochId, RecipientKey, Subject, Suite,
    envelope::{EnvelopeId, Purpose, Session, SessionCall},
    plaintext,
    reply::{self, ReplyBinding},
};
use subrosa_enclave_core::MAX_SESSION_LIFETIME;
use subrosa_types::{ContractId, abi::CallPlaintext, frame::ExecutedEntry, result::Status};

use crate::{
    chain::{Ask, Chain, EPOCH, GROUP},
    guest,
    harness::{Host, binding},
};

const SEALED: fn() -> Ask = || Ask {
    sealed: true,
    ..Ask::default()
};

const OPENING: fn() -> Ask = || Ask {
    opens_session: true,
    ..SEALED()
};

struct Scene {
    chain: Chain,
    host: Host,
    contract: ContractId,
    ids: u8,
}

impl Scene {
    fn new() -> Self {
        let mut chain = Chain::new();
        let mut host = Host::new(&mut chain);
        let (contract, _) = host.deploy(&mut chain, 100);
        Self {
            chain,
            host,
            contract,
            ids: 0,
        }
    }

    /// Executes a call of `input` that opens a session, and gives the session.
    fn open(&mut self, input: Vec<u8>, reply: Option<&RecipientKey>) -> (ExecutedEntry, Session) {
        let reply_key = reply.map(|key| key.public_key().to_tagged());
        let plaintext = plaintext::encode(CallPlaintext {
            input: input.into(),
            replyKey: reply_key.unwrap_or_default().into(),
            padding: Bytes::new(),
        });
        let (envelope, secret) = self.host.seal_opening_session(
            &self.chain,
            self.contract,
            OPENING(),
            Purpose::Call,
            &plaintext,
        );
        let result = self
            .host
            .call(&mut self.chain, self.contract, OPENING(), envelope);
        let session = Session::new(result.seq, Suite::XWing, &secret);
        (result, session)
    }

    fn seal(&mut self, session: &Session, ask: Ask, input: &[u8]) -> Bytes {
        self.ids += 1;
        let draft = SessionCall {
            epoch: EpochId {
                group: GROUP,
                epoch: EPOCH,
            },
            id: EnvelopeId::from_bytes([self.ids; 16]),
            expiry: self.chain.timestamp + 3_600,
            binding: &binding(&self.chain, self.contract, ask),
        };
        session.seal(&draft, input).unwrap().into()
    }

    fn call(&mut self, ask: Ask, input: Bytes) -> ExecutedEntry {
        self.host.call(&mut self.chain, self.contract, ask, input)
    }

    fn call_in(&mut self, session: &Session, input: Vec<u8>) -> ExecutedEntry {
        let envelope = self.seal(session, SEALED(), &input);
        self.call(SEALED(), envelope)
    }
}

#[test]
fn a_session_carries_calls_and_their_outputs_go_where_its_opening_said() {
    let mut scene = Scene::new();
    let key = RecipientKey::from_seed(Suite::X25519, &[7; 32]);
    let (opening, session) = scene.open(guest::add(1), Some(&key));
    assert_eq!(opening.status, Status::Succeeded);
    for (amount, total) in [(2, 103), (3, 106)] {
        let envelope = scene.seal(&session, SEALED(), &guest::add(amount));
        let entry = scene.chain.request(scene.contract, SEALED(), envelope);
        let digest = entry.entry.digest(scene.chain.chain_id, scene.chain.oracle);
        let executed = scene
            .host
            .execute(&scene.chain, scene.contract, vec![entry])
            .unwrap();
        let result = &executed.results[0];
        assert_eq!(result.status, Status::Succeeded);
        assert!(result.output.is_empty());
        let binding = ReplyBinding {
            chain_id: scene.chain.chain_id,
            oracle: scene.chain.oracle,
            contract_id: scene.contract,
            subject: Subject::Entry(digest),
        };
        let output = reply::open(&key, &binding, &result.sealed_output).unwrap();
        assert_eq!(&output[..], guest::uint(total));
    }
}

#[test]
fn a_session_without_reply_key_answers_in_public() {
    let mut scene = Scene::new();
    let (_, session) = scene.open(guest::add(1), None);
    let result = scene.call_in(&session, guest::add(2));
    assert_eq!(result.output.as_ref(), guest::uint(103));
}

#[test]
fn a_session_opens_although_the_guest_fails() {
    let mut scene = Scene::new();
    let (opening, session) = scene.open(vec![1, 2, 3], None);
    assert_eq!(opening.status, Status::Failed);
    let result = scene.call_in(&session, guest::add(2));
    assert_eq!(result.status, Status::Succeeded);
}

#[test]
fn an_envelope_of_no_session_or_for_another_requester_is_rejected_and_the_log_moves_on() {
    let mut scene = Scene::new();
    let (opening, session) = scene.open(guest::add(1), None);
    let secret = subrosa_crypto::envelope::SessionSecret::from_bytes(&[9; 32]);
    let forged = [
        Session::new(opening.seq, Suite::XWing, &secret),
        Session::new(opening.seq, Suite::X25519, &secret),
        Session::new(opening.seq + 1, Suite::XWing, &secret),
        Session::new(u64::MAX, Suite::XWing, &secret),
    ];
    for session in &forged {
        let result = scene.call_in(session, guest::add(1));
        assert_eq!(result.status, Status::Rejected);
    }
    let others = [
        Ask {
            requester: Address::repeat_byte(0x78),
            ..SEALED()
        },
        Ask {
            context: B256::repeat_byte(1),
            ..SEALED()
        },
    ];
    for other in others {
        let envelope = scene.seal(&session, SEALED(), &guest::add(1));
        assert_eq!(scene.call(other, envelope).status, Status::Rejected);
    }
    let result = scene.call_in(&session, guest::add(0));
    assert_eq!(result.output.as_ref(), guest::uint(101));
}

#[test]
fn an_envelope_of_a_session_opens_once() {
    let mut scene = Scene::new();
    let (_, session) = scene.open(guest::add(1), None);
    let envelope = scene.seal(&session, SEALED(), &guest::add(1));
    assert_eq!(
        scene.call(SEALED(), envelope.clone()).status,
        Status::Succeeded
    );
    assert_eq!(scene.call(SEALED(), envelope).status, Status::Rejected);
}

#[test]
fn an_envelope_without_a_key_opens_no_session_and_a_rejected_one_neither() {
    let mut scene = Scene::new();
    let (_, session) = scene.open(guest::add(1), None);
    let envelope = scene.seal(&session, OPENING(), &guest::add(1));
    assert_eq!(scene.call(OPENING(), envelope).status, Status::Rejected);

    // The plaintext does not decode, so there is no reply key to remember.
    let (envelope, secret) = scene.host.seal_opening_session(
        &scene.chain,
        scene.contract,
        OPENING(),
        Purpose::Call,
        &[1; 64],
    );
    let opening = scene.call(OPENING(), envelope);
    assert_eq!(opening.status, Status::Rejected);
    let session = Session::new(opening.seq, Suite::XWing, &secret);
    let result = scene.call_in(&session, guest::add(1));
    assert_eq!(result.status, Status::Rejected);
}

#[test]
fn a_call_that_asks_for_no_session_opens_none() {
    let mut scene = Scene::new();
    let plaintext = plaintext::encode(CallPlaintext {
        input: guest::add(1).into(),
        replyKey: Bytes::new(),
        padding: Bytes::new(),
    });
    let (envelope, secret) = scene.host.seal_opening_session(
        &scene.chain,
        scene.contract,
        SEALED(),
        Purpose::Call,
        &plaintext,
    );
    let result = scene.call(SEALED(), envelope);
    let session = Session::new(result.seq, Suite::XWing, &secret);
    let result = scene.call_in(&session, guest::add(1));
    assert_eq!(result.status, Status::Rejected);
}

#[test]
fn a_session_ends_after_its_time() {
    let mut scene = Scene::new();
    let (_, session) = scene.open(guest::add(1), None);
    scene.chain.timestamp += MAX_SESSION_LIFETIME - 12;
    let result = scene.call_in(&session, guest::add(1));
    assert_eq!(result.status, Status::Succeeded);
    let result = scene.call_in(&session, guest::add(1));
    assert_eq!(result.status, Status::Rejected);
}

#[test]
fn sessions_survive_a_restart_from_sealed_state() {
    let mut scene = Scene::new();
    let (contract, deployment) = scene.host.deploy(&mut scene.chain, 100);
    scene.contract = contract;
    let (opening, session) = scene.open(guest::add(1), None);
    let mut other = scene.host.restart(&scene.chain, 2);
    let blobs = vec![deployment.blob, opening.blob];
    assert_eq!(other.load(contract, blobs).unwrap(), 2);

    let envelope = scene.seal(&session, SEALED(), &guest::add(2));
    let entry = scene.chain.request(contract, SEALED(), envelope);
    let [here, there] = [&mut scene.host, &mut other].map(|host| {
        let executed = host.execute(&scene.chain, contract, vec![entry.clone()]);
        executed.unwrap().results.remove(0)
    });
    assert_eq!(here, there);
    assert_eq!(here.output.as_ref(), guest::uint(103));
}

#[test]
fn a_stateless_contract_opens_no_session() {
    let mut scene = Scene::new();
    let plaintext = plaintext::encode(CallPlaintext {
        input: guest::add(1).into(),
        replyKey: Bytes::new(),
        padding: Bytes::new(),
    });
    for (ask, status) in [(OPENING(), Status::Rejected), (SEALED(), Status::Succeeded)] {
        let envelope =
            scene
                .host
                .seal(&scene.chain, scene.contract, ask, Purpose::Call, &plaintext);
        let mut entry = scene.chain.request(scene.contract, ask, envelope);
        entry.entry.previousDigest = B256::ZERO;
        scene.chain.log(&entry.entry);
        let executed = scene
            .host
            .execute(&scene.chain, scene.contract, vec![entry])
            .unwrap();
        assert_eq!(executed.results[0].status, status);
    }
}
