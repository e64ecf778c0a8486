// SPDX-License-Identifier: Apache-2.0
//! A SEV-SNP platform of our own: ARK, ASK, ASVK, VCEK, VLEK, revocation lists and reports, in the
//! encodings that AMD uses, under keys made on the spot. The keys of the authorities have 2,048
//! bits where AMD's have 4,096: they are made for every run.
//!
//! Independent of the code it tests: it writes DER and reports on its own.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PSS_SHA384, RsaKeyPair,
};
use subrosa_attestation::Root;
use subrosa_evidence::{EvidenceBundle, EvidencePart, Product};
use subrosa_types::id::TeeKind;
use x509_cert::der::Encode;
use x509_cert::der::asn1::{ObjectIdentifier, UtcTime};

/// When everything that is not spoiled is in force, Unix seconds.
pub const NOW: u64 = 1_760_000_000;

/// One product's certificate authorities.
pub struct Pki {
    product: Product,
    pub ark: Authority,
    pub ask: Authority,
    pub asvk: Authority,
}

/// A certificate authority.
pub struct Authority {
    pub name: String,
    pub certificate: Vec<u8>,
    key: RsaKeyPair,
}

impl Pki {
    /// Makes keys and certificates under AMD's names.
    pub fn new(product: Product) -> Self {
        let word = word(product);
        let key = || RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let ark = Authority::new(&format!("ARK-{word}"), key(), None, IN_FORCE, 1);
        let signed =
            |name: String, serial| Authority::new(&name, key(), Some(&ark), IN_FORCE, serial);
        Self {
            product,
            ask: signed(format!("SEV-{word}"), ASK_SERIAL),
            asvk: signed(format!("SEV-VLEK-{word}"), ASVK_SERIAL),
            ark,
        }
    }

    /// The ARK, to be pinned.
    pub fn root(&self) -> Root {
        Root::from_certificate(&self.ark.certificate).unwrap()
    }

    /// Evidence that is as it should be, but for what `spoil` does to it before it is signed.
    pub fn evidence(&self, spoil: impl FnOnce(&mut Scenario)) -> Evidence {
        let mut scenario = Scenario::of(self.product);
        spoil(&mut scenario);
        scenario.sign(self)
    }

    /// The same under a VLEK.
    pub fn vlek(&self, spoil: impl FnOnce(&mut Scenario)) -> Evidence {
        self.evidence(|scenario| {
            scenario.provider();
            spoil(scenario);
        })
    }
}

/// What is to be certified and reported. Everything in it can be spoiled.
pub struct Scenario {
    pub common_name: String,
    /// AMD's extensions: the rest of the identifier after 1.3.6.1.4.1.3704.1, and the value.
    pub extensions: BTreeMap<&'static str, Vec<u8>>,
    /// Whether the ASVK signs, not the ASK.
    pub vlek: bool,
    pub vek_in_force: (u64, u64),
    /// `None` takes the authority's own certificate.
    pub ask_in_force: Option<(u64, u64)>,
    pub list: Option<List>,
    /// The report before it is signed.
    pub report: Vec<u8>,
}

/// A revocation list of the ARK.
pub struct List {
    pub in_force: (u64, u64),
    pub revoked: Vec<u64>,
    /// An issuing distribution point: DER.
    pub scope: Option<Vec<u8>>,
    /// A further extension.
    pub extra: Vec<u8>,
    /// Whether it is without any extension.
    pub bare: bool,
}

impl List {
    /// A list that names nobody of ours.
    pub fn harmless() -> Self {
        Self {
            in_force: (NOW - DAY, NOW + DAY),
            revoked: vec![0xdead],
            scope: None,
            extra: Vec::new(),
            bare: false,
        }
    }
}

impl Scenario {
    fn of(product: Product) -> Self {
        let mut extensions = BTreeMap::from([
            ("1", integer(u64::from(product == Product::Turin))),
            ("2", tlv(0x16, word(product).as_bytes())),
            ("3.1", integer(BOOTLOADER.into())),
            ("3.2", integer(TEE.into())),
            ("3.3", integer(SNP.into())),
            ("3.8", integer(MICROCODE.into())),
        ]);
        for reserved in ["3.5", "3.6", "3.7"] {
            extensions.insert(reserved, integer(0));
        }
        let mut chip = vec![0; 64];
        if product == Product::Turin {
            extensions.insert("3.9", integer(FMC.into()));
            chip[..8].fill(0xc1);
            extensions.insert("4", chip[..8].to_vec());
        } else {
            extensions.insert("3.4", integer(0));
            chip.fill(0xc1);
            extensions.insert("4", chip.clone());
        }
        let mut scenario = Self {
            common_name: "SEV-VCEK".to_owned(),
            extensions,
            vlek: false,
            vek_in_force: IN_FORCE,
            ask_in_force: None,
            list: Some(List::harmless()),
            report: vec![0; 0x4A0],
        };
        scenario.put(0x00, &5_u32.to_le_bytes());
        scenario.put(0x08, &0x3_0000_u64.to_le_bytes());
        scenario.put(0x34, &1_u32.to_le_bytes());
        for offset in [0x38, 0x180, 0x1E0, 0x1F0] {
            scenario.put(offset, &tcb(product));
        }
        scenario.put(0x40, &0x25_u64.to_le_bytes());
        scenario.put(0x50, &[0xda; 64]);
        scenario.put(0x90, &[0x3e; 48]);
        scenario.put(0x160, &[0xff; 32]);
        scenario.put(0x188, &cpuid(product));
        scenario.put(0x1A0, &chip);
        scenario
    }

    /// Turns it into what a provider's machines report: under a VLEK, with a masked chip id.
    pub fn provider(&mut self) {
        self.vlek = true;
        self.common_name = "SEV-VLEK".to_owned();
        self.extensions.remove("4");
        self.extensions
            .insert("5", tlv(0x16, b"CN=provider.example"));
        self.put(0x48, &4_u32.to_le_bytes());
        self.put(0x1A0, &[0; 64]);
    }

    /// Overwrites the report at `offset`.
    pub fn put(&mut self, offset: usize, bytes: &[u8]) {
        self.report[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    /// Changes one security version number of the certificate.
    pub fn certify(&mut self, extension: &'static str, number: u64) {
        self.extensions.insert(extension, integer(number));
    }

    fn sign(self, pki: &Pki) -> Evidence {
        let signer = if self.vlek { &pki.asvk } else { &pki.ask };
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let extensions: Vec<Vec<u8>> = self
            .extensions
            .iter()
            .map(|(rest, value)| extension(&format!("1.3.6.1.4.1.3704.1.{rest}"), false, value))
            .collect();
        let vek = signer.certify(&Request {
            subject: &self.common_name,
            key: sequence(&[
                &sequence(&[&oid("1.2.840.10045.2.1"), &oid("1.3.132.0.34")]),
                &bits(key.public_key().as_ref()),
            ]),
            serial: 0,
            in_force: self.vek_in_force,
            extensions,
            trailer: false,
        });

        let mut report = self.report;
        let signature = key.sign(&random, &report[..0x2A0]).unwrap();
        let (r, s) = signature.as_ref().split_at(48);
        for (number, offset) in [(r, 0x2A0), (s, 0x2E8)] {
            for (index, byte) in number.iter().rev().enumerate() {
                report[offset + index] = *byte;
            }
        }
        let ask = self.ask_in_force.map_or_else(
            || signer.certificate.clone(),
            |in_force| {
                let serial = if self.vlek { ASVK_SERIAL } else { ASK_SERIAL };
                pki.ark.certify(&signer.request(in_force, serial, false))
            },
        );
        Evidence {
            report,
            certificates: vec![vek, ask, pki.ark.certificate.clone()],
            lists: self.list.iter().map(|list| pki.ark.list(list)).collect(),
            table: None,
            now: NOW,
        }
    }
}

/// What is handed to the verifier.
#[derive(Clone)]
pub struct Evidence {
    pub report: Vec<u8>,
    /// VCEK or VLEK, ASK or ASVK, ARK.
    pub certificates: Vec<Vec<u8>>,
    pub lists: Vec<Vec<u8>>,
    pub table: Option<Vec<u8>>,
    pub now: u64,
}

impl Evidence {
    /// As a bundle: certificates and lists in DER, one after the other.
    pub fn bundle(&self) -> EvidenceBundle {
        let parts = [
            (EvidencePart::Quote, Some(self.report.clone())),
            (EvidencePart::Certificates, Some(self.certificates.concat())),
            (EvidencePart::RevocationLists, Some(self.lists.concat())),
            (EvidencePart::CertificateTable, self.table.clone()),
        ];
        let parts = parts
            .into_iter()
            .filter_map(|(part, bytes)| Some((part, bytes?)));
        EvidenceBundle::from_parts(TeeKind::Snp, parts).unwrap()
    }

    /// Moves certificates and lists into a host's certificate table.
    pub fn into_table(mut self) -> Self {
        let guids = [
            [0x63da758d, 0xe6644564, 0xadc5f4b9, 0x3be8accd],
            [0x4ab7b379, 0xbbac4fe4, 0xa02f05ae, 0xf327c782],
            [0xc0b406a4, 0xa8034952, 0x97433fb6, 0x014cd0ae],
            [0x92f81bc3, 0x58114d3d, 0x97ffd19f, 0x88dc67ea_u32],
        ];
        let contents: Vec<Vec<u8>> = self
            .certificates
            .drain(..)
            .chain([std::mem::take(&mut self.lists).concat()])
            .collect();
        let (mut header, mut content) = (Vec::new(), Vec::new());
        for (guid, bytes) in guids.iter().zip(&contents) {
            let offset = 24 * (contents.len() + 1) + content.len();
            header.extend(guid.map(u32::to_be_bytes).concat());
            header.extend(u32::try_from(offset).unwrap().to_le_bytes());
            header.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
            content.extend(bytes);
        }
        header.extend([0; 24]);
        self.table = Some([header, content].concat());
        self
    }
}

struct Request<'a> {
    subject: &'a str,
    /// SubjectPublicKeyInfo.
    key: Vec<u8>,
    serial: u64,
    in_force: (u64, u64),
    extensions: Vec<Vec<u8>>,
    /// Whether the signature algorithm has its default trailer field written out.
    trailer: bool,
}

impl Authority {
    /// Makes an authority that `issuer` certifies, or, without one, a root.
    pub fn new(
        name: &str,
        key: RsaKeyPair,
        issuer: Option<&Self>,
        in_force: (u64, u64),
        serial: u64,
    ) -> Self {
        let mut authority = Self {
            name: name.to_owned(),
            certificate: Vec::new(),
            key,
        };
        let request = authority.request(in_force, serial, issuer.is_none());
        authority.certificate = issuer.unwrap_or(&authority).certify(&request);
        authority
    }

    fn request(&self, in_force: (u64, u64), serial: u64, root: bool) -> Request<'_> {
        let (constraints, usage) = if root {
            (sequence(&[&[1, 1, 0xff]]), [3, 2, 1, 0b0000_0110])
        } else {
            (
                sequence(&[&[1, 1, 0xff], &integer(0)]),
                [3, 2, 2, 0b0000_0100],
            )
        };
        Request {
            subject: &self.name,
            key: sequence(&[
                &sequence(&[&oid("1.2.840.113549.1.1.1"), &[5, 0]]),
                &bits(self.key.public_key().as_ref()),
            ]),
            serial,
            in_force,
            extensions: vec![
                extension("2.5.29.19", true, &constraints),
                extension("2.5.29.15", true, &usage),
                extension(
                    "2.5.29.31",
                    false,
                    &sequence(&[&sequence(&[&point(LIST_URI)])]),
                ),
            ],
            trailer: true,
        }
    }

    fn certify(&self, request: &Request<'_>) -> Vec<u8> {
        let extensions: Vec<&[u8]> = request.extensions.iter().map(Vec::as_slice).collect();
        let (from, to) = request.in_force;
        let signed = sequence(&[
            &tlv(0xa0, &integer(2)),
            &integer(request.serial),
            &algorithm(request.trailer),
            &name(&self.name),
            &sequence(&[&time(from), &time(to)]),
            &name(request.subject),
            &request.key,
            &tlv(0xa3, &sequence(&extensions)),
        ]);
        self.sign(&signed, request.trailer)
    }

    /// A revocation list.
    pub fn list(&self, list: &List) -> Vec<u8> {
        let (from, to) = list.in_force;
        let revoked: Vec<Vec<u8>> = list
            .revoked
            .iter()
            .map(|serial| sequence(&[&integer(*serial), &time(from)]))
            .collect();
        let revoked: Vec<&[u8]> = revoked.iter().map(Vec::as_slice).collect();
        let scope = list.scope.as_ref();
        let scope = scope.map_or_else(Vec::new, |scope| extension("2.5.29.28", true, scope));
        let number = extension("2.5.29.20", false, &integer(7));
        let extensions = sequence(&[&number, &scope, &list.extra]);
        let extensions = if list.bare {
            Vec::new()
        } else {
            tlv(0xa0, &extensions)
        };
        let signed = sequence(&[
            &integer(1),
            &algorithm(true),
            &name(&self.name),
            &time(from),
            &time(to),
            &if revoked.is_empty() {
                Vec::new()
            } else {
                sequence(&revoked)
            },
            &extensions,
        ]);
        self.sign(&signed, true)
    }

    fn sign(&self, signed: &[u8], trailer: bool) -> Vec<u8> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PSS_SHA384,
                &SystemRandom::new(),
                signed,
                &mut signature,
            )
            .unwrap();
        sequence(&[signed, &algorithm(trailer), &bits(&signature)])
    }
}

/// TCB_VERSION of what the certificate says by default.
pub fn tcb(product: Product) -> [u8; 8] {
    if product == Product::Turin {
        [FMC, BOOTLOADER, TEE, SNP, 0, 0, 0, MICROCODE]
    } else {
        [BOOTLOADER, TEE, 0, 0, 0, 0, SNP, MICROCODE]
    }
}

/// The scope of a list: where it is published, and what it is about.
pub fn scope(uri: &str, only: Option<u8>) -> Vec<u8> {
    let only = only.map_or_else(Vec::new, |tag| tlv(0x80 | tag, &[0xff]));
    sequence(&[&point(uri), &only])
}

/// INTEGER.
pub fn integer(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(7);
    let mut content = bytes[first..].to_vec();
    if content[0] & 0x80 != 0 {
        content.insert(0, 0);
    }
    tlv(2, &content)
}

/// Tag, length, value.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let header = match length {
        0..=0x7f => vec![tag, length.to_be_bytes()[1]],
        0x80..=0xff => vec![tag, 0x81, length.to_be_bytes()[1]],
        _ => [&[tag, 0x82], &length.to_be_bytes()[..]].concat(),
    };
    [&header, content].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn bits(content: &[u8]) -> Vec<u8> {
    tlv(3, &[&[0], content].concat())
}

fn oid(dotted: &str) -> Vec<u8> {
    ObjectIdentifier::new_unwrap(dotted).to_der().unwrap()
}

fn time(unix: u64) -> Vec<u8> {
    UtcTime::from_unix_duration(Duration::from_secs(unix))
        .unwrap()
        .to_der()
        .unwrap()
}

fn name(common: &str) -> Vec<u8> {
    let part = |id, text: &str| {
        let value = tlv(0x0c, text.as_bytes());
        tlv(0x31, &sequence(&[&oid(id), &value]))
    };
    sequence(&[
        &part("2.5.4.11", "Engineering"),
        &part("2.5.4.10", "Forged Micro Devices"),
        &part("2.5.4.3", common),
    ])
}

/// An extension of a certificate or a list.
pub fn extension(id: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    sequence(&[&oid(id), critical, &tlv(4, value)])
}

/// A distribution point's name, which is a URI.
fn point(uri: &str) -> Vec<u8> {
    tlv(0xa0, &tlv(0xa0, &tlv(0x86, uri.as_bytes())))
}

/// RSASSA-PSS with SHA-384 and a salt of 48 bytes.
fn algorithm(trailer: bool) -> Vec<u8> {
    let sha384 = sequence(&[&oid("2.16.840.1.101.3.4.2.2"), &[5, 0]]);
    let mgf1 = sequence(&[&oid("1.2.840.113549.1.1.8"), &sha384]);
    let trailer = if trailer {
        tlv(0xa3, &integer(1))
    } else {
        Vec::new()
    };
    let parameters = sequence(&[
        &tlv(0xa0, &sha384),
        &tlv(0xa1, &mgf1),
        &tlv(0xa2, &integer(48)),
        &trailer,
    ]);
    sequence(&[&oid("1.2.840.113549.1.1.10"), &parameters])
}

fn word(product: Product) -> &'static str {
    match product {
        Product::Milan => "Milan",
        Product::Genoa => "Genoa",
        Product::Turin => "Turin",
        other => panic!("{other} is not AMD's"),
    }
}

fn cpuid(product: Product) -> [u8; 3] {
    match product {
        Product::Milan => [0x19, 0x01, 1],
        Product::Genoa => [0x19, 0x11, 1],
        _ => [0x1a, 0x02, 1],
    }
}

pub const DAY: u64 = 24 * 60 * 60;
pub const ASK_SERIAL: u64 = 0x1_0001;
pub const ASVK_SERIAL: u64 = 0x1_0002;
/// Where the certificates say that their revocation lists are.
pub const LIST_URI: &str = "https://lists.example/crl";
const IN_FORCE: (u64, u64) = (NOW - 365 * DAY, NOW + 365 * DAY);
const FMC: u8 = 2;
const BOOTLOADER: u8 = 4;
const TEE: u8 = 1;
const SNP: u8 = 24;
/// Above 127, so that its INTEGER has two bytes.
const MICROCODE: u8 = 219;
