// SPDX-License-Identifier: Apache-2.0
//! Attestation documents with chosen faults, under a certificate authority of their own that is
//! shaped like the genuine one: root, region, zone, instance, enclave, on P-384 throughout.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
};
use std::time::Duration;
use subrosa_attestation::Root;
use x509_cert::der::Encode;
use x509_cert::der::asn1::{ObjectIdentifier, UtcTime};

/// When forged documents are judged: 2025-12-25 13:15:37.
pub(crate) const NOW: u64 = 1_766_668_537;
/// The positions of the certificates of [`Blueprint::genuine`].
pub(crate) const ROOT: usize = 0;
pub(crate) const REGION: usize = 1;
pub(crate) const INSTANCE: usize = 3;
pub(crate) const ENCLAVE: usize = 4;

/// Everything that makes up a document and its certificates.
pub(crate) struct Blueprint {
    /// Certificates; each has a fresh key.
    pub(crate) certificates: Vec<Template>,
    /// Which of them is pinned.
    pub(crate) pinned: usize,
    /// Which of them signs.
    pub(crate) signer: usize,
    /// Which of them are in `certificate` and `cabundle`; those fields come after [`Self::fields`].
    pub(crate) certificate: Vec<usize>,
    pub(crate) bundle: Vec<usize>,
    /// The other fields: name and value, both encoded.
    pub(crate) fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// Writes the outer map with indefinite length.
    pub(crate) open_map: bool,
    /// The last word on the payload before it is signed.
    pub(crate) edit_payload: fn(&mut Vec<u8>),
    /// Protected header, as encoded in its byte string.
    pub(crate) protected: Vec<u8>,
    /// Unprotected header, encoded.
    pub(crate) unprotected: Vec<u8>,
    /// What happens to the signed payload and its signature.
    pub(crate) edit_signed: fn(&mut Vec<u8>, &mut Vec<u8>),
    /// What happens to the whole document, untagged.
    pub(crate) edit_document: fn(&mut Vec<u8>),
    /// When it is judged.
    pub(crate) now: u64,
}

/// What to put into a certificate.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) subject: &'static str,
    /// Position of the issuer; its own position for a self-signed one.
    pub(crate) issuer: usize,
    pub(crate) not_before: u64,
    pub(crate) not_after: u64,
    /// Basic constraints: CA, and how many CAs may follow.
    pub(crate) ca: bool,
    pub(crate) path_length: Option<u8>,
    /// Content of the KeyUsage bit string; `None` for no such extension.
    pub(crate) key_usage: Option<[u8; 2]>,
    /// A further, critical extension that nobody knows.
    pub(crate) strange: bool,
    /// The signature algorithm it states.
    pub(crate) algorithm: &'static str,
    /// The key in place of the one it has: SubjectPublicKeyInfo, DER.
    pub(crate) foreign_key: Option<Vec<u8>>,
    /// What happens to it once it is signed.
    pub(crate) edit: fn(&mut Vec<u8>),
}

/// A document, and the root it should be judged under.
pub(crate) struct Forged {
    pub(crate) document: Vec<u8>,
    pub(crate) root: Root,
}

impl Blueprint {
    /// A sound document.
    pub(crate) fn genuine() -> Self {
        const YEAR: u64 = 365 * 24 * 3600;
        let issuer = |subject, issuer, path_length, life| Template {
            subject,
            issuer,
            not_before: NOW - life,
            not_after: NOW + life,
            ca: true,
            path_length,
            key_usage: Some(CERTIFICATE_SIGN),
            strange: false,
            algorithm: ECDSA_WITH_SHA384,
            foreign_key: None,
            edit: |_| {},
        };
        Self {
            certificates: vec![
                issuer("forged.nitro-enclaves", 0, None, YEAR),
                issuer("region.forged.nitro-enclaves", 0, Some(2), 30 * 24 * 3600),
                issuer("zone.forged.nitro-enclaves", 1, Some(1), 5 * 24 * 3600),
                issuer("i-0123456789abcdef0.forged", 2, Some(0), 24 * 3600),
                Template {
                    ca: false,
                    path_length: None,
                    key_usage: Some(DIGITAL_SIGNATURE),
                    not_before: NOW - 1000,
                    not_after: NOW + 3 * 3600,
                    ..issuer("i-0123456789abcdef0-enc0.forged", 3, None, YEAR)
                },
            ],
            pinned: ROOT,
            signer: ENCLAVE,
            certificate: vec![ENCLAVE],
            bundle: vec![ROOT, REGION, 2, INSTANCE],
            fields: vec![
                (
                    text("module_id"),
                    text("i-0123456789abcdef0-enc0123456789abcdef"),
                ),
                (text("digest"), text("SHA384")),
                (text("timestamp"), uint((NOW - 1) * 1000 + 578)),
                (text("pcrs"), pcrs(&registers())),
                (text("public_key"), vec![NULL]),
                (text("user_data"), bytes(&[0x5a; 64])),
                (text("nonce"), bytes(&[])),
            ],
            open_map: false,
            edit_payload: |_| {},
            protected: vec![0xa1, 0x01, 0x38, 0x22],
            unprotected: vec![0xa0],
            edit_signed: |_, _| {},
            edit_document: |_| {},
            now: NOW,
        }
    }

    /// Replaces a field.
    pub(crate) fn set(&mut self, name: &str, value: Vec<u8>) {
        let field = self.fields.iter_mut().find(|field| field.0 == text(name));
        field.unwrap().1 = value;
    }

    /// Drops a field.
    pub(crate) fn drop(&mut self, name: &str) {
        self.fields.retain(|field| field.0 != text(name));
    }

    /// Replaces one register, or drops it.
    pub(crate) fn set_pcr(&mut self, index: u8, value: Option<&[u8]>) {
        let mut registers = registers();
        registers.retain(|register| register.0 != u64::from(index));
        registers.extend(value.map(|value| (u64::from(index), value.to_vec())));
        self.set("pcrs", pcrs(&registers));
    }

    /// Makes keys, issues the certificates and signs the document.
    pub(crate) fn build(&self) -> Forged {
        let keys: Vec<Key> = self.certificates.iter().map(|_| Key::generate()).collect();
        let issued: Vec<Vec<u8>> = (0..keys.len())
            .map(|index| self.issue(index, &keys))
            .collect();
        let mut fields = self.fields.clone();
        for index in &self.certificate {
            fields.push((text("certificate"), bytes(&issued[*index])));
        }
        let bundle: Vec<Vec<u8>> = self
            .bundle
            .iter()
            .map(|index| bytes(&issued[*index]))
            .collect();
        if !self.fields.iter().any(|field| field.0 == text("cabundle")) {
            let head = head(4, bundle.len() as u64);
            fields.push((text("cabundle"), [head, bundle.concat()].concat()));
        }
        let entries: Vec<u8> = fields
            .iter()
            .flat_map(|(name, value)| [name.clone(), value.clone()].concat())
            .collect();
        let mut payload = if self.open_map {
            [&[0xbf], &entries[..], &[0xff]].concat()
        } else {
            [head(5, fields.len() as u64), entries].concat()
        };
        (self.edit_payload)(&mut payload);
        let protected = bytes(&self.protected);
        let signed = [
            head(4, 4),
            text("Signature1"),
            protected.clone(),
            bytes(&[]),
            bytes(&payload),
        ]
        .concat();
        let mut signature = keys[self.signer].sign_fixed(&signed);
        (self.edit_signed)(&mut payload, &mut signature);
        let mut document = [
            head(4, 4),
            protected,
            self.unprotected.clone(),
            bytes(&payload),
            bytes(&signature),
        ]
        .concat();
        (self.edit_document)(&mut document);
        Forged {
            document,
            root: Root::from_certificate(&issued[self.pinned]).unwrap(),
        }
    }

    /// RFC 5280, section 4.1.
    fn issue(&self, index: usize, keys: &[Key]) -> Vec<u8> {
        let template = &self.certificates[index];
        let issuer = self.certificates[template.issuer].subject;
        let algorithm = tlv(0x30, &[oid(template.algorithm)]);
        let key = template
            .foreign_key
            .clone()
            .unwrap_or_else(|| public_key("1.3.132.0.34", keys[index].public()));
        let signed = tlv(
            0x30,
            &[
                tlv(0xa0, &[tlv(0x02, &[vec![2]])]),
                tlv(0x02, &[vec![1 + index as u8]]),
                algorithm.clone(),
                name(issuer),
                tlv(0x30, &[time(template.not_before), time(template.not_after)]),
                name(template.subject),
                key,
                tlv(0xa3, &[tlv(0x30, &extensions(template))]),
            ],
        );
        let signature = keys[template.issuer].sign_asn1(&signed);
        let signature = tlv(0x03, &[vec![0], signature]);
        let mut certificate = tlv(0x30, &[signed, algorithm, signature]);
        (template.edit)(&mut certificate);
        certificate
    }
}

/// PCR 0 to 15 of 48 bytes: 0 to 4 and 8 with content, the others zero.
fn registers() -> Vec<(u64, Vec<u8>)> {
    (0..16)
        .map(|index| {
            let content = if index < 5 || index == 8 {
                0xc0 + index as u8
            } else {
                0
            };
            (index, vec![content; 48])
        })
        .collect()
}

/// SubjectPublicKeyInfo of an elliptic curve point (RFC 5480).
pub(crate) fn public_key(curve: &str, point: &[u8]) -> Vec<u8> {
    let algorithm = tlv(0x30, &[oid("1.2.840.10045.2.1"), oid(curve)]);
    tlv(0x30, &[algorithm, tlv(0x03, &[vec![0], point.to_vec()])])
}

fn extensions(template: &Template) -> Vec<Vec<u8>> {
    const CRITICAL: [u8; 3] = [0x01, 0x01, 0xff];
    let extension = |id: &str, content: Vec<u8>| {
        let value = tlv(0x04, &[content]);
        tlv(0x30, &[oid(id), CRITICAL.to_vec(), value])
    };
    let mut constraints = Vec::new();
    if template.ca {
        constraints.push(CRITICAL.to_vec());
    }
    if let Some(length) = template.path_length {
        constraints.push(tlv(0x02, &[vec![length]]));
    }
    let mut extensions = vec![extension("2.5.29.19", tlv(0x30, &constraints))];
    if let Some(usage) = template.key_usage {
        extensions.push(extension("2.5.29.15", tlv(0x03, &[usage.to_vec()])));
    }
    if template.strange {
        extensions.push(extension("1.3.6.1.4.1.99999.1", tlv(0x05, &[])));
    }
    extensions
}

fn name(common_name: &str) -> Vec<u8> {
    let attribute = [oid("2.5.4.3"), tlv(0x0c, &[common_name.into()])];
    tlv(0x30, &[tlv(0x31, &[tlv(0x30, &attribute)])])
}

fn time(seconds: u64) -> Vec<u8> {
    let time = UtcTime::from_unix_duration(Duration::from_secs(seconds));
    time.unwrap().to_der().unwrap()
}

fn oid(id: &str) -> Vec<u8> {
    ObjectIdentifier::new(id).unwrap().to_der().unwrap()
}

fn tlv(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length = match content.len() {
        0..128 => vec![length[1]],
        128..256 => vec![0x81, length[1]],
        _ => vec![0x82, length[0], length[1]],
    };
    [vec![tag], length, content].concat()
}

struct Key {
    asn1: EcdsaKeyPair,
    fixed: EcdsaKeyPair,
}

impl Key {
    fn generate() -> Self {
        let asn1 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
        let pkcs8 = asn1.to_pkcs8v1().unwrap();
        let fixed = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8.as_ref());
        Self {
            asn1,
            fixed: fixed.unwrap(),
        }
    }

    fn public(&self) -> &[u8] {
        self.asn1.public_key().as_ref()
    }

    fn sign_asn1(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.asn1.sign(&SystemRandom::new(), message);
        signature.unwrap().as_ref().to_vec()
    }

    fn sign_fixed(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.fixed.sign(&SystemRandom::new(), message);
        signature.unwrap().as_ref().to_vec()
    }
}

/// CBOR (RFC 8949, section 3).
pub(crate) fn text(text: &str) -> Vec<u8> {
    [head(3, text.len() as u64), text.into()].concat()
}

pub(crate) fn bytes(bytes: &[u8]) -> Vec<u8> {
    [head(2, bytes.len() as u64), bytes.to_vec()].concat()
}

pub(crate) fn uint(value: u64) -> Vec<u8> {
    head(0, value)
}

pub(crate) fn pcrs(registers: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let entries = registers
        .iter()
        .flat_map(|(index, value)| [uint(*index), bytes(value)].concat());
    let mut map = head(5, registers.len() as u64);
    map.extend(entries);
    map
}

pub(crate) fn head(major: u8, argument: u64) -> Vec<u8> {
    let major = major << 5;
    match argument {
        0..24 => vec![major | argument as u8],
        24..0x100 => vec![major | 24, argument as u8],
        0x100..0x1_0000 => [&[major | 25][..], &(argument as u16).to_be_bytes()].concat(),
        0x1_0000..0x1_0000_0000 => [&[major | 26][..], &(argument as u32).to_be_bytes()].concat(),
        _ => [&[major | 27][..], &argument.to_be_bytes()].concat(),
    }
}

pub(crate) const NULL: u8 = 0xf6;
/// KeyUsage bit strings: number of unused bits, bits.
const CERTIFICATE_SIGN: [u8; 2] = [2, 0x04];
pub(crate) const DIGITAL_SIGNATURE: [u8; 2] = [7, 0x80];
const ECDSA_WITH_SHA384: &str = "1.2.840.10045.4.3.3";
