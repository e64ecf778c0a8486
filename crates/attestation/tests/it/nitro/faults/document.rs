// SPDX-License-Identifier: Apache-2.0
//! Faults of what the document says.

use subrosa_evidence::CheckId::{Age, Debug, EvidenceFormat, NitroCertificates, NitroPcrs};

use super::fault::{FINAL, Fault, STALE};
use crate::forge::nitro::{ENCLAVE, NOW, NULL, bytes, head, pcrs, text, uint};

pub(super) const FAULTS: &[Fault] = &[
    // Document: fields.
    ("no module id", EvidenceFormat, FINAL, |b| {
        b.drop("module_id")
    }),
    ("no digest", EvidenceFormat, FINAL, |b| b.drop("digest")),
    ("no timestamp", EvidenceFormat, FINAL, |b| {
        b.drop("timestamp")
    }),
    ("no registers", EvidenceFormat, FINAL, |b| b.drop("pcrs")),
    ("no certificate", EvidenceFormat, FINAL, |b| {
        b.certificate.clear()
    }),
    ("empty bundle", EvidenceFormat, FINAL, |b| b.bundle.clear()),
    ("null bundle", EvidenceFormat, FINAL, |b| {
        b.fields.push((text("cabundle"), vec![NULL]));
    }),
    (
        "33 certificates in the bundle",
        EvidenceFormat,
        FINAL,
        |b| {
            let entries = bytes(&[0x30]).repeat(33);
            b.fields
                .push((text("cabundle"), [head(4, 33), entries].concat()));
        },
    ),
    (
        "empty certificate in the bundle",
        EvidenceFormat,
        FINAL,
        |b| {
            b.fields.push((text("cabundle"), vec![0x81, 0x40]));
        },
    ),
    ("certificate of 1025 bytes", EvidenceFormat, FINAL, |b| {
        b.certificates[ENCLAVE].edit = |der| der.resize(1025, 0);
    }),
    ("null module id", EvidenceFormat, FINAL, |b| {
        b.set("module_id", vec![NULL])
    }),
    ("empty module id", EvidenceFormat, FINAL, |b| {
        b.set("module_id", text(""))
    }),
    ("module id in bytes", EvidenceFormat, FINAL, |b| {
        b.set("module_id", bytes(b"i-0-enc0"))
    }),
    ("module id that is not UTF-8", EvidenceFormat, FINAL, |b| {
        b.set("module_id", vec![0x62, 0xc3, 0x28]);
    }),
    ("digest SHA512", EvidenceFormat, FINAL, |b| {
        b.set("digest", text("SHA512"))
    }),
    ("timestamp zero", EvidenceFormat, FINAL, |b| {
        b.set("timestamp", uint(0))
    }),
    ("negative timestamp", EvidenceFormat, FINAL, |b| {
        b.set("timestamp", vec![0x20])
    }),
    ("timestamp in a text", EvidenceFormat, FINAL, |b| {
        b.set("timestamp", text("now"))
    }),
    ("user data of 513 bytes", EvidenceFormat, FINAL, |b| {
        b.set("user_data", bytes(&[0; 513]))
    }),
    ("user data in a text", EvidenceFormat, FINAL, |b| {
        b.set("user_data", text("data"))
    }),
    ("nonce of 513 bytes", EvidenceFormat, FINAL, |b| {
        b.set("nonce", bytes(&[0; 513]))
    }),
    ("public key of 1025 bytes", EvidenceFormat, FINAL, |b| {
        b.set("public_key", bytes(&[0; 1025]));
    }),
    ("empty registers", EvidenceFormat, FINAL, |b| {
        b.set("pcrs", pcrs(&[]))
    }),
    ("register 32", EvidenceFormat, FINAL, |b| {
        b.set_pcr(32, Some(&[1; 48]))
    }),
    ("register twice", EvidenceFormat, FINAL, |b| {
        b.set("pcrs", pcrs(&[(0, vec![1; 48]), (0, vec![1; 48])]));
    }),
    ("register of 47 bytes", EvidenceFormat, FINAL, |b| {
        b.set_pcr(3, Some(&[1; 47]))
    }),
    ("negative register", EvidenceFormat, FINAL, |b| {
        b.set("pcrs", [&[0xa1, 0x20], &bytes(&[1; 48])[..]].concat());
    }),
    // Document: meaning.
    ("no PCR 0", NitroPcrs, FINAL, |b| b.set_pcr(0, None)),
    ("no PCR 1", NitroPcrs, FINAL, |b| b.set_pcr(1, None)),
    ("no PCR 2", NitroPcrs, FINAL, |b| b.set_pcr(2, None)),
    ("PCR 0 of 32 bytes", NitroPcrs, FINAL, |b| {
        b.set_pcr(0, Some(&[1; 32]))
    }),
    ("PCR 2 of 64 bytes", NitroPcrs, FINAL, |b| {
        b.set_pcr(2, Some(&[1; 64]))
    }),
    ("timestamp before the leaf", NitroCertificates, FINAL, |b| {
        b.set("timestamp", uint((NOW - 1001) * 1000 + 999));
    }),
    ("timestamp after the leaf", NitroCertificates, FINAL, |b| {
        b.set("timestamp", uint((NOW + 3 * 3600 + 1) * 1000));
    }),
    (
        "timestamp at the end of time",
        NitroCertificates,
        FINAL,
        |b| {
            b.set("timestamp", uint(u64::MAX));
        },
    ),
    // For the policy.
    ("debug", Debug, FINAL, |b| {
        let zero = (0..3).map(|index| (index, vec![0; 48])).collect::<Vec<_>>();
        b.set("pcrs", pcrs(&zero));
    }),
    ("PCR 0 alone zero", Debug, FINAL, |b| {
        b.set_pcr(0, Some(&[0; 48]))
    }),
    ("PCR 1 alone zero", Debug, FINAL, |b| {
        b.set_pcr(1, Some(&[0; 48]))
    }),
    ("PCR 2 alone zero", Debug, FINAL, |b| {
        b.set_pcr(2, Some(&[0; 48]))
    }),
    ("old document", Age, FINAL, |b| {
        b.set("timestamp", uint((NOW - 301) * 1000))
    }),
    ("document from the future", Age, FINAL, |b| {
        b.set("timestamp", uint((NOW + 61) * 1000))
    }),
    ("judged an hour later", Age, FINAL, |b| b.now = NOW + 3600),
    ("judged a day later", NitroCertificates, STALE, |b| {
        b.now = NOW + 24 * 3600
    }),
    ("judged at the end of time", NitroCertificates, STALE, |b| {
        b.now = u64::MAX
    }),
    ("judged in 1970", NitroCertificates, STALE, |b| b.now = 0),
];
