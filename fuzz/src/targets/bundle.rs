// SPDX-License-Identifier: Apache-2.0
//! The wire format of evidence: an encoding is unique, and within the limits.

use std::sync::LazyLock;

use subrosa_evidence::{EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;

use super::target::{MIB, Target, stock};
use crate::forge::samples::{forged, genuine};

pub(super) const TARGET: Target = Target {
    name: "bundle",
    run,
    dictionary: &[
        b"sreb",
        b"sreb\x01",
        b"sreb\x02",
        b"\x01\0\0\0\0",
        b"\x02\0\0\0\x01\0",
        b"\x09\0\0\0\x02ab",
        b"\x0a\0\0\0\0",
        b"\xff\xff\xff\xff",
    ],
    header: 0,
    memory: 4 * MIB,
    seeds: || &SEEDS,
};

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let samples = TeeKind::ALL
        .into_iter()
        .flat_map(|kind| forged(kind).into_iter().chain(genuine(kind)));
    let mut made: Vec<_> = samples.map(|sample| sample.bundle.encode()).collect();
    for kind in TeeKind::ALL {
        let parts = EvidencePart::ALL.map(|part| (part, vec![part as u8; part as usize]));
        made.extend(EvidenceBundle::from_parts(kind, parts).map(|bundle| bundle.encode()));
        made.extend(EvidenceBundle::from_parts(kind, []).map(|bundle| bundle.encode()));
    }
    stock("bundle", made)
});

fn run(input: &[u8]) -> bool {
    let Ok(bundle) = EvidenceBundle::decode(input) else {
        return false;
    };
    assert!(EvidenceBundle::is_encoded(input) && input.len() <= EvidenceBundle::MAX_BYTES);
    assert_eq!(bundle.encode(), input, "two encodings of one bundle");
    let parts = bundle.parts().map(|(part, bytes)| (part, bytes.to_vec()));
    let again = EvidenceBundle::from_parts(bundle.kind(), parts);
    assert_eq!(again.as_ref(), Ok(&bundle), "read, but cannot be made");
    true
}
