// SPDX-License-Identifier: Apache-2.0
use std::collections::HashSet;

use alloy_primitives::{Address, B256};
use proptest::prelude::*;

use super::*;
use crate::{RecipientKey, Suite, envelope::SessionSecret, reply};

const SUITES: [Suite; 2] = [Suite::XWing, Suite::X25519];

const BINDING: ReplyBinding = ReplyBinding {
    chain_id: 31337,
    oracle: Address::repeat_byte(0x11),
    contract_id: B256::repeat_byte(0x22),
    subject: Subject::Entry(B256::repeat_byte(0x33)),
};

fn session(id: u64, suite: Suite, secret: u8) -> Session {
    Session::new(id, suite, &SessionSecret::from_bytes(&[secret; 32]))
}

fn sealed(output: &[u8]) -> Vec<u8> {
    seal_in_session(&session(7, Suite::XWing, 1), &BINDING, output).unwrap()
}

#[test]
fn the_client_opens_what_was_sealed_and_its_length_is_a_class() {
    for suite in SUITES {
        for (len, padded) in [(0, 64), (32, 64), (60, 64), (61, 128), (1021, 2048)] {
            let session = session(7, suite, 1);
            let output = vec![0xab; len];
            let reply = seal_in_session(&session, &BINDING, &output).unwrap();
            assert_eq!(reply.len(), 4 + 12 + padded + 16);
            assert_eq!(reply, seal_in_session(&session, &BINDING, &output).unwrap());
            let opened = open_in_session(&session, &BINDING, &reply).unwrap();
            assert_eq!(opened.as_slice(), output);
        }
    }
}

#[test]
fn nobody_else_opens_it_and_it_answers_nothing_else() {
    let reply = sealed(b"output");
    let refused = |session: &Session, binding: ReplyBinding| {
        open_in_session(session, &binding, &reply).err().unwrap()
    };
    let does_not_open = ReplyError::DoesNotOpen;
    assert_eq!(
        refused(&session(7, Suite::XWing, 2), BINDING),
        does_not_open
    );
    assert_eq!(
        refused(&session(8, Suite::XWing, 1), BINDING),
        does_not_open
    );
    assert_eq!(
        refused(&session(7, Suite::X25519, 1), BINDING),
        ReplyError::OtherSuite
    );
    let ours = session(7, Suite::XWing, 1);
    for other in [
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
        assert_eq!(refused(&ours, other), does_not_open, "{other:?}");
    }
    // Neither form of reply is taken for the other.
    let key = RecipientKey::from_seed(Suite::XWing, &[1; 32]);
    assert_eq!(
        reply::open(&key, &BINDING, &reply).err(),
        Some(ReplyError::Malformed)
    );
    let root = crate::ContractRoot::from_bytes(&[1; 32]);
    let other = reply::seal(&root, &BINDING, &key.public_key(), b"output").unwrap();
    assert_eq!(
        open_in_session(&ours, &BINDING, &other).err(),
        Some(ReplyError::Malformed)
    );
}

#[test]
fn every_flipped_bit_and_every_other_length_is_refused() {
    let session = session(7, Suite::XWing, 1);
    let reply = sealed(b"output");
    for bit in 0..reply.len() * 8 {
        let mut altered = reply.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(
            open_in_session(&session, &BINDING, &altered).is_err(),
            "bit {bit}"
        );
    }
    for len in 0..reply.len() {
        assert_eq!(
            open_in_session(&session, &BINDING, &reply[..len]).err(),
            Some(ReplyError::Malformed)
        );
    }
    let mut longer = reply;
    longer.push(0);
    assert_eq!(
        open_in_session(&session, &BINDING, &longer).err(),
        Some(ReplyError::Malformed)
    );
}

/// What a reassigned entry's two executions answer is sealed under one key.
#[test]
fn two_answers_to_one_entry_never_share_key_and_nonce() {
    let mut seen = HashSet::new();
    let session = session(7, Suite::XWing, 1);
    let mut keystreams = HashSet::new();
    for number in 0..4_096u32 {
        // The same length, and most of the bytes the same: only the last two differ.
        let mut output = [0; 32];
        output[28..].copy_from_slice(&number.to_be_bytes());
        let reply = seal_in_session(&session, &BINDING, &output).unwrap();
        assert!(seen.insert(reply[4..16].to_vec()), "{number}");
        // Encryption is a stream: xor of what is known and what is seen.
        let stream: Vec<u8> = reply[20..52]
            .iter()
            .zip(output)
            .map(|(seen, known)| seen ^ known)
            .collect();
        assert!(keystreams.insert(stream), "{number}");
    }
    // Another entry has another key, whatever its answer is.
    let other = ReplyBinding {
        subject: Subject::Entry(B256::ZERO),
        ..BINDING
    };
    let here = keys(&session, BINDING.subject);
    let there = keys(&session, other.subject);
    assert_ne!(*here.encryption, *there.encryption);
    assert_ne!(*here.nonce, *there.nonce);
}

/// The nonce is part of what is checked: GCM-SIV alone would take a message that was sealed under
/// any nonce.
#[test]
fn a_reply_under_a_nonce_of_somebodys_choice_is_refused() {
    let session = session(7, Suite::XWing, 1);
    let class = SizeClass::holding(6, MIN_CLASS).unwrap();
    let mut buffer = class.pad(b"output").unwrap();
    let header = header(&session, class);
    let aad = additional_data(&session, &BINDING, header);
    let keys = keys(&session, BINDING.subject);
    let nonce = [9; NONCE_LEN];
    let tag = crate::cipher::Aes256::<crate::cipher::GcmSiv>::with_key(&keys.encryption)
        .seal(nonce, &aad, &mut buffer)
        .unwrap();
    let reply = [header.as_slice(), &nonce, &buffer, &tag].concat();
    assert_eq!(
        open_in_session(&session, &BINDING, &reply).err(),
        Some(ReplyError::DoesNotOpen)
    );
}

proptest! {
    #[test]
    fn any_output_survives_and_arbitrary_bytes_do_not_panic(
        output in proptest::collection::vec(any::<u8>(), 0..600),
        noise in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let session = session(7, Suite::XWing, 1);
        let opened = open_in_session(&session, &BINDING, &sealed(&output)).unwrap();
        prop_assert_eq!(opened.as_slice(), output);
        prop_assert!(open_in_session(&session, &BINDING, &noise).is_err());
    }
}
