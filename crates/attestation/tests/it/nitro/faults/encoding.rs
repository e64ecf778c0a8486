// SPDX-License-Identifier: Apache-2.0
//! Faults of the envelope and of the document's encoding.

use subrosa_evidence::CheckId::EvidenceFormat;

use super::fault::{FINAL, Fault};
use crate::forge::nitro::{ENCLAVE, NULL, bytes, head, text, uint};

pub(super) const FAULTS: &[Fault] = &[
    // Headers.
    ("algorithm ES256", EvidenceFormat, FINAL, |b| {
        b.protected = vec![0xa1, 0x01, 0x26]
    }),
    ("algorithm ES512", EvidenceFormat, FINAL, |b| {
        b.protected = vec![0xa1, 0x01, 0x38, 0x23]
    }),
    ("algorithm RS256", EvidenceFormat, FINAL, |b| {
        b.protected = vec![0xa1, 0x01, 0x39, 0x01, 0x00];
    }),
    ("no algorithm", EvidenceFormat, FINAL, |b| {
        b.protected = Vec::new()
    }),
    (
        "algorithm in the unprotected header",
        EvidenceFormat,
        FINAL,
        |b| {
            b.protected = vec![0xa0];
            b.unprotected = vec![0xa1, 0x01, 0x38, 0x22];
        },
    ),
    ("algorithm in both headers", EvidenceFormat, FINAL, |b| {
        b.unprotected = vec![0xa1, 0x01, 0x38, 0x22];
    }),
    (
        "another algorithm in the unprotected header",
        EvidenceFormat,
        FINAL,
        |b| {
            b.unprotected = vec![0xa1, 0x01, 0x26];
        },
    ),
    (
        "key id in the unprotected header",
        EvidenceFormat,
        FINAL,
        |b| {
            b.unprotected = vec![0xa1, 0x04, 0x41, 0x00];
        },
    ),
    (
        "unprotected header that is no map",
        EvidenceFormat,
        FINAL,
        |b| b.unprotected = vec![0x80],
    ),
    (
        "key id in the protected header",
        EvidenceFormat,
        FINAL,
        |b| {
            b.protected = vec![0xa2, 0x01, 0x38, 0x22, 0x04, 0x41, 0x00];
        },
    ),
    (
        "protected header in another encoding",
        EvidenceFormat,
        FINAL,
        |b| {
            b.protected = vec![0xa1, 0x18, 0x01, 0x38, 0x22];
        },
    ),
    // Envelope.
    ("empty", EvidenceFormat, FINAL, |b| {
        b.edit_document = Vec::clear
    }),
    ("truncated", EvidenceFormat, FINAL, |b| {
        b.edit_document = |d| d.truncate(d.len() - 1)
    }),
    ("trailing bytes", EvidenceFormat, FINAL, |b| {
        b.edit_document = |d| d.push(0)
    }),
    ("another tag", EvidenceFormat, FINAL, |b| {
        b.edit_document = |d| d.insert(0, 0xd1)
    }),
    ("two tags", EvidenceFormat, FINAL, |b| {
        b.edit_document = |d| drop(d.splice(..0, [0xd2, 0xd2]));
    }),
    ("array of five", EvidenceFormat, FINAL, |b| {
        b.edit_document = |d| {
            d[0] = 0x85;
            d.push(NULL);
        };
    }),
    ("array of indefinite length", EvidenceFormat, FINAL, |b| {
        b.edit_document = |d| {
            d[0] = 0x9f;
            d.push(0xff);
        };
    }),
    (
        "length in more bytes than needed",
        EvidenceFormat,
        FINAL,
        |b| {
            b.edit_document = |d| drop(d.splice(..1, [0x98, 4]));
        },
    ),
    ("detached payload", EvidenceFormat, FINAL, |b| {
        b.edit_document = |d| {
            let signature = d.split_off(d.len() - 98);
            d.truncate(7);
            d.push(NULL);
            d.extend(signature);
        };
    }),
    ("huge declared array", EvidenceFormat, FINAL, |b| {
        b.edit_document = |d| *d = head(4, u64::MAX);
    }),
    (
        "huge declared protected header",
        EvidenceFormat,
        FINAL,
        |b| {
            b.edit_document = |d| *d = [head(4, 4), head(2, u64::MAX)].concat();
        },
    ),
    ("headers nested 20000 deep", EvidenceFormat, FINAL, |b| {
        b.unprotected = [vec![0xa1, 0x04], vec![0x81; 20_000], vec![0]].concat();
    }),
    (
        "nested 30000 deep and nothing else",
        EvidenceFormat,
        FINAL,
        |b| {
            b.edit_document = |d| *d = vec![0x81; 30_000];
        },
    ),
    ("tags nested 30000 deep", EvidenceFormat, FINAL, |b| {
        b.edit_document = |d| *d = vec![0xd2; 30_000];
    }),
    // Document: encoding.
    ("payload that is no map", EvidenceFormat, FINAL, |b| {
        b.edit_payload = |p| *p = vec![0x80];
    }),
    ("empty map", EvidenceFormat, FINAL, |b| {
        b.edit_payload = |p| *p = vec![0xa0]
    }),
    ("bytes behind the document", EvidenceFormat, FINAL, |b| {
        b.edit_payload = |p| p.push(0)
    }),
    ("document cut short", EvidenceFormat, FINAL, |b| {
        b.edit_payload = |p| p.truncate(p.len() - 1)
    }),
    (
        "map of indefinite length without end",
        EvidenceFormat,
        FINAL,
        |b| {
            b.open_map = true;
            b.edit_payload = |p| p.truncate(p.len() - 1);
        },
    ),
    ("payload above 16384 bytes", EvidenceFormat, FINAL, |b| {
        b.edit_payload = |p| p.resize(16385, 0);
    }),
    ("field twice", EvidenceFormat, FINAL, |b| {
        b.drop("nonce");
        b.fields.push((text("user_data"), bytes(&[1])));
    }),
    ("null field twice", EvidenceFormat, FINAL, |b| {
        b.drop("nonce");
        b.fields.push((text("public_key"), vec![NULL]));
    }),
    ("certificate twice", EvidenceFormat, FINAL, |b| {
        b.drop("nonce");
        b.certificate.push(ENCLAVE);
    }),
    ("unknown field", EvidenceFormat, FINAL, |b| {
        b.drop("nonce");
        b.fields.push((text("nitrotpm_pcrs"), vec![0xa0]));
    }),
    ("ten fields", EvidenceFormat, FINAL, |b| {
        b.fields.push((text("more"), vec![NULL]))
    }),
    (
        "number for the name of a field",
        EvidenceFormat,
        FINAL,
        |b| {
            b.fields.push((uint(1), vec![NULL]));
            b.drop("nonce");
        },
    ),
    ("text of indefinite length", EvidenceFormat, FINAL, |b| {
        b.set("digest", [&[0x7f], &text("SHA384")[..], &[0xff]].concat());
    }),
    ("bytes of indefinite length", EvidenceFormat, FINAL, |b| {
        b.set(
            "user_data",
            [&[0x5f], &bytes(&[0; 64])[..], &[0xff]].concat(),
        );
    }),
    ("user data nested 10000 deep", EvidenceFormat, FINAL, |b| {
        b.set("user_data", vec![0x81; 10_000]);
    }),
    ("huge declared user data", EvidenceFormat, FINAL, |b| {
        b.set("user_data", head(2, u64::MAX));
    }),
    ("huge declared registers", EvidenceFormat, FINAL, |b| {
        b.set("pcrs", head(5, u64::MAX))
    }),
    ("huge declared bundle", EvidenceFormat, FINAL, |b| {
        b.fields.push((text("cabundle"), head(4, u64::MAX)));
    }),
    ("huge declared map", EvidenceFormat, FINAL, |b| {
        b.edit_payload = |p| *p = head(5, u64::MAX);
    }),
];
