// SPDX-License-Identifier: Apache-2.0
use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::sealing::BlobHeader;

const BINDING: StateBinding = StateBinding {
    chain_id: 31337,
    oracle: Address::repeat_byte(0x11),
    contract_id: B256::repeat_byte(0x22),
    code_commitment: B256::repeat_byte(0x33),
    epoch: EpochId { group: 1, epoch: 2 },
    seq: 9,
    previous_commitment: B256::repeat_byte(0x44),
    digest: B256::repeat_byte(0x55),
    kind: StateKind::Delta,
    codec: 1,
    part: 2,
    parts: 3,
    first_part: B256::repeat_byte(0x66),
};

fn secret() -> EpochSecret {
    EpochSecret::from_bytes(&[1; 32])
}

type Alteration = (&'static str, fn(&mut StateBinding), BlobError);

fn alterations() -> [Alteration; 14] {
    use BlobError::{DoesNotOpen, OtherBlob};
    [
        ("kind", |b| b.kind = StateKind::Snapshot, OtherBlob),
        ("codec", |b| b.codec = 2, OtherBlob),
        ("seq", |b| b.seq = 10, OtherBlob),
        ("chain id", |b| b.chain_id = 1, DoesNotOpen),
        ("oracle", |b| b.oracle = Address::ZERO, DoesNotOpen),
        ("contract id", |b| b.contract_id = B256::ZERO, DoesNotOpen),
        (
            "code commitment",
            |b| b.code_commitment = B256::ZERO,
            DoesNotOpen,
        ),
        ("group", |b| b.epoch.group = 2, DoesNotOpen),
        ("epoch", |b| b.epoch.epoch = 1, DoesNotOpen),
        (
            "previous commitment",
            |b| b.previous_commitment = B256::ZERO,
            DoesNotOpen,
        ),
        ("digest", |b| b.digest = B256::ZERO, DoesNotOpen),
        ("part", |b| b.part = 1, DoesNotOpen),
        ("number of parts", |b| b.parts = 4, DoesNotOpen),
        ("first part", |b| b.first_part = B256::ZERO, DoesNotOpen),
    ]
}

#[test]
fn a_state_opens_and_its_length_is_a_class() {
    for (len, class) in [(0, 8), (252, 8), (253, 9), (1020, 10), (5000, 13)] {
        let plaintext = vec![0xcd; len];
        let blob = seal_state(&secret(), &BINDING, &plaintext).unwrap();
        assert_eq!(blob.len(), 12 + 12 + (1 << class) + 16);
        let header = BlobHeader::parse(&blob).unwrap();
        assert_eq!(
            (header.kind, header.codec, header.size_class, header.seq),
            (BlobKind::Delta, 1, class, 9)
        );
        assert_eq!(
            open_state(&secret(), &BINDING, &blob).unwrap().as_slice(),
            plaintext
        );
    }
}

#[test]
fn sealing_is_deterministic() {
    let blob = seal_state(&secret(), &BINDING, b"state").unwrap();
    assert_eq!(blob, seal_state(&secret(), &BINDING, b"state").unwrap());
}

#[test]
fn every_altered_binding_field_is_refused_for_the_right_reason_alone_and_in_pairs() {
    let blob = seal_state(&secret(), &BINDING, b"state").unwrap();
    let alterations = alterations();
    for (i, (first, alter_first, expected)) in alterations.iter().enumerate() {
        for (second, alter_second, _) in &alterations[i..] {
            let mut binding = BINDING;
            alter_first(&mut binding);
            alter_second(&mut binding);
            assert_eq!(
                open_state(&secret(), &binding, &blob).as_ref(),
                Err(expected),
                "{first} and {second}"
            );
        }
    }
    assert_eq!(
        open_state(&EpochSecret::from_bytes(&[2; 32]), &BINDING, &blob),
        Err(BlobError::DoesNotOpen)
    );
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    let blob = seal_state(&secret(), &BINDING, b"state").unwrap();
    for bit in 0..blob.len() * 8 {
        let mut altered = blob.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let found = open_state(&secret(), &BINDING, &altered).expect_err("must not open");
        let expected = match bit / 8 {
            0 => BlobError::UnknownVersion(altered[0]),
            1 if altered[1] == 0 || altered[1] > 3 => BlobError::Malformed,
            1 | 2 | 4..12 => BlobError::OtherBlob,
            3 => BlobError::Malformed,
            _ => BlobError::DoesNotOpen,
        };
        assert_eq!(found, expected, "bit {bit}");
    }
    for len in 0..blob.len() {
        assert_eq!(
            open_state(&secret(), &BINDING, &blob[..len]),
            Err(BlobError::Malformed)
        );
    }
    assert_eq!(
        open_state(&secret(), &BINDING, &[blob.as_slice(), &[0]].concat()),
        Err(BlobError::Malformed)
    );
}

#[test]
fn sealing_is_as_it_was() {
    // Host storage outlives a build: what this pins must open for as long as version 1 does.
    let blob = seal_state(&secret(), &BINDING, b"state").unwrap();
    assert_eq!(alloy_primitives::keccak256(&blob).to_string(), PINNED);
}

const PINNED: &str = "0x2d5b26e41beeb18e8bf0cd20b004cfa25b80f96620ca4b826852f61f061a4e5b";

proptest! {
    /// Under one key, two different (plaintext, additional data) never meet under one nonce.
    #[test]
    fn key_and_nonce_do_not_repeat(
        inputs in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..40), any::<[u8; 2]>(), 0..3u64),
            2..40,
        ),
    ) {
        let mut seen = HashMap::new();
        for (plaintext, [digest, commitment], seq) in inputs {
            let binding = StateBinding {
                seq,
                digest: B256::repeat_byte(digest),
                previous_commitment: B256::repeat_byte(commitment),
                ..BINDING
            };
            let blob = seal_state(&secret(), &binding, &plaintext).unwrap();
            let nonce = blob[12..24].to_vec();
            let meant = (plaintext, digest, commitment);
            let first = seen.entry((seq, nonce)).or_insert_with(|| meant.clone());
            prop_assert_eq!(first, &meant);
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = BlobHeader::parse(&bytes);
        let _ = open_state(&secret(), &BINDING, &[&[1, 1, 1, 8], bytes.as_slice()].concat());
    }
}
