// SPDX-License-Identifier: Apache-2.0
use alloy_primitives::Address;
use chacha20::ChaCha20Rng;
use proptest::prelude::*;
use rand_core::SeedableRng;

use super::*;
use crate::EpochSecret;

const SUITES: [Suite; 2] = [Suite::XWing, Suite::X25519];
const ID: EpochId = EpochId { group: 1, epoch: 2 };
const EXPIRY: u64 = 1_700_000_000;
const PLAINTEXT: &[u8] = b"a sealed bid";

const BINDING: Binding = Binding {
    chain_id: 31337,
    oracle: Address::repeat_byte(0x11),
    contract_id: B256::repeat_byte(0x22),
    requester: Address::repeat_byte(0x33),
    context: B256::repeat_byte(0x44),
};

const EXPECTED: Expected<'static> = Expected {
    purpose: Purpose::Call,
    epoch: ID,
    timestamp: EXPIRY,
    binding: &BINDING,
};

fn keys() -> EpochKeyPairs {
    EpochSecret::from_bytes(&[7; 32]).keys(ID)
}

fn sealed(suite: Suite, keys: &EpochKeyPairs) -> Vec<u8> {
    let draft = Draft {
        suite,
        purpose: Purpose::Call,
        epoch: ID,
        id: EnvelopeId::from_bytes([0x55; 16]),
        expiry: EXPIRY,
        recipients: B256::ZERO,
        binding: &BINDING,
    };
    let mut rng = ChaCha20Rng::from_seed([suite as u8; 32]);
    seal(&draft, keys.public(), PLAINTEXT, &mut rng).unwrap()
}

fn error(envelope: &[u8], keys: &EpochKeyPairs, expected: &Expected<'_>) -> OpenError {
    open(envelope, keys, expected).err().expect("must not open")
}

fn rejection(envelope: &[u8], keys: &EpochKeyPairs, expected: &Expected<'_>) -> Rejection {
    match error(envelope, keys, expected) {
        OpenError::Rejected(rejection) => rejection,
        other => panic!("{other} is no rejection"),
    }
}

/// A field of the header, how to change it, and what the change alone must lead to.
struct Field {
    name: &'static str,
    offset: usize,
    flip: u8,
    /// `None`: changes the key or the additional data, and so is found by cryptography.
    found_by_parsing: Option<fn(u8) -> Rejection>,
}

/// In the order in which `open` looks at them.
const FIELDS: [Field; 12] = [
    Field {
        name: "version",
        offset: 0,
        flip: 2,
        found_by_parsing: Some(Rejection::UnknownVersion),
    },
    Field {
        name: "suite",
        offset: 1,
        flip: 4,
        found_by_parsing: Some(Rejection::UnknownSuite),
    },
    Field {
        name: "mode",
        offset: 2,
        flip: 2,
        found_by_parsing: Some(Rejection::UnknownMode),
    },
    Field {
        name: "purpose",
        offset: 3,
        flip: 4,
        found_by_parsing: Some(Rejection::UnknownPurpose),
    },
    Field {
        name: "key group",
        offset: 7,
        flip: 1,
        found_by_parsing: Some(other_epoch),
    },
    Field {
        name: "key epoch",
        offset: 11,
        flip: 1,
        found_by_parsing: Some(other_epoch),
    },
    Field {
        name: "expiry, earlier",
        offset: 32,
        flip: 0x40,
        found_by_parsing: None,
    },
    Field {
        name: "id",
        offset: 12,
        flip: 1,
        found_by_parsing: None,
    },
    Field {
        name: "recipients",
        offset: 36,
        flip: 1,
        found_by_parsing: None,
    },
    Field {
        name: "key commitment",
        offset: 68,
        flip: 1,
        found_by_parsing: None,
    },
    Field {
        name: "encapsulated key",
        offset: 100,
        flip: 1,
        found_by_parsing: None,
    },
    Field {
        name: "ciphertext",
        offset: usize::MAX,
        flip: 1,
        found_by_parsing: None,
    },
];

fn other_epoch(_: u8) -> Rejection {
    Rejection::OtherEpoch {
        expected: ID,
        found: ID,
    }
}

fn alter(envelope: &mut [u8], field: &Field) -> u8 {
    let last = envelope.len() - 1;
    let byte = &mut envelope[field.offset.min(last)];
    *byte ^= field.flip;
    *byte
}

fn same_variant(a: &Rejection, b: &Rejection) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

#[test]
fn an_envelope_opens_to_what_was_sealed() {
    let keys = keys();
    for suite in SUITES {
        let envelope = sealed(suite, &keys);
        assert_eq!(
            envelope.len(),
            100 + suite.encapsulated_len() + PLAINTEXT.len() + 16,
            "{suite:?}"
        );
        let opened = open(&envelope, &keys, &EXPECTED).ok().unwrap();
        assert_eq!(opened.plaintext.as_slice(), PLAINTEXT);
        assert_eq!(opened.header, Envelope::parse(&envelope).unwrap().header);
        assert_eq!(opened.header.id.as_bytes(), &[0x55; 16]);
        assert_eq!(opened.header.expiry, EXPIRY);
    }
}

#[test]
fn sealing_twice_shares_nothing_but_the_header() {
    let keys = keys();
    let draft = Draft {
        suite: Suite::XWing,
        purpose: Purpose::Call,
        epoch: ID,
        id: EnvelopeId::from_bytes([1; 16]),
        expiry: EXPIRY,
        recipients: B256::ZERO,
        binding: &BINDING,
    };
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let a = seal(&draft, keys.public(), PLAINTEXT, &mut rng).unwrap();
    let b = seal(&draft, keys.public(), PLAINTEXT, &mut rng).unwrap();
    assert_eq!(a[..68], b[..68]);
    assert_ne!(a[68..100], b[68..100], "key commitment");
    assert_ne!(a[100..1220], b[100..1220], "encapsulated key");
    assert_ne!(a[1220..], b[1220..], "ciphertext");
}

#[test]
fn every_altered_header_field_is_rejected_for_the_right_reason_alone_and_in_pairs() {
    let keys = keys();
    for suite in SUITES {
        let envelope = sealed(suite, &keys);
        for (i, first) in FIELDS.iter().enumerate() {
            for second in &FIELDS[i..] {
                let mut altered = envelope.clone();
                let byte = alter(&mut altered, first);
                if first.name != second.name {
                    alter(&mut altered, second);
                }
                let found = rejection(&altered, &keys, &EXPECTED);
                let label = format!("{suite:?}: {} and {}", first.name, second.name);
                match first.found_by_parsing {
                    // The field that is looked at first decides.
                    Some(expected) => {
                        assert!(same_variant(&found, &expected(byte)), "{label}: {found}");
                    }
                    None if first.name.starts_with("expiry") => {
                        assert!(
                            matches!(found, Rejection::Expired { .. }),
                            "{label}: {found}"
                        );
                    }
                    // Whatever enters the key schedule is caught by the key commitment.
                    None if ["id", "key commitment", "encapsulated key"].contains(&first.name)
                        || ["key commitment", "encapsulated key"].contains(&second.name) =>
                    {
                        assert_eq!(found, Rejection::KeyCommitment, "{label}");
                    }
                    None => assert_eq!(found, Rejection::DoesNotOpen, "{label}"),
                }
            }
        }
    }
}

#[test]
fn a_later_expiry_is_authenticated_too() {
    let keys = keys();
    let mut envelope = sealed(Suite::X25519, &keys);
    envelope[28] |= 0x40;
    assert_eq!(
        rejection(&envelope, &keys, &EXPECTED),
        Rejection::DoesNotOpen
    );
}

#[test]
fn a_known_suite_mode_or_purpose_in_anothers_place_is_rejected() {
    let keys = keys();
    for suite in SUITES {
        let envelope = sealed(suite, &keys);
        let other_suite = {
            let mut altered = envelope.clone();
            altered[1] = 3 - altered[1];
            rejection(&altered, &keys, &EXPECTED)
        };
        match suite {
            Suite::XWing => assert_eq!(other_suite, Rejection::KeyCommitment),
            Suite::X25519 => assert!(matches!(other_suite, Rejection::Truncated { .. })),
        }

        let mut session = envelope.clone();
        session[2] = 1;
        let named = u64::from_be_bytes(envelope[100..108].try_into().unwrap());
        assert_eq!(
            rejection(&session, &keys, &EXPECTED),
            Rejection::InSession { session: named }
        );

        for purpose in [1, 3] {
            let mut altered = envelope.clone();
            altered[3] = purpose;
            let found = rejection(&altered, &keys, &EXPECTED);
            assert!(matches!(found, Rejection::WrongPurpose { .. }), "{found}");
            // Even where that purpose is wanted.
            let purpose = if purpose == 1 {
                Purpose::Deploy
            } else {
                Purpose::Query
            };
            let wanted = Expected {
                purpose,
                ..EXPECTED
            };
            assert_eq!(rejection(&altered, &keys, &wanted), Rejection::DoesNotOpen);
        }
    }
}

#[test]
fn every_altered_binding_field_is_rejected_alone_and_in_pairs() {
    type Alteration = (&'static str, fn(&mut Binding));
    let alterations: [Alteration; 5] = [
        ("chain id", |b| b.chain_id += 1),
        ("oracle", |b| b.oracle.0[19] ^= 1),
        ("contract id", |b| b.contract_id.0[0] ^= 1),
        ("requester", |b| b.requester.0[0] ^= 1),
        ("context", |b| b.context.0[31] ^= 1),
    ];
    let keys = keys();
    for suite in SUITES {
        let envelope = sealed(suite, &keys);
        for (i, (first, alter_first)) in alterations.iter().enumerate() {
            for (second, alter_second) in &alterations[i..] {
                let mut binding = BINDING;
                alter_first(&mut binding);
                if first != second {
                    alter_second(&mut binding);
                }
                let expected = Expected {
                    binding: &binding,
                    ..EXPECTED
                };
                assert_eq!(
                    rejection(&envelope, &keys, &expected),
                    Rejection::DoesNotOpen,
                    "{suite:?}: {first} and {second}"
                );
            }
        }
    }
}

#[test]
fn every_flipped_bit_is_rejected() {
    let keys = keys();
    for suite in SUITES {
        let envelope = sealed(suite, &keys);
        for bit in 0..envelope.len() * 8 {
            let mut altered = envelope.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            // Among them the highest bit of an X25519 point, which the curve ignores (RFC 7748,
            // section 5) and only the KEM's context catches.
            assert!(
                error(&altered, &keys, &EXPECTED).is_deterministic(),
                "{suite:?} bit {bit}"
            );
        }
    }
}

#[test]
fn every_truncation_is_rejected_as_such() {
    let keys = keys();
    for suite in SUITES {
        let envelope = sealed(suite, &keys);
        let overhead = 100 + suite.encapsulated_len() + 16;
        for len in 0..envelope.len() {
            let found = rejection(&envelope[..len], &keys, &EXPECTED);
            if len < overhead {
                let Rejection::Truncated { needed, found } = found else {
                    panic!("{suite:?} {len}: {found}");
                };
                assert!(found == len && len < needed && needed <= overhead);
            } else {
                assert_eq!(found, Rejection::DoesNotOpen, "{suite:?} {len}");
            }
        }
        let longer = [envelope.as_slice(), &[0]].concat();
        assert_eq!(rejection(&longer, &keys, &EXPECTED), Rejection::DoesNotOpen);
    }
}

#[test]
fn a_missing_key_is_no_rejection_whatever_the_bytes_are() {
    let other = EpochId { epoch: 3, ..ID };
    let keys = EpochSecret::from_bytes(&[8; 32]).keys(other);
    for bytes in [sealed(Suite::XWing, &keys), vec![]] {
        let error = error(&bytes, &keys, &EXPECTED);
        assert_eq!(error, OpenError::KeyNotHeld { named: ID });
        assert!(!error.is_deterministic());
    }
}

#[test]
fn another_secret_under_the_same_name_is_a_wrong_key() {
    let envelope = sealed(Suite::XWing, &keys());
    let other = EpochSecret::from_bytes(&[8; 32]).keys(ID);
    assert_eq!(
        rejection(&envelope, &other, &EXPECTED),
        Rejection::KeyCommitment
    );
}

#[test]
fn expiry_is_judged_by_the_entrys_timestamp() {
    let keys = keys();
    let envelope = sealed(Suite::X25519, &keys);
    for timestamp in [0, EXPIRY] {
        assert!(
            open(
                &envelope,
                &keys,
                &Expected {
                    timestamp,
                    ..EXPECTED
                }
            )
            .is_ok()
        );
    }
    let late = Expected {
        timestamp: EXPIRY + 1,
        ..EXPECTED
    };
    let expected = Rejection::Expired {
        expiry: EXPIRY,
        timestamp: EXPIRY + 1,
    };
    assert_eq!(rejection(&envelope, &keys, &late), expected);
}

#[test]
fn a_small_order_encapsulated_key_is_rejected() {
    let keys = keys();
    let mut envelope = sealed(Suite::X25519, &keys);
    envelope[100..132].fill(0);
    assert_eq!(
        rejection(&envelope, &keys, &EXPECTED),
        Rejection::DoesNotOpen
    );
}

#[test]
fn oversized_envelopes_are_neither_read_nor_made() {
    let keys = keys();
    let found = MAX_ENVELOPE_LEN + 1;
    assert_eq!(
        rejection(&vec![1; found], &keys, &EXPECTED),
        Rejection::TooLong { found }
    );
    let draft = Draft {
        suite: Suite::X25519,
        purpose: Purpose::Call,
        epoch: ID,
        id: EnvelopeId::from_bytes([1; 16]),
        expiry: EXPIRY,
        recipients: B256::ZERO,
        binding: &BINDING,
    };
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let limit = MAX_ENVELOPE_LEN - 148;
    let largest = seal(&draft, keys.public(), &vec![1; limit], &mut rng).unwrap();
    assert_eq!(largest.len(), MAX_ENVELOPE_LEN);
    assert!(open(&largest, &keys, &EXPECTED).is_ok());
    assert_eq!(
        seal(&draft, keys.public(), &vec![1; limit + 1], &mut rng),
        Err(SealError::TooLong {
            found: limit + 1,
            limit
        })
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_neither_panic_nor_open(
        bytes in proptest::collection::vec(any::<u8>(), 0..1500),
        start in 0..5usize,
    ) {
        thread_local!(static KEYS: EpochKeyPairs = keys());
        // Some of the inputs get past the first bytes.
        let mut bytes = bytes;
        for (byte, valid) in bytes.iter_mut().zip([1, 2, 0, 2]).take(start) {
            *byte = valid;
        }
        prop_assert!(KEYS.with(|keys| open(&bytes, keys, &EXPECTED).is_err()));
    }

    #[test]
    fn parsing_and_writing_are_inverse(
        suite in prop::sample::select(&SUITES),
        purpose in prop::sample::select(&[Purpose::Deploy, Purpose::Call, Purpose::Query]),
        (group, epoch, id, expiry) in any::<(u32, u32, [u8; 16], u64)>(),
        (recipients, key_commitment) in any::<([u8; 32], [u8; 32])>(),
        session in any::<Option<u64>>(),
        ciphertext in proptest::collection::vec(any::<u8>(), 16..64),
    ) {
        let header = Header {
            suite,
            purpose,
            epoch: EpochId { group, epoch },
            id: EnvelopeId::from_bytes(id),
            expiry,
            recipients: recipients.into(),
            key_commitment: key_commitment.into(),
        };
        let encapsulated = vec![9; suite.encapsulated_len()];
        let key = session.map_or(KeySource::Encapsulated(&encapsulated), KeySource::Session);
        let mut bytes = header.to_bytes(key);
        bytes.extend_from_slice(&ciphertext);
        let parsed = Envelope::parse(&bytes).unwrap();
        prop_assert_eq!(parsed.header, header);
        prop_assert_eq!(parsed.key, key);
        prop_assert_eq!(parsed.ciphertext, ciphertext.as_slice());
    }
}
