// SPDX-License-Identifier: Apache-2.0
//! Everything that can be wrong with an attestation document, and the check that says so.

use subrosa_evidence::CheckId::{
    self, Age, Debug, EvidenceFormat, NitroCertificates, NitroPcrs, NitroSignature, Root,
};

use crate::forge::{
    Blueprint, DIGITAL_SIGNATURE, ENCLAVE, INSTANCE, NOW, NULL, REGION, ROOT, Template, bytes,
    head, pcrs, public_key, text, uint,
};

/// A fault: its name, the check that must find it, whether fresh evidence could mend it, and how
/// to bring it about.
pub(crate) type Fault = (&'static str, CheckId, bool, fn(&mut Blueprint));

const STALE: bool = true;
const FINAL: bool = false;

pub(crate) const FAULTS: &[Fault] = &[
    // Certificates: dates.
    ("expired leaf", NitroCertificates, STALE, |b| {
        b.certificates[ENCLAVE].not_after = NOW - 1;
    }),
    ("leaf not yet valid", NitroCertificates, STALE, |b| {
        b.certificates[ENCLAVE].not_before = NOW + 1;
    }),
    ("expired intermediate", NitroCertificates, STALE, |b| {
        b.certificates[REGION].not_after = NOW - 1;
    }),
    (
        "intermediate not yet valid",
        NitroCertificates,
        STALE,
        |b| {
            b.certificates[INSTANCE].not_before = NOW + 1;
        },
    ),
    ("expired root", NitroCertificates, STALE, |b| {
        b.certificates[ROOT].not_after = NOW - 1;
    }),
    ("root not yet valid", NitroCertificates, STALE, |b| {
        b.certificates[ROOT].not_before = NOW + 1;
    }),
    // Certificates: roots.
    ("foreign root", Root, FINAL, |b| {
        let other = Template {
            subject: "somebody else",
            ..b.certificates[ROOT].clone()
        };
        b.pinned = self_signed(b, other);
    }),
    (
        "root swapped for another of the same name",
        Root,
        FINAL,
        |b| {
            let namesake = b.certificates[ROOT].clone();
            b.bundle[0] = self_signed(b, namesake);
        },
    ),
    (
        "chain under a namesake of the root",
        NitroCertificates,
        FINAL,
        |b| {
            let namesake = b.certificates[ROOT].clone();
            b.certificates[REGION].issuer = self_signed(b, namesake);
        },
    ),
    ("bundle with the root last", Root, FINAL, |b| {
        b.bundle.reverse()
    }),
    ("bundle without the root", Root, FINAL, |b| {
        b.bundle.remove(0);
    }),
    // Certificates: path.
    ("bundle of the root alone", NitroCertificates, FINAL, |b| {
        b.bundle.truncate(1)
    }),
    ("intermediate missing", NitroCertificates, FINAL, |b| {
        b.bundle.remove(2);
    }),
    (
        "intermediates in another order",
        NitroCertificates,
        FINAL,
        |b| b.bundle.swap(2, 3),
    ),
    (
        "superfluous certificate in the bundle",
        NitroCertificates,
        FINAL,
        |b| {
            let other = b.certificates[REGION].clone();
            b.certificates.push(other);
            b.bundle.push(ENCLAVE + 1);
        },
    ),
    (
        "the root twice in the bundle",
        NitroCertificates,
        FINAL,
        |b| b.bundle.insert(1, ROOT),
    ),
    (
        "intermediate without the CA flag",
        NitroCertificates,
        FINAL,
        |b| {
            b.certificates[INSTANCE].ca = false;
            b.certificates[INSTANCE].path_length = None;
        },
    ),
    (
        "intermediate that may not sign certificates",
        NitroCertificates,
        FINAL,
        |b| {
            b.certificates[INSTANCE].key_usage = Some(DIGITAL_SIGNATURE);
        },
    ),
    (
        "intermediate without key usage",
        NitroCertificates,
        FINAL,
        |b| {
            b.certificates[REGION].key_usage = None;
        },
    ),
    (
        "root that may not sign certificates",
        NitroCertificates,
        FINAL,
        |b| {
            b.certificates[ROOT].key_usage = Some(DIGITAL_SIGNATURE);
        },
    ),
    (
        "path longer than an intermediate allows",
        NitroCertificates,
        FINAL,
        |b| {
            b.certificates[REGION].path_length = Some(0);
        },
    ),
    ("leaf signed by a leaf", NitroCertificates, FINAL, |b| {
        let leaf = Template {
            issuer: ENCLAVE,
            subject: "i-0123456789abcdef0-enc1.forged",
            ..b.certificates[ENCLAVE].clone()
        };
        b.certificates.push(leaf);
        b.bundle.push(ENCLAVE);
        b.certificate = vec![ENCLAVE + 1];
        b.signer = ENCLAVE + 1;
    }),
    ("self-signed leaf", NitroCertificates, FINAL, |b| {
        b.certificates[ENCLAVE].issuer = ENCLAVE;
    }),
    ("leaf with the CA flag", NitroCertificates, FINAL, |b| {
        b.certificates[ENCLAVE].ca = true;
    }),
    ("leaf with a path length", NitroCertificates, FINAL, |b| {
        b.certificates[ENCLAVE].path_length = Some(0);
    }),
    (
        "leaf whose key may not sign",
        NitroCertificates,
        FINAL,
        |b| {
            b.certificates[ENCLAVE].key_usage = Some([3, 0x08]);
        },
    ),
    ("leaf without key usage", NitroCertificates, FINAL, |b| {
        b.certificates[ENCLAVE].key_usage = None;
    }),
    (
        "leaf with an unknown critical extension",
        NitroCertificates,
        FINAL,
        |b| {
            b.certificates[ENCLAVE].strange = true;
        },
    ),
    (
        "leaf with a changed signature",
        NitroCertificates,
        FINAL,
        |b| {
            b.certificates[ENCLAVE].edit = |der| *der.last_mut().unwrap() ^= 1;
        },
    ),
    (
        "intermediate with a changed signature",
        NitroCertificates,
        FINAL,
        |b| {
            b.certificates[REGION].edit = |der| *der.last_mut().unwrap() ^= 1;
        },
    ),
    ("leaf with bytes behind", NitroCertificates, FINAL, |b| {
        b.certificates[ENCLAVE].edit = |der| der.push(0);
    }),
    (
        "leaf that is no certificate",
        NitroCertificates,
        FINAL,
        |b| {
            b.certificates[ENCLAVE].edit = |der| *der = b"certificate".to_vec();
        },
    ),
    ("leaf key on P-256", NitroCertificates, FINAL, |b| {
        // The generator of the curve.
        let point = hex::decode(
            "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
             4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        );
        let key = public_key("1.2.840.10045.3.1.7", &point.unwrap());
        b.certificates[ENCLAVE].foreign_key = Some(key);
    }),
    ("leaf key that is no point", NitroSignature, FINAL, |b| {
        let key = public_key("1.3.132.0.34", &[&[4][..], &[0xff; 96]].concat());
        b.certificates[ENCLAVE].foreign_key = Some(key);
    }),
    (
        "certificate signed with ECDSA and SHA-256",
        NitroCertificates,
        FINAL,
        |b| {
            b.certificates[INSTANCE].algorithm = "1.2.840.10045.4.3.2";
        },
    ),
    (
        "certificate signed with RSA",
        NitroCertificates,
        FINAL,
        |b| {
            b.certificates[ENCLAVE].algorithm = "1.2.840.113549.1.1.12";
        },
    ),
    // Signature.
    (
        "payload changed after it was signed",
        NitroSignature,
        FINAL,
        |b| {
            b.edit_signed = |payload, _| {
                let at = payload.windows(4).position(|w| w == [0x5a; 4]).unwrap();
                payload[at] ^= 1;
            };
        },
    ),
    ("changed signature", NitroSignature, FINAL, |b| {
        b.edit_signed = |_, signature| signature[95] ^= 1;
    }),
    ("signature of zeros", NitroSignature, FINAL, |b| {
        b.edit_signed = |_, signature| signature.fill(0);
    }),
    (
        "signed by the issuer of the leaf",
        NitroSignature,
        FINAL,
        |b| b.signer = INSTANCE,
    ),
    ("signature too short", EvidenceFormat, FINAL, |b| {
        b.edit_signed = |_, signature| signature.truncate(95);
    }),
    ("signature in ASN.1", EvidenceFormat, FINAL, |b| {
        b.edit_signed = |_, signature| {
            signature
                .splice(..0, [0x30, 0x64, 0x02, 0x30])
                .for_each(drop)
        };
    }),
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

fn self_signed(blueprint: &mut Blueprint, template: Template) -> usize {
    let index = blueprint.certificates.len();
    blueprint.certificates.push(Template {
        issuer: index,
        ..template
    });
    index
}
