// SPDX-License-Identifier: Apache-2.0
//! `rust.json`: sealed here, opened by JavaScript.

use alloy_primitives::{Address, B256, Bytes, FixedBytes, keccak256};
use hkdf::Hkdf;
use rand_core::SeedableRng;
use sha2::Sha256;
use subrosa_crypto::{
    ContractRoot, EpochId, EpochSecret, RecipientKey, Subject, Suite,
    envelope::{self, Binding, Draft, EnvelopeId, Expected, Purpose, Session, SessionCall},
    reply::{self, ReplyBinding},
};

use crate::fixture::{
    Content, EnvelopeVector, Epoch, ReplyVector, SessionVector, Vectors, path, read,
};

const SUITES: [Suite; 2] = [Suite::XWing, Suite::X25519];
/// Any entry's position.
const SESSION: u64 = 0x0102_0304;

#[test]
fn the_committed_vectors_are_what_this_code_produces() {
    let vectors = vectors();
    if std::env::var("UPDATE_FIXTURES").is_ok_and(|value| value == "1") {
        let json = serde_json::to_string_pretty(&vectors).unwrap();
        std::fs::write(path("rust.json"), json + "\n").unwrap();
    }
    assert_eq!(
        read("rust.json"),
        vectors,
        "run again with UPDATE_FIXTURES=1 if this is meant"
    );
}

#[test]
fn the_committed_vectors_open() {
    let vectors = read("rust.json");
    let keys = vectors.epoch.secret().keys(vectors.epoch.id());
    for vector in &vectors.envelopes {
        let binding = vector.binding();
        let expected = Expected {
            purpose: vector.purpose(),
            epoch: keys.id(),
            timestamp: vector.expiry,
            binding: &binding,
        };
        let opened = envelope::open(&vector.envelope, &keys, &expected)
            .ok()
            .unwrap();
        assert_eq!(
            opened.plaintext.as_slice(),
            &vector.plaintext[..],
            "{}",
            vector.name
        );
    }
    for vector in &vectors.replies {
        let opened = reply::open(&vector.recipient(), &vector.binding(), &vector.reply).unwrap();
        assert_eq!(opened.as_slice(), &vector.output[..], "{}", vector.name);
    }
    assert_eq!(vectors.assert_sessions_open(), 2 * SUITES.len());
}

/// The key schedule as its documentation has it, written down a second time.
#[test]
fn epoch_keys_follow_from_the_secret_as_documented() {
    let epoch = read("rust.json").epoch;
    let keys = epoch.secret().keys(epoch.id());
    let hkdf = Hkdf::<Sha256>::new(
        Some(b"subrosa/v1/epoch-secret"),
        epoch.test_secret.as_slice(),
    );
    for (suite, label) in [
        (Suite::XWing, "subrosa/v1/epoch-key/x-wing"),
        (Suite::X25519, "subrosa/v1/epoch-key/x25519"),
    ] {
        let mut info = (label.len() as u64).to_be_bytes().to_vec();
        info.extend_from_slice(label.as_bytes());
        for field in [epoch.key_group, epoch.key_epoch] {
            info.extend_from_slice(&4u64.to_be_bytes());
            info.extend_from_slice(&field.to_be_bytes());
        }
        let mut seed = [0; 32];
        hkdf.expand(&info, &mut seed).unwrap();
        let public = RecipientKey::from_seed(suite, &seed).public_key();
        assert_eq!(&public, keys.public().recipient(suite));
    }
    assert_eq!(keys.public().hash(), epoch.public_key_hash);
}

fn vectors() -> Vectors {
    let test_secret = keccak256("test epoch secret");
    let id = EpochId { group: 1, epoch: 7 };
    let keys = EpochSecret::from_bytes(&test_secret).keys(id);
    let public_key = |suite| Bytes::from(keys.public().recipient(suite).to_bytes());

    let mut envelopes = Vec::new();
    let mut replies = Vec::new();
    let mut sessions = Vec::new();
    for suite in SUITES {
        for (name, purpose, content) in contents() {
            let name = format!("{suite:?}, {name}");
            let plaintext = content.encode();
            let binding = Binding {
                chain_id: 31337,
                oracle: word(&name, "oracle"),
                contract_id: keccak256(format!("{name}: contract id")),
                requester: word(&name, "requester"),
                context: keccak256(format!("{name}: context")),
            };
            let envelope_id = FixedBytes::<16>::from_slice(&keccak256(&name)[..16]);
            let draft = Draft {
                suite,
                purpose,
                epoch: id,
                id: EnvelopeId::from_bytes(envelope_id.0),
                expiry: 2_000_000_000,
                recipients: B256::ZERO,
                binding: &binding,
            };
            let mut rng =
                chacha20::ChaCha20Rng::from_seed(keccak256(format!("{name}: randomness")).0);
            let (sealed, secret) =
                envelope::seal_opening_session(&draft, keys.public(), &plaintext, &mut rng)
                    .unwrap();
            if name.ends_with("sealed output") {
                let session = Session::new(SESSION, suite, &secret);
                for length in [36, 200] {
                    sessions.push(session_vector(&session, envelopes.len(), &draft, length));
                }
            }
            envelopes.push(EnvelopeVector {
                name,
                sealed_with: "subrosa-crypto".into(),
                suite: suite as u8,
                purpose: purpose as u8,
                id: envelope_id,
                expiry: draft.expiry,
                recipients: draft.recipients,
                chain_id: binding.chain_id,
                oracle: binding.oracle,
                contract_id: binding.contract_id,
                requester: binding.requester,
                context: binding.context,
                content,
                plaintext: plaintext.into(),
                envelope: sealed.into(),
            });
        }
        for (name, subject_kind, output) in [
            ("word to an entry", 1, vec![0x2a; 32]),
            ("empty", 1, vec![]),
            ("query", 2, vec![7; 300]),
        ] {
            replies.push(reply_vector(suite, name, subject_kind, output));
        }
    }
    Vectors {
        warning: "TEST KEYS: every secret in this file is public".into(),
        epoch: Epoch {
            test_secret,
            key_group: id.group,
            key_epoch: id.epoch,
            x_wing_public_key: public_key(Suite::XWing),
            x25519_public_key: public_key(Suite::X25519),
            public_key_hash: keys.public().hash(),
        },
        envelopes,
        replies,
        sessions,
    }
}

fn session_vector(
    session: &Session,
    opening: usize,
    draft: &Draft<'_>,
    length: usize,
) -> SessionVector {
    let name = format!("{:?}, {length} bytes in a session", draft.suite);
    let id = FixedBytes::<16>::from_slice(&keccak256(&name)[..16]);
    let input = vec![0x5e; length];
    let call = SessionCall {
        epoch: draft.epoch,
        id: EnvelopeId::from_bytes(id.0),
        expiry: draft.expiry,
        binding: draft.binding,
    };
    let mut vector = SessionVector {
        opening,
        session: SESSION,
        id,
        expiry: draft.expiry,
        envelope: session.seal(&call, &input).unwrap().into(),
        input: input.into(),
        digest: keccak256(format!("{name}: digest")),
        output: vec![0x2a; length].into(),
        reply: Bytes::new(),
        name,
    };
    let binding = vector.reply_binding(draft.binding);
    let reply = reply::seal_in_session(session, &binding, &vector.output).unwrap();
    vector.reply = reply.into();
    vector
}

fn reply_vector(suite: Suite, name: &str, subject_kind: u8, output: Vec<u8>) -> ReplyVector {
    let name = format!("{suite:?}, {name}");
    let recipient_test_seed = keccak256(format!("{name}: test seed"));
    let recipient = RecipientKey::from_seed(suite, &recipient_test_seed).public_key();
    let subject = keccak256(format!("{name}: subject"));
    let binding = ReplyBinding {
        chain_id: 31337,
        oracle: word(&name, "oracle"),
        contract_id: keccak256(format!("{name}: contract id")),
        subject: if subject_kind == 1 {
            Subject::Entry(subject)
        } else {
            Subject::Query(subject)
        },
    };
    let root = ContractRoot::from_bytes(&keccak256("test contract root").0);
    let sealed = reply::seal(&root, &binding, &recipient, &output).unwrap();
    ReplyVector {
        name,
        suite: suite as u8,
        recipient_test_seed,
        reply_key: recipient.to_tagged().into(),
        chain_id: binding.chain_id,
        oracle: binding.oracle,
        contract_id: binding.contract_id,
        subject_kind,
        subject,
        output: output.into(),
        reply: sealed.into(),
    }
}

fn contents() -> [(&'static str, Purpose, Content); 4] {
    let reply_key = RecipientKey::from_seed(Suite::X25519, &[3; 32])
        .public_key()
        .to_tagged();
    [
        (
            "deployment",
            Purpose::Deploy,
            Content::Deploy {
                engine: 1,
                salt: keccak256("salt"),
                code: vec![0x60; 700].into(),
                init: vec![1; 32].into(),
            },
        ),
        (
            "call with a public output",
            Purpose::Call,
            Content::Call {
                input: vec![0xab; 36].into(),
                reply_key: Bytes::new(),
            },
        ),
        (
            "call with a sealed output",
            Purpose::Call,
            Content::Call {
                input: vec![0xcd; 100].into(),
                reply_key: reply_key.clone().into(),
            },
        ),
        (
            "query",
            Purpose::Query,
            Content::Query {
                input: vec![0xef; 4].into(),
                reply_key: reply_key.into(),
                nonce: keccak256("nonce"),
                expiry: 2_000_000_000,
                caller: Address::repeat_byte(0x77),
                signature: vec![0x88; 65].into(),
            },
        ),
    ]
}

fn word(name: &str, what: &str) -> Address {
    Address::from_word(keccak256(format!("{name}: {what}")))
}
