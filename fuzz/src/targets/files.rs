// SPDX-License-Identifier: Apache-2.0
//! Evidence in files, recognised by its first bytes.
//!
//! An input is a row of files, each after its length (u16, big-endian); the last is what is left.
//! The first is the evidence, the others lie beside it.

use std::sync::LazyLock;

use subrosa_attestation::bundle_of_files;
use subrosa_evidence::{EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;

use super::target::{MIB, Target, stock};
use crate::evidence::DICTIONARY;
use crate::forge::samples::{forged, genuine};

pub(super) const TARGET: Target = Target {
    name: "files",
    run,
    dictionary: DICTIONARY,
    header: 0,
    memory: 4 * MIB,
    seeds: || &SEEDS,
};

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let samples = TeeKind::ALL
        .into_iter()
        .flat_map(|kind| forged(kind).into_iter().chain(genuine(kind)));
    let made = samples.flat_map(|sample| {
        let bundle = &sample.bundle;
        let beside = bundle
            .parts()
            .filter(|(part, _)| *part != EvidencePart::Quote);
        let beside = beside.map(|(_, bytes)| bytes.to_vec());
        let pieces: Vec<Vec<u8>> = [bundle.quote().to_vec()]
            .into_iter()
            .chain(beside)
            .collect();
        [joined(&pieces), joined(&[bundle.encode()])]
    });
    stock("files", made.collect())
});

fn run(input: &[u8]) -> bool {
    let mut files = split(input).into_iter();
    let evidence = files.next().unwrap_or_default();
    let beside: Vec<Vec<u8>> = files.collect();
    let Ok(bundle) = bundle_of_files(&evidence, &beside) else {
        return false;
    };
    let encoded = bundle.encode();
    assert!(encoded.len() <= EvidenceBundle::MAX_BYTES);
    assert_eq!(EvidenceBundle::decode(&encoded).as_ref(), Ok(&bundle));
    assert_eq!(bundle_of_files(&encoded, &[]).as_ref(), Ok(&bundle));
    if EvidenceBundle::is_encoded(&evidence) && beside.is_empty() {
        assert_eq!(
            encoded, evidence,
            "what is encoded already is taken as it is"
        );
    }
    if !evidence.starts_with(b"{") && !EvidenceBundle::is_encoded(&evidence) {
        assert_eq!(
            bundle.quote(),
            evidence,
            "what was signed has to stay as it is"
        );
    }
    true
}

/// Few: each is a parser's full run.
const MAX_FILES: usize = 8;

fn split(mut input: &[u8]) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    while let Some((length, rest)) = input.split_first_chunk::<2>()
        && let Some((file, rest)) = rest.split_at_checked(u16::from_be_bytes(*length).into())
        && files.len() + 1 < MAX_FILES
    {
        files.push(file.to_vec());
        input = rest;
    }
    files.push(input.to_vec());
    files
}

/// What [`split`] reads; the last file has no length.
fn joined(files: &[Vec<u8>]) -> Vec<u8> {
    let mut input = Vec::new();
    for (left, file) in (0..files.len()).rev().zip(files) {
        if left > 0 {
            let length = u16::try_from(file.len()).unwrap_or(u16::MAX);
            input.extend(length.to_be_bytes());
        }
        input.extend(file);
    }
    input
}
