// SPDX-License-Identifier: Apache-2.0
//! Nitro attestation documents: CBOR, COSE and the certificates in it.

use std::sync::LazyLock;

use subrosa_types::id::TeeKind;

use super::target::{MIB, Target, stock};
use crate::evidence::{Known, judge, known, seeds};

pub(super) const TARGET: Target = Target {
    name: "nitro",
    run,
    dictionary: WORDS,
    header: 1,
    memory: 4 * MIB,
    seeds: || &SEEDS,
};

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| known(&[TeeKind::Nitro]));
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| stock("nitro", seeds(&KNOWN)));

fn run(input: &[u8]) -> bool {
    judge(&KNOWN, input)
}

/// CBOR (RFC 8949), COSE (RFC 9052), and the names in a document.
const WORDS: &[&[u8]] = &[
    b"\xd2\x84",
    b"\x84\x44\xa1\x01\x38\x22",
    b"\xa1\x01\x26",
    b"\xa1\x01\x38\x23",
    b"\x9f",
    b"\xbf",
    b"\x5f",
    b"\x7f",
    b"\xff",
    b"\xf6",
    b"\xf7",
    b"\xf9\x7e\x00",
    b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x5a\xff\xff\xff\xff",
    b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x18\x00",
    b"\xc1",
    b"\xd8\x40",
    b"\x81\x81\x81\x81\x81\x81\x81\x81",
    b"\x69module_id",
    b"\x66digest",
    b"\x66SHA384",
    b"\x69timestamp",
    b"\x64pcrs",
    b"\x6bcertificate",
    b"\x68cabundle",
    b"\x6apublic_key",
    b"\x69user_data",
    b"\x65nonce",
    b"\x30\x82\xff\xff",
    b"\x06\x03\x55\x1d\x13",
    b"\x06\x05\x2b\x81\x04\x00\x22",
];
