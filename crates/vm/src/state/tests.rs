// SPDX-License-Identifier: Apache-2.0
use alloy_primitives::{B256, KECCAK256_EMPTY, keccak256};
use proptest::{collection::vec, prelude::*};

use super::*;

fn account() -> impl Strategy<Value = Address> {
    any::<u8>().prop_map(Address::repeat_byte)
}

/// One of a few.
fn holder() -> impl Strategy<Value = Holder> {
    (0u8..3, 0u8..3).prop_map(|(requester, user)| Holder {
        requester: Address::repeat_byte(requester),
        user: Address::repeat_byte(user),
    })
}

fn entry() -> impl Strategy<Value = (StateKey, Vec<u8>)> {
    prop_oneof![
        (account(), any::<u8>(), any::<[u8; 31]>()).prop_map(|(account, slot, value)| {
            let mut word = vec![1];
            word.extend_from_slice(&value);
            (
                StateKey::Storage {
                    account,
                    slot: B256::with_last_byte(slot),
                },
                word,
            )
        }),
        (account(), 1u64.., any::<bool>()).prop_map(|(address, nonce, has_code)| {
            let code_hash = if has_code {
                B256::repeat_byte(3)
            } else {
                KECCAK256_EMPTY
            };
            (
                StateKey::Account(address),
                AccountRecord { nonce, code_hash }.encode(),
            )
        }),
        vec(any::<u8>(), 1..64).prop_map(|code| (StateKey::Code(keccak256(&code)), code)),
        (
            any::<u64>(),
            holder(),
            any::<[u8; 16]>(),
            vec(any::<u8>(), 0..=32)
        )
            .prop_map(|(expiry, holder, id, value)| (StateKey::Seen { expiry, holder, id }, value)),
        (0u64..8, holder(), vec(any::<u8>(), 0..=64))
            .prop_map(|(seq, holder, value)| (StateKey::Session { seq, holder }, value)),
    ]
}

fn state() -> impl Strategy<Value = State> {
    vec(entry(), 0..12).prop_map(|entries| {
        let mut state = State::new();
        for (key, value) in entries {
            state.insert(key, value).unwrap();
        }
        state
    })
}

fn writes() -> impl Strategy<Value = WriteSet> {
    vec((entry(), any::<bool>()), 0..12).prop_map(|entries| {
        let mut writes = WriteSet::new();
        for ((key, value), put) in entries {
            if put {
                writes.insert(key, value).unwrap();
            } else {
                writes.remove(key);
            }
        }
        writes
    })
}

proptest! {
    #[test]
    fn all_that_is_kept_is_taken_away_by_one_change(state in state()) {
        let mut writes = WriteSet::new();
        writes.remove(StateKey::Kept);
        prop_assert!(WriteSet::decode(&writes.encode()).unwrap() == writes);
        let foreseen = state.encoded_size_after(&writes);
        let mut after = state.clone();
        after.apply(&writes);
        prop_assert_eq!(after.encoded_size(), foreseen);
        prop_assert_eq!((after.seen_count(), after.sessions().count(), after.kept_size()), (0, 0, 0));
        let others = |state: &State| {
            let kept = |key: &StateKey| matches!(key, StateKey::Seen { .. } | StateKey::Session { .. });
            state.iter().filter(|(key, _)| !kept(key)).count()
        };
        prop_assert_eq!(others(&after), others(&state));
        prop_assert_eq!(after.len(), others(&state));
    }
    #[test]
    fn a_state_survives_encoding_and_knows_its_size(state in state()) {
        let bytes = state.encode();
        prop_assert_eq!(bytes.len(), state.encoded_size());
        let decoded = State::decode(&bytes).unwrap();
        prop_assert_eq!(decoded.encoded_size(), bytes.len());
        prop_assert!(decoded == state);
    }

    #[test]
    fn a_write_set_survives_encoding(writes in writes()) {
        let bytes = writes.encode();
        prop_assert_eq!(bytes.len(), writes.encoded_size());
        prop_assert!(WriteSet::decode(&bytes).unwrap() == writes);
    }

    #[test]
    fn the_size_after_a_write_set_is_foreseen(state in state(), writes in writes()) {
        let foreseen = state.encoded_size_after(&writes);
        let mut after = state;
        after.apply(&writes);
        prop_assert_eq!(after.encoded_size(), foreseen);
        prop_assert_eq!(after.encode().len(), foreseen);
        for (key, value) in writes.iter() {
            prop_assert_eq!(after.get(key), value);
        }
    }

    #[test]
    fn what_is_kept_for_users_is_counted_as_a_count_of_the_entries_would(
        state in state(), writes in writes(),
    ) {
        let mut after = state;
        after.apply(&writes);
        let mut bytes = 0;
        let mut holders = std::collections::BTreeSet::new();
        for (key, value) in after.iter() {
            if let StateKey::Seen { holder, .. } | StateKey::Session { holder, .. } = key {
                bytes += entry_size(key, value);
                holders.insert(*holder);
            }
        }
        prop_assert_eq!(after.kept_size(), bytes);
        prop_assert_eq!(after.guest_size() + bytes, after.encoded_size());
        for holder in holders {
            let envelopes = |of: &dyn Fn(&Holder) -> bool| after
                .seen()
                .filter(|key| matches!(key, StateKey::Seen { holder, .. } if of(holder)))
                .count();
            let sessions: Vec<u64> = after
                .sessions()
                .filter(|(_, found, _)| *found == holder)
                .map(|(seq, ..)| seq)
                .collect();
            prop_assert_eq!(after.envelopes_of(&holder), envelopes(&|found| *found == holder));
            prop_assert_eq!(after.sessions_of(&holder), sessions);
            let same = |found: &Holder| found.requester == holder.requester;
            let share = Share {
                envelopes: envelopes(&same),
                sessions: after.sessions().filter(|(_, found, _)| same(found)).count(),
            };
            prop_assert_eq!(after.share_of(holder.requester), share);
        }
        prop_assert!(State::decode(&after.encode()).unwrap() == after);
    }

    #[test]
    fn arbitrary_bytes_decode_to_nothing_else_than_what_encodes_to_them(
        bytes in vec(any::<u8>(), 0..256),
        count in 0u8..3,
    ) {
        let mut prefixed = vec![0, 0, 0, count];
        prefixed.extend_from_slice(&bytes);
        for bytes in [&bytes, &prefixed] {
            if let Ok(state) = State::decode(bytes) {
                prop_assert_eq!(&state.encode(), bytes);
            }
            if let Ok(writes) = WriteSet::decode(bytes) {
                prop_assert_eq!(&writes.encode(), bytes);
            }
        }
    }

    #[test]
    fn a_changed_byte_is_refused_or_means_something_else(
        state in state(),
        writes in writes(),
        at in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let mut bytes = state.encode();
        let index = at.index(bytes.len());
        bytes[index] ^= flip;
        if let Ok(other) = State::decode(&bytes) {
            prop_assert!(other != state);
        }
        let mut bytes = writes.encode();
        let index = at.index(bytes.len());
        bytes[index] ^= flip;
        if let Ok(other) = WriteSet::decode(&bytes) {
            prop_assert!(other != writes && other.hash() != writes.hash());
        }
    }

    #[test]
    fn every_prefix_and_extension_of_an_encoding_is_refused(state in state(), extra in any::<u8>()) {
        let mut bytes = state.encode();
        for end in 0..bytes.len() {
            prop_assert!(State::decode(&bytes[..end]).is_err());
        }
        bytes.push(extra);
        prop_assert_eq!(State::decode(&bytes), Err(CodecError::TrailingBytes(1)));
    }

    #[test]
    fn the_order_of_keys_is_that_of_their_encodings(a in entry(), b in entry()) {
        let encoded = |key: &StateKey| {
            let mut out = Vec::new();
            key.encode_into(&mut out);
            assert_eq!(out.len(), key.encoded_size());
            out
        };
        prop_assert_eq!(a.0.cmp(&b.0), encoded(&a.0).cmp(&encoded(&b.0)));
    }
}

#[test]
fn an_encoding_is_laid_out_as_documented() {
    let mut state = State::new();
    let account = Address::repeat_byte(0xaa);
    let slot = B256::repeat_byte(0xbb);
    let value = B256::with_last_byte(7);
    state
        .insert(StateKey::Storage { account, slot }, value.to_vec())
        .unwrap();
    state
        .insert(
            StateKey::Seen {
                expiry: 5,
                holder: Holder::new(account, B256::repeat_byte(0xdd)),
                id: [0xcc; 16],
            },
            vec![9],
        )
        .unwrap();
    let expected = [
        "00000002",
        &format!(
            "00{}{}00000020{}",
            "aa".repeat(20),
            "bb".repeat(32),
            hex::encode(value)
        ),
        &format!(
            "030000000000000005{}{}{}0000000109",
            "aa".repeat(20),
            "dd".repeat(20),
            "cc".repeat(16)
        ),
    ]
    .concat();
    assert_eq!(hex::encode(state.encode()), expected);
}

#[test]
fn entries_out_of_order_or_repeated_are_refused() {
    let entry = |last: u8| {
        let mut out = Vec::new();
        let key = StateKey::Seen {
            expiry: 0,
            holder: Holder::new(Address::ZERO, B256::ZERO),
            id: [last; 16],
        };
        put_entry(&mut out, &key, &[]);
        out
    };
    for (first, second) in [(2, 1), (1, 1)] {
        let bytes = [vec![0, 0, 0, 2], entry(first), entry(second)].concat();
        assert_eq!(State::decode(&bytes), Err(CodecError::Unordered));
    }
    let bytes = [vec![0, 0, 0, 2], entry(1), entry(2)].concat();
    assert_eq!(State::decode(&bytes).unwrap().len(), 2);
}

#[test]
fn values_of_the_wrong_form_are_refused() {
    let storage = StateKey::Storage {
        account: Address::ZERO,
        slot: B256::ZERO,
    };
    let empty_account = AccountRecord {
        nonce: 0,
        code_hash: KECCAK256_EMPTY,
    };
    let refused = [
        (storage, vec![0; 32]),
        (storage, vec![1; 31]),
        (StateKey::Account(Address::ZERO), empty_account.encode()),
        (StateKey::Account(Address::ZERO), vec![1; 41]),
        (StateKey::Code(B256::ZERO), vec![1]),
        (StateKey::Code(KECCAK256_EMPTY), vec![]),
        (
            StateKey::Seen {
                expiry: 0,
                holder: Holder::new(Address::ZERO, B256::ZERO),
                id: [0; 16],
            },
            vec![0; 33],
        ),
    ];
    for (key, value) in refused {
        let mut state = State::new();
        assert_eq!(
            state.insert(key, value.clone()),
            Err(InvalidValue),
            "{key:?}"
        );
        assert!(state.is_empty());
        let mut bytes = vec![0, 0, 0, 1];
        put_entry(&mut bytes, &key, &value);
        assert_eq!(
            State::decode(&bytes),
            Err(CodecError::InvalidValue(InvalidValue))
        );
    }
}

#[test]
fn a_count_that_promises_too_much_allocates_nothing() {
    assert_eq!(State::decode(&[0xff; 4]), Err(CodecError::Truncated));
    let mut bytes = vec![0, 0, 0, 1];
    StateKey::Code(B256::ZERO).encode_into(&mut bytes);
    bytes.extend_from_slice(&[0xff; 4]);
    assert_eq!(State::decode(&bytes), Err(CodecError::Truncated));
}

#[test]
fn expired_envelopes_are_listed_and_live_ones_are_not() {
    let mut state = State::new();
    let seen = |expiry, id| StateKey::Seen {
        expiry,
        holder: Holder::new(Address::repeat_byte(id), B256::repeat_byte(!id)),
        id: [id; 16],
    };
    for key in [seen(10, 1), seen(10, 2), seen(11, 0), seen(9, 0xff)] {
        state.insert(key, vec![]).unwrap();
    }
    let code = vec![1];
    state
        .insert(StateKey::Code(keccak256(&code)), code)
        .unwrap();
    assert_eq!(state.seen_count(), 4);
    assert_eq!(state.seen_expired(10).collect::<Vec<_>>(), [seen(9, 0xff)]);
    assert_eq!(
        state.seen_expired(11).collect::<Vec<_>>(),
        [seen(9, 0xff), seen(10, 1), seen(10, 2)]
    );
}

#[test]
fn nothing_secret_is_shown() {
    let mut state = State::new();
    let code = b"planted".to_vec();
    state
        .insert(StateKey::Code(keccak256(&code)), code)
        .unwrap();
    assert_eq!(
        format!("{state:?}"),
        "State { entries: 1, encoded_size: 48 }"
    );
}
