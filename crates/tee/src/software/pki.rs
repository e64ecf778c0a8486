// SPDX-License-Identifier: Apache-2.0
//! The development certificate authority: Intel's hierarchy, every private key public.
//!
//! Root CA ─┬─ PCK Platform CA ── PCK certificate (one per machine)
//!          ├─ TCB signing certificate
//!          └─ two revocation lists (the root's and the PCK CA's)
//!
//! Every private key is derived from a constant in this file, so anybody can sign anything under
//! this root: that is its point. It carries the format of real evidence, never its meaning.

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use sha2::{Digest, Sha256};

use super::der;

/// A P-256 key pair of the development hierarchy.
pub(crate) struct Key(SigningKey);

impl Key {
    /// The key that is named `name`: the first of SHA-256(domain ‖ name ‖ counter), counter from
    /// 0, that is a valid P-256 scalar.
    pub(crate) fn named(name: &str) -> Self {
        let mut counter = 0u8;
        loop {
            let scalar = Sha256::new()
                .chain_update(b"subrosa.v1.development-key.")
                .chain_update(name.as_bytes())
                .chain_update([counter])
                .finalize();
            if let Ok(key) = SigningKey::from_slice(scalar.as_slice()) {
                return Self(key);
            }
            counter = counter.wrapping_add(1);
        }
    }

    /// x ‖ y, 64 bytes, as quotes carry public keys.
    pub(crate) fn public_xy(&self) -> [u8; 64] {
        let mut xy = [0; 64];
        // An uncompressed SEC1 point is 0x04 ‖ x ‖ y.
        for (to, from) in xy.iter_mut().zip(self.uncompressed().iter().skip(1)) {
            *to = *from;
        }
        xy
    }

    /// r ‖ s, 64 bytes, over SHA-256 of `message`; RFC 6979, low s.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signature(message).to_bytes().into()
    }

    /// SubjectPublicKeyInfo (RFC 5480), DER.
    pub(crate) fn subject_public_key_info(&self) -> Vec<u8> {
        der::sequence(&[
            der::sequence(&[
                der::object_identifier(ID_EC_PUBLIC_KEY),
                der::object_identifier(ID_PRIME256V1),
            ]),
            der::bit_string(&self.uncompressed(), 0),
        ])
    }

    fn uncompressed(&self) -> Vec<u8> {
        self.0
            .verifying_key()
            .to_encoded_point(false)
            .as_bytes()
            .to_vec()
    }

    fn signature(&self, message: &[u8]) -> Signature {
        let signature: Signature = self.0.sign(message);
        signature.normalize_s().unwrap_or(signature)
    }

    /// `SIGNED{tbs}` of X.509: tbs, algorithm, signature.
    fn signed(&self, tbs: Vec<u8>) -> Vec<u8> {
        let signature = self.signature(&tbs).to_der();
        der::sequence(&[
            tbs,
            ecdsa_with_sha256(),
            der::bit_string(signature.as_bytes(), 0),
        ])
    }
}

/// The names in a hierarchy and the key of its root.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    /// Prefix of every common name.
    pub(crate) prefix: &'static str,
    /// Name of the root's key.
    pub(crate) root_key: &'static str,
    /// Validity of every certificate and list, RFC 3339.
    pub(crate) not_before: &'static str,
    pub(crate) not_after: &'static str,
    /// When the two revocation lists run out, RFC 3339.
    pub(crate) crl_next_update: &'static str,
    /// Whether the PCK CA's list names the PCK certificate.
    pub(crate) pck_revoked: bool,
    /// Whether the root's list names the PCK CA.
    pub(crate) pck_ca_revoked: bool,
    /// Whether the root's list names the TCB signing certificate.
    pub(crate) tcb_signer_revoked: bool,
}

/// What a PCK certificate says about its machine (Intel SGX PCK Certificate and CRL Profile
/// Specification 1.5, section 1.3.5).
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// Platform Provisioning ID.
    pub(crate) ppid: [u8; 16],
    pub(crate) platform_instance: [u8; 16],
    pub(crate) cpu_svn: [u8; 16],
    pub(crate) pce_svn: u8,
    pub(crate) pce_id: [u8; 2],
    pub(crate) fmspc: [u8; 6],
}

impl Authority {
    pub(crate) fn root_key(&self) -> Key {
        Key::named(self.root_key)
    }

    /// The self-signed root certificate, DER.
    pub(crate) fn root(&self) -> Vec<u8> {
        let key = self.root_key();
        self.certificate(
            ROOT,
            ROOT,
            &key,
            &key,
            SERIAL_ROOT,
            &certificate_authority(1),
        )
    }

    /// The certificate authority of PCK certificates, DER.
    pub(crate) fn pck_ca(&self) -> Vec<u8> {
        let (root, key) = (self.root_key(), self.pck_ca_key());
        self.certificate(
            ROOT,
            PCK_CA,
            &root,
            &key,
            SERIAL_PCK_CA,
            &certificate_authority(0),
        )
    }

    /// The certificate that signs TCB info and QE identity, DER.
    pub(crate) fn tcb_signer(&self) -> Vec<u8> {
        let (root, key) = (self.root_key(), self.tcb_signer_key());
        self.certificate(
            ROOT,
            TCB_SIGNER,
            &root,
            &key,
            SERIAL_TCB_SIGNER,
            &end_entity(),
        )
    }

    /// The certificate of the key that certifies the machine's quoting enclave, DER.
    pub(crate) fn pck(&self, machine: &Machine) -> Vec<u8> {
        let (ca, key) = (self.pck_ca_key(), self.pck_key());
        let mut extensions = end_entity();
        extensions.push(extension(
            ID_SGX_EXTENSIONS,
            false,
            &machine.sgx_extensions(),
        ));
        self.certificate(PCK_CA, PCK, &ca, &key, &pck_serial(machine), &extensions)
    }

    /// The root's revocation list, DER.
    pub(crate) fn root_crl(&self) -> Vec<u8> {
        let mut revoked = Vec::new();
        if self.pck_ca_revoked {
            revoked.push(SERIAL_PCK_CA.to_vec());
        }
        if self.tcb_signer_revoked {
            revoked.push(SERIAL_TCB_SIGNER.to_vec());
        }
        self.revocation_list(ROOT, &self.root_key(), &revoked)
    }

    /// The PCK CA's revocation list, DER.
    pub(crate) fn pck_crl(&self, machine: &Machine) -> Vec<u8> {
        let revoked = if self.pck_revoked {
            vec![pck_serial(machine)]
        } else {
            Vec::new()
        };
        self.revocation_list(PCK_CA, &self.pck_ca_key(), &revoked)
    }

    pub(crate) fn pck_key(&self) -> Key {
        Key::named("pck")
    }

    pub(crate) fn tcb_signer_key(&self) -> Key {
        Key::named("tcb-signer")
    }

    fn pck_ca_key(&self) -> Key {
        Key::named("pck-ca")
    }

    fn name(&self, role: &str) -> Vec<u8> {
        let attribute = |oid: &[u32], text: &str| {
            der::set_of_one(der::sequence(&[
                der::object_identifier(oid),
                der::utf8_string(text),
            ]))
        };
        der::sequence(&[
            attribute(ID_COMMON_NAME, &format!("{} {role}", self.prefix)),
            attribute(ID_ORGANIZATION, "Subrosa (private keys are public)"),
        ])
    }

    fn certificate(
        &self,
        issuer: &str,
        subject: &str,
        issuer_key: &Key,
        subject_key: &Key,
        serial: &[u8],
        extensions: &[Vec<u8>],
    ) -> Vec<u8> {
        let mut extensions = extensions.to_vec();
        extensions.push(extension(
            ID_SUBJECT_KEY_IDENTIFIER,
            false,
            &der::octet_string(&key_identifier(subject_key)),
        ));
        extensions.push(authority_key_identifier(issuer_key));
        issuer_key.signed(der::sequence(&[
            der::explicit(0, der::unsigned(&[2])),
            der::unsigned(serial),
            ecdsa_with_sha256(),
            self.name(issuer),
            der::sequence(&[der::time(self.not_before), der::time(self.not_after)]),
            self.name(subject),
            subject_key.subject_public_key_info(),
            der::explicit(3, der::sequence(&extensions)),
        ]))
    }

    fn revocation_list(&self, issuer: &str, key: &Key, revoked: &[Vec<u8>]) -> Vec<u8> {
        let mut parts = vec![
            der::unsigned(&[1]),
            ecdsa_with_sha256(),
            self.name(issuer),
            der::time(self.not_before),
            der::time(self.crl_next_update),
        ];
        if !revoked.is_empty() {
            let entries: Vec<Vec<u8>> = revoked
                .iter()
                .map(|serial| der::sequence(&[der::unsigned(serial), der::time(self.not_before)]))
                .collect();
            parts.push(der::sequence(&entries));
        }
        parts.push(der::explicit(
            0,
            der::sequence(&[
                extension(ID_CRL_NUMBER, false, &der::unsigned(&[1])),
                authority_key_identifier(key),
            ]),
        ));
        key.signed(der::sequence(&parts))
    }
}

impl Machine {
    fn sgx_extensions(&self) -> Vec<u8> {
        let entry = |arcs: &[u32], value: Vec<u8>| {
            der::sequence(&[
                der::object_identifier(&[ID_SGX_EXTENSIONS, arcs].concat()),
                value,
            ])
        };
        let mut tcb: Vec<Vec<u8>> = (1u32..)
            .zip(self.cpu_svn)
            .map(|(index, svn)| entry(&[2, index], der::unsigned(&[svn])))
            .collect();
        tcb.push(entry(&[2, 17], der::unsigned(&[self.pce_svn])));
        tcb.push(entry(&[2, 18], der::octet_string(&self.cpu_svn)));
        der::sequence(&[
            entry(&[1], der::octet_string(&self.ppid)),
            entry(&[2], der::sequence(&tcb)),
            entry(&[3], der::octet_string(&self.pce_id)),
            entry(&[4], der::octet_string(&self.fmspc)),
            // 1 is "scalable".
            entry(&[5], der::enumerated(1)),
            entry(&[6], der::octet_string(&self.platform_instance)),
            entry(
                &[7],
                der::sequence(&[
                    entry(&[7, 1], der::boolean(false)),
                    entry(&[7, 2], der::boolean(false)),
                    entry(&[7, 3], der::boolean(false)),
                ]),
            ),
        ])
    }
}

/// PEM (RFC 7468) of `certificates`, leaf first.
pub(crate) fn pem_chain(certificates: &[Vec<u8>]) -> String {
    use base64::Engine as _;
    let mut pem = String::new();
    for certificate in certificates {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        let text = base64::engine::general_purpose::STANDARD.encode(certificate);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, tail) = rest.split_at_checked(64).unwrap_or((rest, ""));
            pem.push_str(line);
            pem.push('\n');
            rest = tail;
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

fn certificate_authority(path_length: u8) -> Vec<Vec<u8>> {
    vec![
        extension(
            ID_BASIC_CONSTRAINTS,
            true,
            &der::sequence(&[der::boolean(true), der::unsigned(&[path_length])]),
        ),
        // keyCertSign and cRLSign: bits 5 and 6.
        extension(ID_KEY_USAGE, true, &der::bit_string(&[0x06], 1)),
    ]
}

fn end_entity() -> Vec<Vec<u8>> {
    vec![
        extension(ID_BASIC_CONSTRAINTS, true, &der::sequence(&[])),
        // digitalSignature and nonRepudiation: bits 0 and 1.
        extension(ID_KEY_USAGE, true, &der::bit_string(&[0xc0], 6)),
    ]
}

fn extension(oid: &[u32], critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![der::object_identifier(oid)];
    if critical {
        parts.push(der::boolean(true));
    }
    parts.push(der::octet_string(value));
    der::sequence(&parts)
}

fn authority_key_identifier(key: &Key) -> Vec<u8> {
    let content = der::sequence(&[der::implicit(0, &key_identifier(key))]);
    extension(ID_AUTHORITY_KEY_IDENTIFIER, false, &content)
}

/// RFC 7093, method 1: the leftmost 160 bits of SHA-256 of the public key.
fn key_identifier(key: &Key) -> Vec<u8> {
    Sha256::digest(key.uncompressed())
        .iter()
        .take(20)
        .copied()
        .collect()
}

fn pck_serial(machine: &Machine) -> Vec<u8> {
    let digest = Sha256::new()
        .chain_update(b"subrosa.v1.development-pck-serial")
        .chain_update(machine.ppid)
        .finalize();
    // The leading 0x01 keeps the number positive and its length fixed.
    std::iter::once(1)
        .chain(digest.iter().take(15).copied())
        .collect()
}

fn ecdsa_with_sha256() -> Vec<u8> {
    der::sequence(&[der::object_identifier(ID_ECDSA_WITH_SHA256)])
}

const ROOT: &str = "Root CA";
const PCK_CA: &str = "PCK Platform CA";
const TCB_SIGNER: &str = "TCB Signing";
const PCK: &str = "PCK Certificate";

const SERIAL_ROOT: &[u8] = &[1];
const SERIAL_PCK_CA: &[u8] = &[2];
const SERIAL_TCB_SIGNER: &[u8] = &[3];

const ID_EC_PUBLIC_KEY: &[u32] = &[1, 2, 840, 10045, 2, 1];
const ID_PRIME256V1: &[u32] = &[1, 2, 840, 10045, 3, 1, 7];
const ID_ECDSA_WITH_SHA256: &[u32] = &[1, 2, 840, 10045, 4, 3, 2];
const ID_COMMON_NAME: &[u32] = &[2, 5, 4, 3];
const ID_ORGANIZATION: &[u32] = &[2, 5, 4, 10];
const ID_SUBJECT_KEY_IDENTIFIER: &[u32] = &[2, 5, 29, 14];
const ID_KEY_USAGE: &[u32] = &[2, 5, 29, 15];
const ID_BASIC_CONSTRAINTS: &[u32] = &[2, 5, 29, 19];
const ID_CRL_NUMBER: &[u32] = &[2, 5, 29, 20];
const ID_AUTHORITY_KEY_IDENTIFIER: &[u32] = &[2, 5, 29, 35];
const ID_SGX_EXTENSIONS: &[u32] = &[1, 2, 840, 113741, 1, 13, 1];
