// SPDX-License-Identifier: Apache-2.0
//! `js.json`: sealed by npm packages, opened here.

use std::collections::BTreeSet;

use subrosa_crypto::envelope::{self, Expected};

use crate::fixture::{Content, read};

#[test]
fn envelopes_sealed_by_npm_packages_open_and_decode() {
    let vectors = read("js.json");
    let epoch = &vectors.epoch;
    let keys = epoch.secret().keys(epoch.id());
    assert_eq!(keys.public().hash(), epoch.public_key_hash);

    let mut sealed_with = BTreeSet::new();
    for vector in &vectors.envelopes {
        let binding = vector.binding();
        let expected = Expected {
            purpose: vector.purpose(),
            epoch: keys.id(),
            timestamp: vector.expiry,
            binding: &binding,
        };
        let opened = envelope::open(&vector.envelope, &keys, &expected)
            .unwrap_or_else(|error| panic!("{} ({}): {error}", vector.name, vector.sealed_with));
        assert_eq!(opened.header.suite as u8, vector.suite);
        assert_eq!(opened.header.id.as_bytes(), &vector.id.0);
        assert_eq!(opened.header.recipients, vector.recipients);
        assert_eq!(opened.plaintext.as_slice(), &vector.plaintext[..]);
        assert_eq!(
            Content::decode(vector.purpose(), &opened.plaintext),
            vector.content
        );
        assert_eq!(
            vector.content.encode(),
            &vector.plaintext[..],
            "{}",
            vector.name
        );
        sealed_with.insert((vector.suite, vector.sealed_with.clone()));
    }
    let suites: BTreeSet<u8> = sealed_with.iter().map(|(suite, _)| *suite).collect();
    assert_eq!(suites, BTreeSet::from([1, 2]));
    assert!(
        sealed_with.len() >= 4,
        "each suite by two packages: {sealed_with:?}"
    );
}

#[test]
fn sessions_that_npm_packages_opened_are_shared() {
    assert!(read("js.json").assert_sessions_open() >= 4);
}
