// SPDX-License-Identifier: Apache-2.0
//! Faults of certificates and of the signature.

use subrosa_evidence::CheckId::{EvidenceFormat, NitroCertificates, NitroSignature, Root};

use super::fault::{FINAL, Fault, STALE};
use crate::forge::nitro::{
    Blueprint, DIGITAL_SIGNATURE, ENCLAVE, INSTANCE, NOW, REGION, ROOT, Template, public_key,
};

pub(super) const FAULTS: &[Fault] = &[
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
];

fn self_signed(blueprint: &mut Blueprint, template: Template) -> usize {
    let index = blueprint.certificates.len();
    blueprint.certificates.push(Template {
        issuer: index,
        ..template
    });
    index
}
