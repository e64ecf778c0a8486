// SPDX-License-Identifier: Apache-2.0
use proptest::prelude::*;

use super::*;

const SUITES: [Suite; 2] = [Suite::XWing, Suite::X25519];

const BINDING: ReplyBinding = ReplyBinding {
    chain_id: 31337,
    oracle: Address::repeat_byte(0x11),
    contract_id: B256::repeat_byte(0x22),
    subject: Subject::Entry(B256::repeat_byte(0x33)),
};

fn root() -> ContractRoot {
    ContractRoot::from_bytes(&[1; 32])
}

fn key(suite: Suite) -> RecipientKey {
    RecipientKey::from_seed(suite, &[2; 32])
}

fn sealed(suite: Suite, output: &[u8]) -> Vec<u8> {
    seal(&root(), &BINDING, &key(suite).public_key(), output).unwrap()
}

#[test]
fn the_client_opens_what_was_sealed_and_its_length_is_a_class() {
    for suite in SUITES {
        for (len, padded) in [
            (0, 64),
            (32, 64),
            (60, 64),
            (61, 128),
            (1000, 1024),
            (1021, 2048),
        ] {
            let output = vec![0xab; len];
            let reply = sealed(suite, &output);
            assert_eq!(reply.len(), 4 + suite.encapsulated_len() + padded + 16);
            let opened = open(&key(suite), &BINDING, &reply).unwrap();
            assert_eq!(opened.as_slice(), output);
        }
    }
}

#[test]
fn sealing_is_deterministic_and_each_argument_matters() {
    for suite in SUITES {
        let reply = sealed(suite, b"output");
        assert_eq!(reply, sealed(suite, b"output"));
        let encapsulated = |reply: &[u8]| reply[4..4 + suite.encapsulated_len()].to_vec();
        let other_subject = ReplyBinding {
            subject: Subject::Query(B256::repeat_byte(0x33)),
            ..BINDING
        };
        let others = [
            sealed(suite, b"outpuT"),
            seal(&root(), &other_subject, &key(suite).public_key(), b"output").unwrap(),
            seal(
                &root(),
                &BINDING,
                &RecipientKey::from_seed(suite, &[3; 32]).public_key(),
                b"output",
            )
            .unwrap(),
            seal(
                &ContractRoot::from_bytes(&[2; 32]),
                &BINDING,
                &key(suite).public_key(),
                b"output",
            )
            .unwrap(),
        ];
        for (index, other) in others.iter().enumerate() {
            // Another key each time, so that no two plaintexts meet under one key and nonce.
            assert_ne!(encapsulated(other), encapsulated(&reply), "{index}");
        }
    }
}

#[test]
fn another_binding_does_not_open() {
    let reply = sealed(Suite::X25519, b"output");
    for binding in [
        ReplyBinding {
            chain_id: 1,
            ..BINDING
        },
        ReplyBinding {
            oracle: Address::ZERO,
            ..BINDING
        },
        ReplyBinding {
            contract_id: B256::ZERO,
            ..BINDING
        },
        ReplyBinding {
            subject: Subject::Entry(B256::ZERO),
            ..BINDING
        },
        ReplyBinding {
            subject: Subject::Query(B256::repeat_byte(0x33)),
            ..BINDING
        },
    ] {
        assert_eq!(
            open(&key(Suite::X25519), &binding, &reply),
            Err(ReplyError::DoesNotOpen),
            "{binding:?}"
        );
    }
}

#[test]
fn another_key_does_not_open() {
    let reply = sealed(Suite::X25519, b"output");
    let other = RecipientKey::from_seed(Suite::X25519, &[3; 32]);
    assert_eq!(open(&other, &BINDING, &reply), Err(ReplyError::DoesNotOpen));
    assert_eq!(
        open(&key(Suite::XWing), &BINDING, &reply),
        Err(ReplyError::OtherSuite)
    );
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    for suite in SUITES {
        let key = key(suite);
        let reply = sealed(suite, b"output");
        for bit in 0..reply.len() * 8 {
            let mut altered = reply.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(
                open(&key, &BINDING, &altered).is_err(),
                "{suite:?} bit {bit}"
            );
        }
        for len in 0..reply.len() {
            assert_eq!(
                open(&key, &BINDING, &reply[..len]),
                Err(ReplyError::Malformed)
            );
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1400)) {
        let _ = open(&key(Suite::X25519), &BINDING, &bytes);
        let _ = open(&key(Suite::X25519), &BINDING, &[&[1, 2, 4, 6], bytes.as_slice()].concat());
    }
}
