// SPDX-License-Identifier: Apache-2.0
//! Authorities made for tests of what no genuine file shows: lists of AMD's roots.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _};

/// A key that signs itself, and lists.
pub(crate) struct Authority {
    name: &'static str,
    key: EcdsaKeyPair,
}

/// When everything is issued: 2026-06-01T00:00:00Z. It is in force for thirty years.
pub(crate) const ISSUED: u64 = 1_780_272_000;

impl Authority {
    /// One with `name` as its common name and a fresh key of P-256.
    pub(crate) fn called(name: &'static str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Self { name, key }
    }

    /// Its certificate, DER (RFC 5280, 4.1), with `extensions`: identifiers and values.
    pub(crate) fn certificate(&self, extensions: &[(ObjectIdentifier, &[u8])]) -> Vec<u8> {
        let extensions: Vec<Vec<u8>> = extensions
            .iter()
            .map(|(id, value)| sequence(&[&id.to_der().unwrap(), &tlv(0x04, value)]))
            .collect();
        let extensions = match extensions.concat() {
            none if none.is_empty() => none,
            some => tlv(0xa3, &tlv(0x30, &some)),
        };
        let point = [&[0][..], self.key.public_key().as_ref()].concat();
        let key = sequence(&[
            &sequence(&[&object("1.2.840.10045.2.1"), &object("1.2.840.10045.3.1.7")]),
            &tlv(0x03, &point),
        ]);
        self.signed(sequence(&[
            &tlv(0xa0, &tlv(0x02, &[2])),
            &tlv(0x02, &[1]),
            &algorithm(),
            &self.distinguished_name(),
            &sequence(&[&tlv(0x17, FROM), &tlv(0x18, UNTIL)]),
            &self.distinguished_name(),
            &key,
            &extensions,
        ]))
    }

    /// Its list, DER (RFC 5280, 5.1), which names the serial number `revoked`.
    pub(crate) fn list(&self, revoked: u8) -> Vec<u8> {
        let entry = sequence(&[&tlv(0x02, &[revoked]), &tlv(0x17, FROM)]);
        self.signed(sequence(&[
            &tlv(0x02, &[1]),
            &algorithm(),
            &self.distinguished_name(),
            &tlv(0x17, FROM),
            &tlv(0x18, UNTIL),
            &sequence(&[&entry]),
        ]))
    }

    /// The same name with another key.
    pub(crate) fn impostor(&self) -> Self {
        Self::called(self.name)
    }

    fn distinguished_name(&self) -> Vec<u8> {
        let name = sequence(&[&object("2.5.4.3"), &tlv(0x0c, self.name.as_bytes())]);
        sequence(&[&tlv(0x31, &name)])
    }

    fn signed(&self, body: Vec<u8>) -> Vec<u8> {
        let signature = self.key.sign(&SystemRandom::new(), &body).unwrap();
        let bits = [&[0][..], signature.as_ref()].concat();
        sequence(&[&body, &algorithm(), &tlv(0x03, &bits)])
    }
}

fn algorithm() -> Vec<u8> {
    sequence(&[&object("1.2.840.10045.4.3.2")])
}

fn object(id: &str) -> Vec<u8> {
    ObjectIdentifier::new_unwrap(id).to_der().unwrap()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match u8::try_from(length) {
        Ok(short @ ..0x80) => bytes.push(short),
        Ok(byte) => bytes.extend([0x81, byte]),
        Err(_) => {
            bytes.push(0x82);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    bytes.extend(content);
    bytes
}

const FROM: &[u8] = b"260601000000Z";
const UNTIL: &[u8] = b"20560601000000Z";

#[test]
fn what_is_forged_is_what_it_should_be() {
    use x509_cert::Certificate;
    use x509_cert::certificate::Rfc5280;
    use x509_cert::crl::CertificateList;
    let authority = Authority::called("ARK-Genoa");
    let certificate = Certificate::from_der(&authority.certificate(&[])).unwrap();
    crate::signed::certificate_by(&certificate, &certificate).unwrap();
    let list = CertificateList::<Rfc5280>::from_der(&authority.list(7)).unwrap();
    crate::signed::list_by(&list, &certificate).unwrap();
    assert_eq!(crate::lists::list_dates(&list).unwrap().0, ISSUED);
}
