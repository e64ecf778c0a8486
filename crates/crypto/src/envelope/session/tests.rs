// SPDX-License-Identifier: Apache-2.0
use alloy_primitives::Address;
use chacha20::ChaCha20Rng;
use proptest::prelude::*;
use rand_core::SeedableRng;

use super::*;
use crate::{
    EpochSecret,
    envelope::{Draft, open_session, seal_opening_session},
};

const EPOCH: EpochId = EpochId { group: 1, epoch: 2 };
const EXPIRY: u64 = 1_700_000_000;
const SESSION: u64 = 77;

const BINDING: Binding = Binding {
    chain_id: 31337,
    oracle: Address::repeat_byte(0x11),
    contract_id: B256::repeat_byte(0x22),
    requester: Address::repeat_byte(0x33),
    context: B256::repeat_byte(0x44),
};

const EXPECTED: Expected<'static> = Expected {
    purpose: Purpose::Call,
    epoch: EPOCH,
    timestamp: EXPIRY,
    binding: &BINDING,
};

fn session(secret: u8) -> Session {
    Session::new(
        SESSION,
        Suite::XWing,
        &SessionSecret::from_bytes(&[secret; 32]),
    )
}

fn draft(id: u8) -> SessionCall<'static> {
    SessionCall {
        epoch: EPOCH,
        id: EnvelopeId::from_bytes([id; 16]),
        expiry: EXPIRY,
        binding: &BINDING,
    }
}

fn rejection(session: &Session, envelope: &[u8], expected: &Expected<'_>) -> Rejection {
    session
        .open(envelope, expected)
        .err()
        .expect("must not open")
}

#[test]
fn both_sides_of_an_opening_envelope_share_a_secret_that_no_other_envelope_has() {
    let keys = EpochSecret::from_bytes(&[7; 32]).keys(EPOCH);
    let mut secrets = Vec::new();
    for suite in [Suite::XWing, Suite::X25519] {
        for seed in 0..2 {
            let draft = Draft {
                suite,
                purpose: Purpose::Call,
                epoch: EPOCH,
                id: EnvelopeId::from_bytes([5; 16]),
                expiry: EXPIRY,
                recipients: B256::ZERO,
                binding: &BINDING,
            };
            let mut rng = ChaCha20Rng::from_seed([seed; 32]);
            let (envelope, theirs) =
                seal_opening_session(&draft, keys.public(), b"hello", &mut rng).unwrap();
            let (opened, ours) = open_session(&envelope, &keys, &EXPECTED).unwrap();
            assert_eq!(&opened.plaintext[..], b"hello");
            assert_eq!(theirs.expose(), ours.expose());
            assert!(!secrets.contains(ours.expose()));
            secrets.push(*ours.expose());
        }
    }
}

#[test]
fn a_word_of_input_makes_an_envelope_of_188_bytes() {
    let sealed = session(1).seal(&draft(1), &[0xff; 36]).unwrap();
    assert_eq!(sealed.len(), 100 + 8 + 64 + 16);
}

#[test]
fn an_envelope_opens_in_its_own_session_only() {
    let sealed = session(1).seal(&draft(1), b"input").unwrap();
    assert_eq!(
        rejection(&session(2), &sealed, &EXPECTED),
        Rejection::KeyCommitment
    );
    let other_session = Rejection::OtherSession { expected: SESSION };
    let secret = SessionSecret::from_bytes(&[1; 32]);
    let other_suite = Session::new(SESSION, Suite::X25519, &secret);
    assert_eq!(rejection(&other_suite, &sealed, &EXPECTED), other_session);
    let other_id = Session::new(SESSION + 1, Suite::XWing, &secret);
    assert_eq!(
        rejection(&other_id, &sealed, &EXPECTED),
        Rejection::OtherSession {
            expected: SESSION + 1
        }
    );

    let mut carries_a_key = sealed.clone();
    carries_a_key[2] = 0;
    carries_a_key.resize(2_000, 0);
    assert_eq!(
        rejection(&session(1), &carries_a_key, &EXPECTED),
        other_session
    );
}

#[test]
fn every_bit_of_an_envelope_is_authenticated() {
    let sealed = session(1).seal(&draft(1), b"input").unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut altered = sealed.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(session(1).open(&altered, &EXPECTED).is_err(), "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert!(
            session(1).open(&sealed[..length], &EXPECTED).is_err(),
            "{length} bytes"
        );
    }
}

#[test]
fn an_envelope_opens_where_it_is_bound_to_and_nowhere_else() {
    let sealed = session(1).seal(&draft(1), b"input").unwrap();
    let elsewhere = [
        Binding {
            chain_id: 1,
            ..BINDING
        },
        Binding {
            oracle: Address::ZERO,
            ..BINDING
        },
        Binding {
            contract_id: B256::ZERO,
            ..BINDING
        },
        Binding {
            requester: Address::ZERO,
            ..BINDING
        },
        Binding {
            context: B256::ZERO,
            ..BINDING
        },
    ];
    for binding in &elsewhere {
        let expected = Expected {
            binding,
            ..EXPECTED
        };
        assert_eq!(
            rejection(&session(1), &sealed, &expected),
            Rejection::DoesNotOpen
        );
    }
    let late = Expected {
        timestamp: EXPIRY + 1,
        ..EXPECTED
    };
    assert!(matches!(
        rejection(&session(1), &sealed, &late),
        Rejection::Expired { .. }
    ));
    let query = Expected {
        purpose: Purpose::Query,
        ..EXPECTED
    };
    assert!(matches!(
        rejection(&session(1), &sealed, &query),
        Rejection::WrongPurpose { .. }
    ));
    let epoch = EpochId { group: 1, epoch: 3 };
    let other_epoch = Expected { epoch, ..EXPECTED };
    assert!(matches!(
        rejection(&session(1), &sealed, &other_epoch),
        Rejection::OtherEpoch { .. }
    ));
}

#[test]
fn an_oversized_input_is_refused() {
    let input = vec![0; MAX_INPUT_LEN + 1];
    assert!(matches!(
        session(1).seal(&draft(1), &input),
        Err(SealError::TooLong { .. })
    ));
    let sealed = session(1).seal(&draft(1), &input[1..]).unwrap();
    assert!(session(1).open(&sealed, &EXPECTED).is_ok());
}

proptest! {
    #[test]
    fn what_is_sealed_opens_and_envelopes_share_no_key(
        input in proptest::collection::vec(any::<u8>(), 0..3_000),
        (first, second) in (any::<u8>(), any::<u8>()).prop_filter("distinct", |(a, b)| a != b),
    ) {
        let sealed = session(1).seal(&draft(first), &input).unwrap();
        prop_assert!((sealed.len() - 124).is_power_of_two());
        let opened = session(1).open(&sealed, &EXPECTED).unwrap();
        prop_assert_eq!(&opened.plaintext[..], &input[..]);
        prop_assert_eq!(opened.header.id, EnvelopeId::from_bytes([first; 16]));

        let (key, commitment) = session(1).keys(EnvelopeId::from_bytes([first; 16]));
        let (other_key, other_commitment) = session(1).keys(EnvelopeId::from_bytes([second; 16]));
        let derived = [*key, *commitment, *other_key, *other_commitment];
        for (i, one) in derived.iter().enumerate() {
            prop_assert!(derived.iter().skip(i + 1).all(|other| other != one));
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = session(1).open(&bytes, &EXPECTED);
    }
}
