// SPDX-License-Identifier: Apache-2.0
//! The certificates of an attestation document (`docs/attestation_process.md` of the AWS Nitro
//! Enclaves NSM API, sections 3.2.3 and 3.2.4).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Display;

use alloy_primitives::{B256, keccak256};
use sha2::{Digest, Sha256};
use subrosa_evidence::{CheckId, Collateral};
use webpki::aws_lc_rs::ECDSA_P384_SHA384;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use super::document::Document;
use crate::failure::Failure;
use crate::roots::{Root, Roots};
use crate::x509::{self, Path};

/// What is known of the signer of a document once its certificates are verified.
#[derive(Debug)]
pub(super) struct Signer {
    /// Its key: an uncompressed point on P-384 (SEC 1, section 2.3.3).
    pub(super) key: Vec<u8>,
    /// Its certificate's `notBefore`, Unix seconds.
    pub(super) not_before: u64,
    /// Its certificate's `notAfter`, Unix seconds.
    pub(super) not_after: u64,
    /// Every certificate but the root: `certificate`, then `cabundle-N` from its issuer up.
    pub(super) collateral: Vec<Collateral>,
    /// When the first certificate, the root among them, runs out, Unix seconds.
    pub(super) expires: u64,
}

/// The known root that the bundle begins with. Only a hint, which [`verify`] holds it to.
pub(super) fn root<'a>(document: &Document<'_>, roots: Roots<'a>) -> Result<&'a Root, Failure> {
    let first = document.cabundle.first().copied().unwrap_or_default();
    roots.by_certificate(first).ok_or_else(|| {
        Failure::rejected(
            CheckId::Root,
            "a pinned root",
            format_args!(
                "an unknown root certificate ({} bytes, keccak256 {})",
                first.len(),
                keccak256(first)
            ),
        )
    })
}

/// Verifies that the document's certificate hangs from `root` through exactly the rest of its
/// bundle, in order and on P-384 throughout, that all of them are in force at `now` (Unix seconds)
/// and may be used for what they are used for.
///
/// Revocation lists are not consulted: the vendor's description of the validation leaves them out.
pub(super) fn verify(document: &Document<'_>, root: &Root, now: u64) -> Result<Signer, Failure> {
    let intermediates: Vec<&[u8]> = document.cabundle.iter().skip(1).copied().collect();
    let path = x509::verify(
        document.certificate,
        &intermediates,
        core::iter::once(root),
        &[],
        &[ECDSA_P384_SHA384],
        now,
    )
    .map_err(|fault| {
        if fault.is_stale() {
            Failure::stale(CheckId::NitroCertificates, in_force(now), fault)
        } else {
            Failure::rejected(CheckId::NitroCertificates, in_force(now), fault)
        }
    })?;
    let listed = document.cabundle.iter().rev();
    let in_order = path
        .certificates
        .iter()
        .map(|item| item.der.as_slice())
        .eq(core::iter::once(document.certificate).chain(listed.copied()));
    if !in_order {
        return Err(rejected(
            "a bundle from the root to the issuer of the certificate, and nothing else",
            "a bundle of which the path uses other certificates, or in another order",
        ));
    }
    for piece in path.certificates.iter().skip(1) {
        let issuer = Certificate::from_der(&piece.der).map_err(malformed)?;
        if !usage(&issuer)?.is_some_and(|usage| usage.key_cert_sign()) {
            return Err(rejected(
                "issuers whose keys sign certificates (keyCertSign)",
                issuer.tbs_certificate().subject(),
            ));
        }
    }
    signer(document, &path)
}

fn signer(document: &Document<'_>, path: &Path<'_>) -> Result<Signer, Failure> {
    let leaf = Certificate::from_der(document.certificate).map_err(malformed)?;
    let tbs = leaf.tbs_certificate();
    if !usage(&leaf)?.is_some_and(|usage| usage.digital_signature()) {
        return Err(rejected(
            "a certificate whose key signs (digitalSignature)",
            "another key usage, or none",
        ));
    }
    let constraints = tbs
        .get_extension::<BasicConstraints>()
        .map_err(malformed)?
        .map(|(_, constraints)| constraints);
    if constraints.is_some_and(|found| found.ca || found.path_len_constraint.is_some()) {
        return Err(rejected(
            "a certificate that issues none",
            "a certificate with the constraints of an issuer",
        ));
    }
    let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs();
    let issuers = (1..document.cabundle.len()).rev();
    let names = core::iter::once("certificate".to_owned())
        .chain(issuers.map(|index| format!("cabundle-{index}")));
    Ok(Signer {
        key: p384_key(&leaf)?,
        not_before: seconds(&tbs.validity().not_before),
        not_after: seconds(&tbs.validity().not_after),
        collateral: names
            .zip(&path.certificates)
            .map(|(name, piece)| Collateral {
                name,
                digest: B256::from(<[u8; 32]>::from(Sha256::digest(&piece.der))),
                expires: piece.expires,
            })
            .collect(),
        expires: path.expires,
    })
}

fn usage(certificate: &Certificate) -> Result<Option<KeyUsage>, Failure> {
    Ok(certificate
        .tbs_certificate()
        .get_extension::<KeyUsage>()
        .map_err(malformed)?
        .map(|(_, usage)| usage))
}

/// The key of `leaf`: id-ecPublicKey on secp384r1 (RFC 5480), uncompressed.
fn p384_key(leaf: &Certificate) -> Result<Vec<u8>, Failure> {
    let key = leaf.tbs_certificate().subject_public_key_info();
    let curve = key
        .algorithm
        .parameters
        .as_ref()
        .and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok());
    let point = key.subject_public_key.as_bytes().unwrap_or_default();
    let supported = key.algorithm.oid == EC_PUBLIC_KEY
        && curve == Some(SECP384R1)
        && point.len() == POINT_BYTES
        && point.first() == Some(&UNCOMPRESSED);
    if !supported {
        return Err(rejected(
            "a certificate with an uncompressed key on P-384",
            format_args!("{} with {} bytes", key.algorithm.oid, point.len()),
        ));
    }
    Ok(point.to_vec())
}

fn rejected(expected: impl Display, found: impl Display) -> Failure {
    Failure::rejected(CheckId::NitroCertificates, expected, found)
}

fn malformed(error: x509_cert::der::Error) -> Failure {
    rejected("X.509 certificates", error)
}

fn in_force(now: u64) -> String {
    format!("a certificate path to the root on P-384, in force at {now}")
}

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const POINT_BYTES: usize = 1 + 2 * 48;
const UNCOMPRESSED: u8 = 4;
