// SPDX-License-Identifier: Apache-2.0
//! Signatures and dates of certificates, lists and texts, and why something is refused.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, RSA_PSS_2048_8192_SHA384, UnparsedPublicKey,
    VerificationAlgorithm,
};
use x509_cert::Certificate;
use x509_cert::certificate::Rfc5280;
use x509_cert::crl::CertificateList;
use x509_cert::der::Encode;
use x509_cert::der::asn1::{BitString, ObjectIdentifier};
use x509_cert::name::Name;

/// Why what was fetched is refused. The source must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Not of the form it should have.
    #[error("not {0}")]
    Malformed(&'static str),
    /// About something else.
    #[error("{what} is {found}, expected {expected}")]
    Other {
        what: &'static str,
        found: String,
        expected: String,
    },
    /// Not signed by its issuer.
    #[error("{0} is not signed by its issuer")]
    Signature(&'static str),
    /// Under a root that the policy does not accept.
    #[error("the certificates do not end in an accepted root")]
    Root,
    /// Not in force.
    #[error("in force from {from} until {until}, now is {now}")]
    NotInForce { from: u64, until: u64, now: u64 },
}

/// The certificates of a PEM chain, one to [`LONGEST_CHAIN`].
pub(crate) fn pem_chain(pem: &[u8]) -> Result<Vec<Certificate>, Refusal> {
    const CHAIN: Refusal = Refusal::Malformed("a chain of certificates in PEM");
    let chain = Certificate::load_pem_chain(pem).map_err(|_| CHAIN)?;
    if (1..=LONGEST_CHAIN).contains(&chain.len()) {
        Ok(chain)
    } else {
        Err(CHAIN)
    }
}

/// The common name, if there is exactly one.
pub(crate) fn common_name(name: &Name) -> Option<String> {
    let mut names = name.iter().filter(|attribute| attribute.oid == COMMON_NAME);
    let (name, None) = (names.next()?, names.next()) else {
        return None;
    };
    String::from_utf8(name.value.value().to_vec()).ok()
}

/// Verifies that `issuer` signed `subject`.
pub(crate) fn certificate_by(subject: &Certificate, issuer: &Certificate) -> Result<(), Refusal> {
    const WHAT: &str = "a certificate";
    let body = subject.tbs_certificate();
    // RFC 5280, 4.1.1.2: what stands outside the signed part repeats what stands inside.
    if body.issuer() != issuer.tbs_certificate().subject()
        || body.signature() != subject.signature_algorithm()
    {
        return Err(Refusal::Signature(WHAT));
    }
    let algorithm = subject.signature_algorithm().oid;
    signed(body, algorithm, subject.signature(), issuer, WHAT)
}

/// Verifies that `issuer` signed `list`.
pub(crate) fn list_by(
    list: &CertificateList<Rfc5280>,
    issuer: &Certificate,
) -> Result<(), Refusal> {
    const WHAT: &str = "a revocation list";
    let body = &list.tbs_cert_list;
    if &body.issuer != issuer.tbs_certificate().subject()
        || body.signature != list.signature_algorithm
    {
        return Err(Refusal::Signature(WHAT));
    }
    let algorithm = list.signature_algorithm.oid;
    signed(body, algorithm, &list.signature, issuer, WHAT)
}

/// Verifies that `issuer` signed `text`: ES256, r ‖ s.
pub(crate) fn text_by(text: &str, signature: &[u8], issuer: &Certificate) -> Result<(), Refusal> {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key(issuer))
        .verify(text.as_bytes(), signature)
        .map_err(|_| Refusal::Signature("the text"))
}

/// From when until when a certificate is in force, Unix seconds.
pub(crate) fn validity(certificate: &Certificate) -> (u64, u64) {
    let validity = certificate.tbs_certificate().validity();
    (
        validity.not_before.to_unix_duration().as_secs(),
        validity.not_after.to_unix_duration().as_secs(),
    )
}

/// From when until when all of `certificates` are in force.
pub(crate) fn common_validity(certificates: &[Certificate]) -> (u64, u64) {
    certificates
        .iter()
        .map(validity)
        .fold((0, u64::MAX), |(from, until), (since, end)| {
            (from.max(since), until.min(end))
        })
}

/// Refuses what is not in force at `now`. A vendor's clock may be a little ahead.
pub(crate) fn in_force(from: u64, until: u64, now: u64) -> Result<(), Refusal> {
    if from <= now.saturating_add(SKEW) && now < until {
        Ok(())
    } else {
        Err(Refusal::NotInForce { from, until, now })
    }
}

fn signed(
    body: &impl Encode,
    algorithm: ObjectIdentifier,
    signature: &BitString,
    issuer: &Certificate,
    what: &'static str,
) -> Result<(), Refusal> {
    let verifier: &'static dyn VerificationAlgorithm = if algorithm == ECDSA_WITH_SHA256 {
        &ECDSA_P256_SHA256_ASN1
    } else if algorithm == RSASSA_PSS {
        &RSA_PSS_2048_8192_SHA384
    } else {
        return Err(Refusal::Malformed("signed as Intel or AMD sign"));
    };
    let body = body.to_der().map_err(|_| Refusal::Signature(what))?;
    let signature = signature.as_bytes().ok_or(Refusal::Signature(what))?;
    UnparsedPublicKey::new(verifier, key(issuer))
        .verify(&body, signature)
        .map_err(|_| Refusal::Signature(what))
}

fn key(certificate: &Certificate) -> &[u8] {
    certificate
        .tbs_certificate()
        .subject_public_key_info()
        .subject_public_key
        .as_bytes()
        .unwrap_or_default()
}

/// What was expected and what was there, for [`Refusal::Other`].
pub(crate) fn other(
    what: &'static str,
    found: impl fmt::Display,
    expected: impl fmt::Display,
) -> Refusal {
    Refusal::Other {
        what,
        // A stranger's text, short enough for a log.
        found: found.to_string().chars().take(64).collect(),
        expected: expected.to_string(),
    }
}

/// id-at-commonName (RFC 5280, A.1).
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// ecdsa-with-SHA256 (RFC 5758, 3.2).
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
/// id-RSASSA-PSS (RFC 4055, 3.1).
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
/// How far a vendor's clock may be ahead, seconds.
const SKEW: u64 = 60;
const LONGEST_CHAIN: usize = 4;
