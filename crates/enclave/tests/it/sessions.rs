// SPDX-License-Identifier: Apache-2.0
//! Sessions: what opens one, what opens in one, and when it ends.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolError};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use subrosa_crypto::{
    EpochId, EpochPublicKey, RecipientKey, Subject, Suite,
    envelope::{self, Draft, EnvelopeId, Purpose, Session, SessionCall},
    plaintext,
    reply::{self, ReplyBinding},
};
use subrosa_enclave_core::{MAX_ENVELOPE_LIFETIME, MAX_HOLDER_SESSIONS, MAX_SESSION_LIFETIME};
use subrosa_types::{ContractId, abi::CallPlaintext, frame::ExecutedEntry, result::Status};

use crate::{
    chain::{Ask, Chain, EPOCH, GROUP},
    guest,
    harness::{Host, binding, context_of},
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
    /// Of the entry that was executed last.
    last_digest: B256,
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
            last_digest: B256::ZERO,
        }
    }

    /// Executes a call of `input` that opens a session, and gives the session.
    fn open(&mut self, input: Vec<u8>, reply: Option<&RecipientKey>) -> (ExecutedEntry, Session) {
        self.open_as(OPENING(), input, reply)
    }

    fn open_as(
        &mut self,
        ask: Ask,
        input: Vec<u8>,
        reply: Option<&RecipientKey>,
    ) -> (ExecutedEntry, Session) {
        let reply_key = reply.map(|key| key.public_key().to_tagged());
        let plaintext = plaintext::encode(CallPlaintext {
            input: input.into(),
            replyKey: reply_key.unwrap_or_default().into(),
            padding: Bytes::new(),
        });
        let (envelope, secret) = self.host.seal_opening_session(
            &self.chain,
            self.contract,
            ask,
            Purpose::Call,
            &plaintext,
        );
        let result = self.call(ask, envelope);
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
        let entry = self.chain.request(self.contract, ask, input);
        self.last_digest = entry.entry.digest(self.chain.chain_id, self.chain.oracle);
        let executed = self.host.execute(&self.chain, self.contract, vec![entry]);
        executed.unwrap().results.remove(0)
    }

    fn reply_to(&self, digest: B256) -> ReplyBinding {
        ReplyBinding {
            chain_id: self.chain.chain_id,
            oracle: self.chain.oracle,
            contract_id: self.contract,
            subject: Subject::Entry(digest),
        }
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
    // The opening call's own answer goes to the key that it named.
    let digest = scene.last_digest;
    let output = reply::open(&key, &scene.reply_to(digest), &opening.sealed_output).unwrap();
    assert_eq!(&output[..], guest::uint(101));
    for (amount, total) in [(2, 103), (3, 106)] {
        let envelope = scene.seal(&session, SEALED(), &guest::add(amount));
        let result = scene.call(SEALED(), envelope);
        assert_eq!(result.status, Status::Succeeded);
        assert!(result.output.is_empty());
        let binding = scene.reply_to(scene.last_digest);
        let output = reply::open_in_session(&session, &binding, &result.sealed_output).unwrap();
        assert_eq!(&output[..], guest::uint(total));

        // Whoever has only the key, or another session, reads nothing.
        assert!(reply::open(&key, &binding, &result.sealed_output).is_err());
        let secret = subrosa_crypto::envelope::SessionSecret::from_bytes(&[9; 32]);
        let other = Session::new(session.id(), Suite::XWing, &secret);
        assert!(reply::open_in_session(&other, &binding, &result.sealed_output).is_err());
    }
}

#[test]
fn why_a_call_in_a_session_failed_is_for_its_holder_and_as_long_as_a_success() {
    let mut scene = Scene::new();
    let key = RecipientKey::from_seed(Suite::X25519, &[7; 32]);
    let (_, session) = scene.open(guest::add(1), Some(&key));
    let refuse = guest::refuseCall {
        reason: U256::from(5),
    };
    let failed = scene.call_in(&session, refuse.abi_encode());
    let binding = scene.reply_to(scene.last_digest);
    assert_eq!(failed.status, Status::Failed);
    assert!(failed.output.is_empty());
    let output = reply::open_in_session(&session, &binding, &failed.sealed_output).unwrap();
    let refused = guest::Refused {
        reason: U256::from(5),
    };
    assert_eq!(&output[..], refused.abi_encode());
    let succeeded = scene.call_in(&session, guest::add(1));
    assert_eq!(failed.sealed_output.len(), succeeded.sealed_output.len());
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

/// A call that `user` makes through `requester`, a consumer contract; each has another `nonce`.
fn behind(requester: Address, user: Address, nonce: u64) -> Ask {
    Ask {
        requester,
        context: context_of(user, nonce),
        ..SEALED()
    }
}

fn account(number: u64) -> Address {
    Address::left_padding_from(&(number + 0x1000).to_be_bytes())
}

const CONSUMER: Address = Address::repeat_byte(0xc0);
const ALICE: Address = Address::repeat_byte(0xa1);

/// Thousands of strangers, behind the same consumer and each for itself, with sessions and envelopes
/// of every kind: what a user has and is about to do is as if they were not there.
#[test]
fn strangers_by_the_thousand_leave_another_user_untouched() {
    let mut scene = Scene::new();
    let opening = |ask| Ask {
        opens_session: true,
        ..ask
    };
    let (opened, session) = scene.open_as(opening(behind(CONSUMER, ALICE, 0)), guest::add(1), None);
    assert_eq!(opened.status, Status::Succeeded);
    // An envelope that is used and lives as long as any.
    let mut later = scene.chain.clone();
    later.timestamp += MAX_ENVELOPE_LIFETIME - 3_600;
    let ask = behind(CONSUMER, ALICE, 1);
    let used = scene
        .host
        .seal_call(&later, scene.contract, ask, guest::add(1), None);
    assert_eq!(scene.call(ask, used.clone()).status, Status::Succeeded);

    let strangers = (0..2_000).map(|number| match number % 4 {
        // Users behind the consumer, one of whom does nothing else.
        0 => opening(behind(CONSUMER, account(number), 0)),
        1 => opening(behind(CONSUMER, account(0), number)),
        // Requesters, who may say what they like of their users: among them that they speak for
        // Alice, and one that does so all the time.
        2 => opening(behind(account(number), ALICE, number)),
        _ => opening(behind(account(1), ALICE, number)),
    });
    let plaintext = plaintext::encode(CallPlaintext {
        input: guest::add(0).into(),
        replyKey: Bytes::new(),
        padding: Bytes::new(),
    });
    let mut entries = Vec::new();
    for ask in strangers {
        let (chain, contract) = (&scene.chain, scene.contract);
        let envelope = scene
            .host
            .seal(chain, contract, ask, Purpose::Call, &plaintext);
        entries.push(scene.chain.request(scene.contract, ask, envelope));
    }
    while !entries.is_empty() {
        let some = entries[..entries.len().min(400)].to_vec();
        let executed = scene.host.execute(&scene.chain, scene.contract, some);
        let results = executed.unwrap().results;
        assert!(!results.is_empty());
        for result in &results {
            assert_eq!(result.status, Status::Succeeded);
        }
        entries.drain(..results.len());
    }

    // The session still opens, the used envelope still does not, and there is room for another of each.
    let ask = behind(CONSUMER, ALICE, 2);
    let envelope = scene.seal(&session, ask, &guest::add(1));
    assert_eq!(scene.call(ask, envelope).status, Status::Succeeded);
    let replayed = scene.call(behind(CONSUMER, ALICE, 1), used);
    assert_eq!(replayed.status, Status::Rejected);
    let ask = opening(behind(CONSUMER, ALICE, 3));
    let (opened, another) = scene.open_as(ask, guest::add(1), None);
    assert_eq!(opened.status, Status::Succeeded);
    for (session, nonce) in [(&session, 4), (&another, 5)] {
        let ask = behind(CONSUMER, ALICE, nonce);
        let envelope = scene.seal(session, ask, &guest::add(1));
        assert_eq!(scene.call(ask, envelope).status, Status::Succeeded);
    }
}

#[test]
fn ones_own_oldest_session_makes_room_and_nobody_elses() {
    let mut scene = Scene::new();
    let opening = |user, nonce| Ask {
        opens_session: true,
        ..behind(CONSUMER, user, nonce)
    };
    let bob = Address::repeat_byte(0xb0);
    let (_, bobs) = scene.open_as(opening(bob, 0), guest::add(0), None);
    let sessions: Vec<Session> = (0..=MAX_HOLDER_SESSIONS as u64)
        .map(|nonce| scene.open_as(opening(ALICE, nonce), guest::add(0), None).1)
        .collect();
    let mut status = |user, session: &Session, nonce| {
        let ask = behind(CONSUMER, user, nonce);
        let envelope = scene.seal(session, ask, &guest::add(0));
        scene.call(ask, envelope).status
    };
    assert_eq!(status(ALICE, &sessions[0], 1_000), Status::Rejected);
    assert_eq!(status(ALICE, &sessions[1], 1_001), Status::Succeeded);
    assert_eq!(status(bob, &bobs, 1), Status::Succeeded);
    // Whoever holds the secret of another user's session cannot use it in their own name.
    assert_eq!(status(bob, &sessions[1], 2), Status::Rejected);
}

/// The id of an envelope can be read off the chain before it is executed.
#[test]
fn an_envelopes_id_in_anothers_hands_is_another_envelope() {
    let mut scene = Scene::new();
    let draft = |scene: &Scene, ask| {
        let binding = binding(&scene.chain, scene.contract, ask);
        let keys = &scene.host.keys;
        let recipient = EpochPublicKey::from_bytes(&keys.xwing, keys.x25519.as_slice()).unwrap();
        let draft = Draft {
            suite: Suite::X25519,
            purpose: Purpose::Call,
            epoch: EpochId {
                group: GROUP,
                epoch: EPOCH,
            },
            id: EnvelopeId::from_bytes([0x1d; 16]),
            expiry: 1_800_003_600,
            recipients: B256::ZERO,
            binding: &binding,
        };
        let plaintext = plaintext::encode(CallPlaintext {
            input: guest::add(1).into(),
            replyKey: Bytes::new(),
            padding: Bytes::new(),
        });
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let envelope = envelope::seal(&draft, &recipient, &plaintext, &mut rng).unwrap();
        Bytes::from(envelope)
    };
    let alices = behind(CONSUMER, ALICE, 0);
    let envelope = draft(&scene, alices);
    let strangers = [
        behind(CONSUMER, account(1), 0),
        behind(account(2), ALICE, 0),
    ];
    for ask in strangers {
        let copied = draft(&scene, ask);
        assert_eq!(scene.call(ask, copied).status, Status::Succeeded);
    }
    assert_eq!(
        scene.call(alices, envelope.clone()).status,
        Status::Succeeded
    );
    assert_eq!(scene.call(alices, envelope).status, Status::Rejected);
}
